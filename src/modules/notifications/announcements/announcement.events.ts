import { defineEvent } from '../../../core/events/event.js';
import { objectId, shape } from '../../../core/http/schema.js';
import { announcementProgress } from './announcement.schemas.js';

/** Something is to be told to many, now or later. */
export const announcementScheduled = defineEvent('announcement.scheduled', shape({ announcementId: objectId() }), {
  traced: true,
});

/** It is told to nobody else, and what of it waits is not sent. */
export const announcementCancelled = defineEvent('announcement.cancelled', shape({ announcementId: objectId() }), {
  traced: true,
});

/** An announcement has come further, or to its end; meant for those who are admins at that moment. */
export const announcementProgressed = defineEvent('announcement.progressed', announcementProgress);

export const announcementEvents = [announcementScheduled, announcementCancelled, announcementProgressed];
