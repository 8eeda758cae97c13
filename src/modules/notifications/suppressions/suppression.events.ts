import { defineEvent } from '../../../core/events/event.js';
import { objectId, oneOf, shape } from '../../../core/http/schema.js';
import { SUPPRESSION_REASONS, SUPPRESSION_SOURCES } from './suppression.model.js';

const facts = shape(
  { reason: oneOf(SUPPRESSION_REASONS), source: oneOf(SUPPRESSION_SOURCES) },
  // Whose address it is, if anyone's.
  { userId: objectId() },
);

/** An address gets no mail from now on, because of what was told of a mail. From where that came is nobody's origin. */
export const addressSuppressed = defineEvent('address.suppressed', facts);

/** A number gets SMS again, since its owner has sent START. From where that came is nobody's origin. */
export const addressReopened = defineEvent('address.reopened', facts);

/** An admin has an address get no mail from now on. */
export const suppressionAdded = defineEvent('suppression.added', facts, { traced: true });

/** An admin took a suppression back. */
export const suppressionLifted = defineEvent('suppression.lifted', facts, { traced: true });
