import { defineEvent } from '../../../core/events/event.js';
import { objectId, oneOf, shape } from '../../../core/http/schema.js';
import { OUTSIDE_CHANNELS } from '../notification.types.js';

const letter = shape({ userId: objectId(), notificationId: objectId(), channel: oneOf(OUTSIDE_CHANNELS) });

/** An admin had a delivery that was given up tried again. */
export const deadLetterRequeued = defineEvent('dead-letter.requeued', letter, { traced: true });

/** An admin decided that a delivery stays given up. */
export const deadLetterDiscarded = defineEvent('dead-letter.discarded', letter, { traced: true });
