import { type ObjectId } from 'mongodb';
import { LOCALES, type Locale } from '../../users/index.js';
import { type Draft } from '../notification.writer.js';
import { type NotificationText } from '../texts.js';
import { type Announcement } from './announcement.model.js';

/** The text in the language that someone reads, or else in the other one. */
export function textIn(locale: Locale, { title, body }: Pick<Announcement, 'title' | 'body'>): NotificationText {
  const language = [locale, ...LOCALES].find((each) => title[each] !== undefined) ?? locale;
  return { title: title[language] ?? '', body: body[language] ?? '' };
}

/** The notifications of some recipients, those of one language together. */
export function draftsByLanguage(
  announcement: Announcement,
  recipients: readonly { _id: ObjectId; locale: Locale }[],
): Draft[][] {
  const id = announcement._id.toHexString();
  const draftFor = ({ _id, locale }: { _id: ObjectId; locale: Locale }): Draft => ({
    userId: _id.toHexString(),
    type: 'SYSTEM',
    actorId: undefined,
    entity: { kind: 'announcement', id },
    deepLink: '/notifications',
    dedupeKey: `announcement:${id}`,
    groupKey: `announcement:${id}`,
    data: {},
    channels: announcement.channels,
    batchId: announcement._id,
    bulk: true,
    text: () => textIn(locale, announcement),
  });
  return LOCALES.map((locale) => recipients.filter((each) => each.locale === locale).map(draftFor)).filter(
    ({ length }) => length > 0,
  );
}
