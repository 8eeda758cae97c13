import { type DomainEvent, isEvent } from '../../../core/events/event.js';
import { deliveriesRecorded, expand, notificationsCreated } from '../notification.events.js';
import { type Channel, CHANNELS, type NotificationType } from '../notification.types.js';
import { bucketOf } from './latency.js';
import { type AnyStatus, type DailyStatistics } from './statistics.model.js';

type Key = Pick<DailyStatistics, 'day' | 'type' | 'channel'>;

/** What some events add to the numbers of a day, type and channel: fields of its document, and how much. */
export interface Addition {
  key: Key;
  fields: Record<string, number>;
}

/** Which notifications were created, and what has become of them since: each counts once, with its last status. */
export function tally(events: readonly DomainEvent[]): Addition[] {
  const additions = new Map<string, Addition>();
  const addTo = (key: Key) => {
    const name = `${key.day} ${key.type} ${key.channel}`;
    const addition = additions.get(name) ?? { key, fields: {} };
    additions.set(name, addition);
    return (field: string, by: number): void => {
      addition.fields[field] = (addition.fields[field] ?? 0) + by;
    };
  };
  const ofStatus = (status: AnyStatus): string => `counts.${status}`;

  for (const event of events) {
    if (isEvent(event, notificationsCreated)) {
      for (const { type, createdAt, channels } of expand(event.data)) {
        for (const channel of CHANNELS) {
          const state = channels[channel];
          if (state) addTo({ day: dayOf(new Date(createdAt)), type, channel })(ofStatus(state.status), 1);
        }
      }
    } else if (isEvent(event, deliveriesRecorded)) {
      const { channel, items } = event.data;
      for (const { type, createdAt, was, status } of items) {
        if (!type || !createdAt || !was) continue;
        const add = addTo(keyOf(type, createdAt, channel));
        add(ofStatus(was), -1);
        add(ofStatus(status), 1);
        if (status === 'sent') add(`latency.b${bucketOf(event.at.getTime() - createdAt.getTime())}`, 1);
      }
    }
  }
  return [...additions.values()];
}

/** The day in UTC, as `2026-11-21`. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function keyOf(type: NotificationType, createdAt: Date, channel: Channel): Key {
  return { day: dayOf(createdAt), type, channel };
}
