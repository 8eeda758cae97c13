import { defineEvent } from '../../core/events/event.js';
import { objectId, oneOf, shape, text } from '../../core/http/schema.js';

/** A code is to be sent to a phone. */
export const phoneCodeRequested = defineEvent(
  'phone.codeRequested',
  shape({ userId: objectId(), codeId: objectId(), number: text() }),
);

/** Someone has shown that a phone is theirs; `changeId` tells one change from the next. */
export const phoneConfirmed = defineEvent('phone.confirmed', shape({ userId: objectId(), changeId: objectId() }), {
  traced: true,
});

/** An account has no number any more: its owner took it away, or the phone proved to be in other hands. */
export const phoneRemoved = defineEvent(
  'phone.removed',
  shape({ userId: objectId(), changeId: objectId(), reason: oneOf(['removed', 'moved']) }),
  { traced: true },
);

export const phoneEvents = [phoneCodeRequested, phoneConfirmed, phoneRemoved];
