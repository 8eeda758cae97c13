import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import {
  type Email,
  type EmailContext,
  type Mailed,
  renderEmail,
} from '../../src/modules/notifications/delivery/email-content.js';
import { renderDigest } from '../../src/modules/notifications/digests/digest-content.js';
import { NOTIFICATION_TYPES, type NotificationType } from '../../src/modules/notifications/notification.types.js';
import { SECURITY_OCCASIONS, type SecurityOccasion } from '../../src/modules/notifications/security-texts.js';
import { contained, isolate } from '../../src/modules/notifications/templates/bidi.js';
import { clip, headline } from '../../src/modules/notifications/templates/headline.js';
import { plural } from '../../src/modules/notifications/templates/plural.js';
import { actionOf, textOf } from '../../src/modules/notifications/texts.js';

type Locale = 'en' | 'ar';
const LOCALES: Locale[] = ['en', 'ar'];

interface Kind {
  type: NotificationType;
  occasion: SecurityOccasion | undefined;
  /** Said of a message, and in a group. */
  isOfMessage?: true;
}

/** What can be said: each type, that of security once for each occasion, and what is said of messages in groups, too. */
const KINDS: Kind[] = [
  ...(Object.keys(NOTIFICATION_TYPES) as NotificationType[]).flatMap((type): Kind[] =>
    type === 'SECURITY' ? SECURITY_OCCASIONS.map((occasion) => ({ type, occasion })) : [{ type, occasion: undefined }],
  ),
  ...(['REACTION', 'MENTION', 'MESSAGE'] as const).map((type) => ({
    ...{ type, occasion: undefined, isOfMessage: true as const },
  })),
];

/** What people have a say in. */
interface Given {
  name: string;
  words: string;
}

const CONTEXT: EmailContext = {
  publicUrl: 'https://campus.test',
  host: 'campus.test',
  mailSecrets: {
    completeLink: (deepLink) => deepLink,
    revealCode: ({ kind }) => (kind === 'mailedCode' ? '482913' : undefined),
  },
  links: { linkFor: ({ userId, category }) => `https://campus.test/unsubscribe?token=${userId}.${category}` },
};

function notificationOf({ type, occasion, isOfMessage }: Kind, locale: Locale, { name, words }: Given): Mailed {
  const security = occasion && {
    ...{ occasion, device: name, place: words, reason: words },
    until: '2026-12-24T18:00:00.000Z',
  };
  const placement = { company: name, position: words };
  const ofMessage = isOfMessage && { reaction: '🎓', reactedTo: 'message' as const, chat: { group: words } };
  const facts = {
    ...{ actor: name, excerpt: words, reaction: 'LOVE', placement },
    ...(security && { security }),
    ...ofMessage,
  };
  return {
    _id: new ObjectId(),
    userId: new ObjectId(),
    type,
    category: NOTIFICATION_TYPES[type].category,
    entity: { kind: occasion?.startsWith('codeFor') === true ? 'mailedCode' : 'post', id: 'x' },
    ...(type === 'SYSTEM' ? { title: name, body: words } : textOf(type, locale, facts)),
    deepLink: '/posts/1#comment-2',
    data: facts,
    locale,
  };
}

const readerOf = (locale: Locale) => ({ _id: new ObjectId(), name: 'Amal', email: 'amal@campus.test', locale });
const mailOf = (kind: Kind, locale: Locale, given: Given): Email =>
  renderEmail(notificationOf(kind, locale, given), readerOf(locale), CONTEXT);
const digestOf = (told: Mailed[], locale: Locale, more = 0): Email =>
  renderDigest({ _id: new ObjectId(), userId: new ObjectId() }, readerOf(locale), { shown: told, more }, CONTEXT);

const PLAIN: Given = { name: 'Bob', words: 'Well said' };
const HOSTILE: Given[] = [
  { name: '<script>alert(1)</script>', words: '</p></td><img src=x onerror="alert(1)">' },
  { name: '{{title}}{{{link}}}', words: '{{#each items}}{{this}} {{> partial}} {{constructor.name}}' },
  { name: `"'><a href='//evil'>`, words: '& &amp; &lt;b&gt; `${1}` %dir% [[x]] <!--[if mso]><![endif]-->' },
  { name: '\u202Egnp.exe \u2069\u2069 Eve', words: '\u202E\u2066\u2067\u2068 never closed' },
  { name: 'Eve\r\nBcc: all@campus.test', words: 'one\n\ntwo\u2028three\u0000' },
  { name: 'أمل 👩🏽‍🎓', words: '😀'.repeat(140) },
  { name: 'W'.repeat(80), words: 'ﷺ'.repeat(1_000) },
];

const tagsOf = (html: string): string[] => html.match(/<\/?[a-z!][^\s>]*/gi)!;
const charactersOf = (text: string): number => Array.from(new Intl.Segmenter().segment(text)).length;
/** How many isolates are open at the end, and whether one was ever ended that was not begun. */
function isolatesOf(text: string): { open: number; unmatched: boolean } {
  let [open, unmatched] = [0, false];
  for (const character of text) {
    if (/[\u2066-\u2068]/.test(character)) open += 1;
    else if (character === '\u2069' && --open < 0) unmatched = true;
  }
  return { open, unmatched };
}
const CLOSED = { open: 0, unmatched: false };

describe('The templates of notifications', () => {
  for (const locale of LOCALES) {
    for (const kind of KINDS) {
      const name = `${kind.type}${kind.occasion === undefined ? '' : ` (${kind.occasion})`}${kind.isOfMessage ? ' (message)' : ''} in ${locale}`;

      it(`say all there is to say of ${name}, in that language`, () => {
        const { title, body } = notificationOf(kind, locale, PLAIN);
        const { subject, text, html } = mailOf(kind, locale, PLAIN);
        const action = actionOf(kind.type, locale, {
          ...(kind.occasion && { security: { occasion: kind.occasion } }),
          ...(kind.isOfMessage && { reactedTo: 'message' as const }),
        });
        if (kind.isOfMessage) expect(action).to.equal(locale === 'en' ? 'Open the conversation' : 'فتح المحادثة');
        for (const words of [title, subject, action]) expect(words.trim()).not.to.equal('');
        expect(headline(title)).to.equal(subject);
        if (kind.type !== 'SYSTEM') {
          for (const words of [title, action]) expect(/\p{Script=Arabic}/u.test(words)).to.equal(locale === 'ar');
        }
        for (const words of [title, body, text, html]) {
          expect(words).not.to.match(/\{\{|\}\}|undefined|null|NaN|\[object|%\w+%/);
        }
        const link = 'https://campus.test/posts/1#comment-2';
        expect(text).to.contain(title).and.to.contain(body).and.to.contain(`${action}: ${link}`);
        expect(html).to.contain(`lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}"`);
        expect(html).to.match(new RegExp(`<a href="${link}"[^>]*> *${action} *</a>`));
        expect(text.includes('\n482913\n')).to.equal(kind.occasion?.startsWith('codeFor') === true);
        expect(html.includes('>482913<')).to.equal(text.includes('482913'));
      });

      it(`stay what they are whatever people call themselves and write, for ${name}`, () => {
        const plain = tagsOf(mailOf(kind, locale, { ...PLAIN, words: 'x' }).html);
        for (const given of HOSTILE) {
          const { body } = notificationOf(kind, locale, given);
          const { subject, html, headers } = mailOf(kind, locale, given);
          expect(subject).not.to.match(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E]/u);
          expect(charactersOf(subject)).to.be.within(1, 170);
          expect(isolatesOf(subject)).to.deep.equal(CLOSED);
          // A line of an announcement, or of a reason, is one in the mail as well.
          const lines = body.split('\n').length;
          expect(tagsOf(html).filter((tag) => !/br|bdi/.test(tag))).to.deep.equal(
            plain.filter((tag) => !/br|bdi/.test(tag)),
          );
          expect(html.match(/<br>/g) ?? []).to.have.length(lines - 1);
          expect(html).not.to.match(/[\u202A-\u202E]/);
          expect(Buffer.byteLength(html)).to.be.below(30_000);
          for (const header of Object.values(headers)) expect(header).not.to.match(/[\r\n]/);
        }
      });
    }
  }

  it('tell every mail but those of security how to have no more of them, and every attempt is the same mail', () => {
    for (const kind of KINDS) {
      const notification = notificationOf(kind, 'ar', PLAIN);
      const [first, second] = [1, 2].map(() => renderEmail(notification, readerOf('ar'), CONTEXT)) as [Email, Email];
      expect(first).to.deep.equal(second);
      expect(first.messageId).to.equal(`<${notification._id.toHexString()}@campus.test>`);
      expect('List-Unsubscribe' in first.headers).to.equal(kind.type !== 'SECURITY');
    }
  });

  it('make a digest of all of them, with each once, that no mail program cuts off', () => {
    for (const locale of LOCALES) {
      const told = KINDS.slice(0, 20).map((kind) => notificationOf(kind, locale, PLAIN));
      const { subject, text, html } = digestOf(told, locale, 3);
      expect(subject).to.equal(locale === 'en' ? '23 notifications you have not read' : '٢٣ إشعارًا لم تقرأها');
      expect(html.match(/class="link"/g)).to.have.length(told.length + 1);
      expect(text.match(/\/posts\/1#comment-2/g)).to.have.length(told.length);
      const plain = tagsOf(html);
      for (const given of HOSTILE) {
        const hostile = KINDS.slice(0, 20).map((kind) => notificationOf(kind, locale, given));
        const { html: page } = digestOf(hostile, locale, 3);
        expect(tagsOf(page).filter((tag) => !/br|bdi/.test(tag))).to.deep.equal(
          plain.filter((tag) => !/br|bdi/.test(tag)),
        );
      }
      const longest = Array.from({ length: 20 }, () =>
        notificationOf({ type: 'SYSTEM', occasion: undefined }, locale, {
          name: '"'.repeat(120),
          words: '"\n'.repeat(500),
        }),
      );
      expect(Buffer.byteLength(digestOf(longest, locale, 80).html)).to.be.below(102_000);
    }
  });
});

describe('A headline', () => {
  it('is on one line, bounded, and keeps to itself, whatever it is made from', () => {
    const unit = fc.oneof(
      fc.constantFrom('\n', '\r\n', '\t', '\u2028', '\u0085', '\u202E', '\u2066', '\u2068', '\u2069', ' ', '<', 'ش'),
      fc.string({ unit: 'grapheme', maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 300 }), (parts) => {
        const made = headline(parts.join(''));
        expect(made).not.to.match(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E]/u);
        expect(isolatesOf(made)).to.deep.equal(CLOSED);
        expect(charactersOf(made.replaceAll(/[\u2066-\u2069]/g, ''))).to.be.at.most(160);
      }),
    );
    expect(headline('Closed on Sunday\nمغلق')).to.equal('Closed on Sunday مغلق');
    expect(headline(' \r\n ')).to.equal('');
    expect(headline(`Thanks, ${isolate('ليلى')}`)).to.equal(`Thanks, ${isolate('ليلى')}`);
  });

  it('is cut between characters as readers see them', () => {
    expect(clip('👩🏽‍🎓👩🏽‍🎓👩🏽‍🎓', 2)).to.equal('👩🏽‍🎓…');
    expect(clip('👩🏽‍🎓👩🏽‍🎓', 2)).to.equal('👩🏽‍🎓👩🏽‍🎓');
  });
});

describe('A text of someone else', () => {
  it('stays isolated, whatever controls it holds', () => {
    expect(isolate('a\u2069\u202Eb')).to.equal('\u2068ab\u2069');
    expect(contained('\u2069a\u2067b\u202Ec')).to.equal('a\u2067bc\u2069');
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'ش', '\u2066', '\u2068', '\u2069', '\u202B', '\u202C')), (parts) => {
        expect(isolatesOf(isolate(parts.join('')))).to.deep.equal(CLOSED);
        expect(isolatesOf(contained(parts.join('')))).to.deep.equal(CLOSED);
      }),
    );
  });
});

describe('A number of things', () => {
  it('has two forms in English and six in Arabic', () => {
    const english = { one: 'one', other: '# of them' };
    expect([0, 1, 2, 1_000].map((count) => plural('en', count, english))).to.deep.equal([
      '0 of them',
      'one',
      '2 of them',
      '1,000 of them',
    ]);
    const arabic = {
      zero: 'لا إشعارات',
      one: 'إشعار واحد',
      two: 'إشعاران',
      few: '# إشعارات',
      many: '# إشعارًا',
      other: '# إشعار',
    };
    expect([0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 111].map((count) => plural('ar', count, arabic))).to.deep.equal([
      'لا إشعارات',
      'إشعار واحد',
      'إشعاران',
      '٣ إشعارات',
      '١٠ إشعارات',
      '١١ إشعارًا',
      '٩٩ إشعارًا',
      '١٠٠ إشعار',
      '١٠٢ إشعار',
      '١٠٣ إشعارات',
      '١١١ إشعارًا',
    ]);
  });
});
