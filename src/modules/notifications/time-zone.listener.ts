import { isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { userUpdated } from '../users/index.js';
import { type NotificationSettingsService } from './settings.service.js';
import { type WaitingDeliveries } from './waiting-deliveries.js';

/** Quiet hours and digests are those of the user's time zone: who has moved is loud and mailed at other times. */
export function timeZoneListener(waiting: WaitingDeliveries, settings: NotificationSettingsService): Listener {
  return {
    name: 'notifications elsewhere',
    types: [userUpdated],
    async handle(events, session) {
      const moved = events.flatMap((event) =>
        isEvent(event, userUpdated) && event.data.changed.includes('timeZone') ? [event.entity.id] : [],
      );
      for (const userId of new Set(moved)) {
        await waiting.decideSoon(userId, session);
        await settings.rescheduleDigest(userId, session);
      }
    },
  };
}
