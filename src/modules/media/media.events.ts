import { defineEvent } from '../../core/events/event.js';
import { objectId, shape } from '../../core/http/schema.js';

/** Nobody can attach or see it any more; its files are left to be removed. */
export const mediaRemoved = defineEvent('media.removed', shape({ ownerId: objectId(), mediaId: objectId() }));

export const mediaEvents = [mediaRemoved];
