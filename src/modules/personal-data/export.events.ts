import { defineEvent } from '../../core/events/event.js';
import { objectId, shape } from '../../core/http/schema.js';

const facts = shape({ userId: objectId(), exportId: objectId() });

/** A user asked for all that is kept of them. */
export const exportRequested = defineEvent('export.requested', facts, { traced: true });
/** It can be downloaded. */
export const exportReady = defineEvent('export.ready', facts);

export const exportEvents = [exportRequested, exportReady];
