import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { expectInvalid, expectProblem } from './helpers.js';

interface Template {
  type: string;
  channel: string;
  locales: string[];
  occasions?: string[];
  reactedTo?: string[];
}

describe('The templates of notifications, for admins', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    admin = await api.admin();
  });
  after(() => campus.close());

  const list = async (): Promise<Template[]> => {
    const { status, body } = await admin.get('/admin/templates');
    expect(status).to.equal(200);
    return body.data as Template[];
  };
  const preview = (choice: Record<string, string>) =>
    admin.get(`/admin/templates/preview?${new URLSearchParams(choice).toString()}`);
  const shown = async (choice: Record<string, string>): Promise<Json> => {
    const { status, body } = await preview(choice);
    expect(status, JSON.stringify(choice)).to.equal(200);
    return body;
  };

  it('are listed: every type on every channel in both languages, and the digest', async () => {
    const templates = await list();
    const types = [...new Set(templates.map(({ type }) => type))];
    expect(types).to.include.members(['REACTION', 'COMMENT', 'SECURITY', 'SYSTEM', 'DIGEST']);
    for (const type of types) {
      const channels = templates.filter((each) => each.type === type).map(({ channel }) => channel);
      expect(channels).to.include.members(
        type === 'DIGEST' ? ['email'] : ['inApp', 'email', 'webPush', 'mobilePush', 'sms'],
      );
    }
    expect(templates.every(({ locales }) => locales.join() === 'en,ar')).to.equal(true);
    const { occasions } = templates.find(({ type }) => type === 'SECURITY')!;
    expect(occasions).to.include.members(['newSignIn', 'resetPassword']);
  });

  it('can each be looked at, with samples that hold what is hard to show', async () => {
    for (const { type, channel, locales } of await list()) {
      for (const locale of locales) {
        const answer = await shown({ type, channel, locale });
        if (channel === 'sms') {
          expect(answer, type).to.have.all.keys('text');
          expect(answer.text).to.match(/\nhttps?:\/\/\S+$/);
          continue;
        }
        if (channel !== 'email') {
          expect(answer, `${type} ${channel}`).to.have.all.keys('title', 'body');
          if (channel !== 'inApp') expect(answer.title).not.to.match(/\n/);
          continue;
        }
        expect(answer, type).to.have.all.keys('subject', 'text', 'html');
        expect(answer.subject).to.match(/^.+$/);
        expect(answer.html).to.contain(`lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}"`);
        expect(answer.html).not.to.match(/<script|<b>/);
        if (type === 'COMMENT') {
          expect(answer.text).to.contain('<script>alert("1")</script> {{x}} &');
          expect(answer.html).to.contain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; {{x}} &amp;');
          expect(answer.subject).to.contain('<b>& Co</b> {{name}} 👩🏽‍🎓');
        }
      }
    }
  });

  it('show each occasion of what concerns security, with a code that is none', async () => {
    const mail = { type: 'SECURITY', channel: 'email', locale: 'en' };
    expect(await shown(mail)).to.include({ subject: 'New sign-in to your account' });
    const { subject, text } = await shown({ ...mail, occasion: 'codeForErasure' });
    expect(subject).to.equal('Your code to delete your account');
    expect(text).to.match(/^123456$/m);
    expect((await shown({ ...mail, locale: 'ar', occasion: 'exportReady' })).html).to.contain('تنزيل بياناتك');
  });

  it('show a reaction to a post and to a message, and a mention, in the words of each', async () => {
    expect((await list()).find(({ type }) => type === 'REACTION')).to.deep.include({ reactedTo: ['post', 'message'] });
    const choice = { type: 'REACTION', channel: 'email', locale: 'en' };
    expect((await shown(choice)).subject).to.match(/ reacted to your post$/);
    const { subject, text } = await shown({ ...choice, reactedTo: 'message' });
    expect(subject).to.match(/ reacted to your message$/);
    expect(text).to.contain('🎓 “').and.to.contain('Open the conversation: ');
    const push = { channel: 'mobilePush', locale: 'ar', reactedTo: 'message' };
    expect((await shown({ ...push, type: 'REACTION' })).title).to.match(/ مع رسالتك$/);
    expect((await shown({ ...push, type: 'MENTION' })).title).to.contain(' إليك في ');
    expectInvalid(await preview({ ...choice, reactedTo: 'comment' }), 'query.reactedTo');
  });

  it('are JSON, which no browser takes for a page', async () => {
    const { headers } = await preview({ type: 'COMMENT', channel: 'email', locale: 'ar' });
    expect(headers.get('content-type')).to.match(/^application\/json/);
    expect(headers.get('x-content-type-options')).to.equal('nosniff');
  });

  it('are not shown where there are none, or for what does not exist', async () => {
    expectProblem(await preview({ type: 'DIGEST', channel: 'webPush', locale: 'ar' }), 404, 'TEMPLATE_NOT_FOUND');
    expectInvalid(await preview({ type: 'NONSENSE', channel: 'email', locale: 'en' }), 'query.type');
    expectInvalid(await preview({ type: 'COMMENT', channel: 'email', locale: 'fr' }), 'query.locale');
    expectInvalid(await preview({ type: 'COMMENT', channel: 'email' }), 'query.locale');
  });
});
