import {
  described,
  type Infer,
  instant,
  list,
  named,
  objectId,
  oneOf,
  record,
  type Schema,
  shape,
  text,
  whole,
} from '../../../core/http/schema.js';
import { audienceAnswer, audienceBody, userSummary } from '../../users/index.js';
import { CHANNELS, OUTSIDE_CHANNELS } from '../notification.types.js';
import { ANNOUNCEMENT_STATUSES, type Texts } from './announcement.model.js';

const inLanguages = (max: number) => shape({}, { en: text({ max }), ar: text({ max }) });

const announcementParts = shape(
  { title: inLanguages(120), body: inLanguages(1_000), audience: audienceBody },
  {
    channels: described(
      list(oneOf(CHANNELS), { min: 1, max: CHANNELS.length, unique: true }),
      'All of them but SMS unless given; each recipient’s own settings hold.',
    ),
    sendAt: instant(),
    expiresAt: described(instant(), 'What has not been sent by then is not sent.'),
  },
);
type AnnouncementParts = Infer<typeof announcementParts>;

/** Nobody is to get the title in one language and the body in another. */
export const announcementBody: Schema<AnnouncementParts> = named(
  'NewAnnouncement',
  announcementParts.custom((parts: AnnouncementParts, helpers) => {
    const [inTitle, inBody] = [languagesOf(parts.title), languagesOf(parts.body)];
    return inTitle !== '' && inTitle === inBody
      ? parts
      : helpers.message({ custom: 'title and body must be in the same languages: en, ar or both' });
  }),
);

function languagesOf(texts: Texts): string {
  return Object.keys(texts).sort().join();
}

const count = whole({ min: 0 });

const progress = shape({
  total: described(count, 'How many it is meant for, counted when it began.'),
  processed: described(count, 'How many of them were looked at so far.'),
  created: described(count, 'How many notifications were written: who has switched off all its channels gets none.'),
  channels: described(record(CHANNELS, count), 'How many of these go out on each channel.'),
  stopped: described(record(OUTSIDE_CHANNELS, count), 'How many deliveries were cancelled with it.'),
});

const facts = { id: objectId(), status: oneOf(ANNOUNCEMENT_STATUSES), progress };

/** How far one has come, as admins hear it live. */
export const announcementProgress = named('AnnouncementProgress', shape(facts));

export const announcementAnswer = named(
  'Announcement',
  shape(
    {
      ...facts,
      createdBy: described(objectId(), 'The admin or the API key.'),
      title: inLanguages(120),
      body: inLanguages(1_000),
      audience: audienceAnswer,
      channels: list(oneOf(CHANNELS)),
      sendAt: instant(),
      createdAt: instant(),
    },
    { expiresAt: instant(), startedAt: instant(), endedAt: instant() },
  ),
);

export const announcementFilter = { status: oneOf(ANNOUNCEMENT_STATUSES) };

export const audiencePreview = named('AudienceQuestion', shape({ audience: audienceBody }));
export const audiencePreviewAnswer = named(
  'AudiencePreview',
  shape({ count, sample: described(list(userSummary), 'A few of them, picked at random.') }),
);
