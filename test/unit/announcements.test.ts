import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { reachedBy } from '../../src/modules/notifications/announcements/announcement.service.js';
import { draftsByLanguage, textIn } from '../../src/modules/notifications/announcements/drafts.js';
import { type Announcement } from '../../src/modules/notifications/announcements/announcement.model.js';
import { CHANNELS, DELIVERY_STATUSES } from '../../src/modules/notifications/notification.types.js';

describe('What an announcement says', () => {
  const locale = fc.constantFrom('en' as const, 'ar' as const);
  const texts = fc.constantFrom(
    { title: { en: 'Exams' }, body: { en: 'Soon' } },
    { title: { ar: 'امتحانات' }, body: { ar: 'قريبًا' } },
    { title: { en: 'Exams', ar: 'امتحانات' }, body: { en: 'Soon', ar: 'قريبًا' } },
  );

  it('is in the reader’s language if it is there, and always all in one', () => {
    fc.assert(
      fc.property(locale, texts, (language, announced) => {
        const { title, body } = textIn(language, announced);
        const given: Announcement['title'] = announced.title;
        expect(title).to.equal(given[language] ?? Object.values(given)[0]);
        expect([title, body]).to.be.deep.oneOf([
          ['Exams', 'Soon'],
          ['امتحانات', 'قريبًا'],
        ]);
      }),
    );
  });

  it('goes to each recipient once, under one key, those of a language together', () => {
    const recipient = fc.record({ _id: fc.constant(null).map(() => new ObjectId()), locale });
    fc.assert(
      fc.property(fc.array(recipient, { maxLength: 30 }), texts, (recipients, announced) => {
        const announcement = { _id: new ObjectId(), channels: ['inApp'], ...announced } as unknown as Announcement;
        const groups = draftsByLanguage(announcement, recipients);
        expect(groups.flat().map(({ userId }) => userId)).to.have.members(
          recipients.map(({ _id }) => _id.toHexString()),
        );
        expect(new Set(groups.flat().map(({ dedupeKey }) => dedupeKey)).size).to.be.at.most(1);
        for (const group of groups) {
          expect(group).not.to.be.empty;
          expect(
            new Set(group.map(({ userId }) => recipients.find(({ _id }) => _id.equals(userId))!.locale)).size,
          ).to.equal(1);
        }
      }),
    );
  });

  it('reaches channels as often as it goes out on them: what is skipped does not count', () => {
    const state = fc.option(fc.record({ status: fc.constantFrom('unread', ...DELIVERY_STATUSES) }), { nil: undefined });
    const channels = fc.record(Object.fromEntries(CHANNELS.map((channel) => [channel, state])));
    fc.assert(
      fc.property(fc.array(channels), (all) => {
        const reached = reachedBy(all);
        for (const channel of CHANNELS) {
          const counted = all.filter((each) => each[channel] && each[channel].status !== 'skipped').length;
          expect(reached[channel] ?? 0).to.equal(counted);
        }
      }),
    );
  });
});
