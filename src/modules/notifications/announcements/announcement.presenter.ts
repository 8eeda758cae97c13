import { type Presented } from '../../../core/http/route.js';
import { type Infer } from '../../../core/http/schema.js';
import { type Announcement } from './announcement.model.js';
import { type announcementAnswer, type announcementProgress } from './announcement.schemas.js';

/** How far an announcement has come. */
export function presentProgress(announcement: Announcement): Infer<typeof announcementProgress> {
  const { _id, status, total, processed, created, reached, stopped } = announcement;
  return { id: _id.toHexString(), status, progress: { total, processed, created, channels: reached, stopped } };
}

/** An announcement as admins see it. */
export function presentAnnouncement(announcement: Announcement): Presented<Infer<typeof announcementAnswer>> {
  const { createdBy, title, body, audience, channels, sendAt, createdAt } = announcement;
  const { expiresAt, startedAt, endedAt } = announcement;
  return {
    ...presentProgress(announcement),
    createdBy: createdBy.toHexString(),
    title,
    body,
    audience,
    channels,
    sendAt,
    createdAt,
    ...(expiresAt && { expiresAt }),
    ...(startedAt && { startedAt }),
    ...(endedAt && { endedAt }),
  };
}
