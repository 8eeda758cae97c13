import {
  described,
  flag,
  instant,
  list,
  matching,
  named,
  objectId,
  oneOf,
  record,
  shape,
  text,
} from '../../core/http/schema.js';
import { DIGEST_FREQUENCIES } from './digests/digest-times.js';
import { CATEGORIES, CHANNELS, MUTABLE } from './notification.types.js';
import { WEEKDAYS } from './quiet-hours.js';

const MOST_SPANS = 14;

const perChannel = shape(
  {},
  Object.fromEntries(CHANNELS.map((channel) => [channel, flag()])) as Record<
    (typeof CHANNELS)[number],
    ReturnType<typeof flag>
  >,
);
const perCategory = Object.fromEntries(CATEGORIES.map((category) => [category, perChannel])) as Record<
  (typeof CATEGORIES)[number],
  typeof perChannel
>;

const timeOfDay = matching(/^([01]\d|2[0-3]):[0-5]\d$/, { max: 5, message: 'must be a time of the day such as 22:00' });
const quietSpan = named(
  'QuietSpan',
  described(
    shape({
      days: list(oneOf(WEEKDAYS), { min: 1, max: WEEKDAYS.length, unique: true }),
      from: timeOfDay,
      to: timeOfDay,
    }),
    'A quiet time that begins on each of these days. It ends on the day after where `to` is not later than `from`.',
  ),
);
const spans = list(quietSpan, { max: MOST_SPANS });
const email = described(flag(), 'Whether e-mail waits until the end of a quiet time, too; it does unless told.');

const digest = described(
  oneOf(DIGEST_FREQUENCIES),
  'How often e-mails are put together in one: with each full hour, at eight in the morning, or on Mondays.',
);

const perCategoryFlag = Object.fromEntries(CATEGORIES.map((category) => [category, flag()])) as Record<
  (typeof CATEGORIES)[number],
  ReturnType<typeof flag>
>;
const GROUPING = 'Whether several unread ones about the same are told as one, "A and 11 others"; they are unless told.';

/** What is named changes and nothing else. */
export const settingsPatch = named(
  'NotificationSettingsPatch',
  shape(
    {},
    {
      preferences: shape({}, perCategory),
      quietHours: shape({}, { spans, email }),
      digest,
      grouping: described(shape({}, perCategoryFlag), GROUPING),
    },
  ),
);
export const settingsAnswer = named(
  'NotificationSettings',
  shape({
    preferences: record(CATEGORIES, record(CHANNELS, flag())),
    quietHours: shape({ spans, email }),
    digest,
    grouping: described(record(CATEGORIES, flag()), GROUPING),
    timeZone: described(text(), 'The zone of quiet hours and digests: the one in the user’s preferences.'),
  }),
);

const subject = { kind: oneOf(MUTABLE), id: objectId() };
export const muteBody = named('NewMute', shape(subject, { until: instant() }));
export const muteRemoval = named('MuteRemoval', shape(subject));
export const muteAnswer = named('Mute', shape({ ...subject, createdAt: instant() }, { until: instant() }));
