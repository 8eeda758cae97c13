import {
  described,
  type Infer,
  instant,
  list,
  named,
  objectId,
  oneOf,
  type Schema,
  shape,
  text,
} from '../../../core/http/schema.js';
import { OUTSIDE_CHANNELS } from '../notification.types.js';

const eventParts = shape(
  {
    id: described(text({ max: 200, multiline: false }), 'The partner’s own; what is told again under it counts once.'),
    channel: oneOf(OUTSIDE_CHANNELS),
    event: oneOf(['delivered', 'opened', 'bounced', 'complained']),
    at: instant(),
  },
  {
    notificationId: objectId(),
    messageId: described(
      text({ max: 300, multiline: false }),
      'Of a mail its Message-ID, of an SMS the id that its provider has given.',
    ),
    detail: described(
      text({ max: 500 }),
      'Why, in words. A status code in it, as in `5.1.1`, suppresses the address where it begins with 5.',
    ),
  },
);
/** Something that a partner tells of a message. */
export type PartnerEvent = Infer<typeof eventParts>;

const partnerEvent: Schema<PartnerEvent> = named(
  'DeliveryEvent',
  eventParts.custom((parts: PartnerEvent, helpers) => {
    const { notificationId, messageId, channel } = parts;
    if ((notificationId === undefined) === (messageId === undefined)) {
      return helpers.message({ custom: 'must have either notificationId or messageId' });
    }
    // Push services give ids that mean nothing by themselves, and tell of nothing by them.
    const isPush = channel === 'webPush' || channel === 'mobilePush';
    return isPush && notificationId === undefined
      ? helpers.message({ custom: 'must have notificationId for a push' })
      : parts;
  }),
);

/** As many as one request brings. */
const MOST_EVENTS = 1_000;

export const deliveryEvents = named(
  'DeliveryEvents',
  shape({ events: list(partnerEvent, { min: 1, max: MOST_EVENTS }) }),
);
