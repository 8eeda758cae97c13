import { causeOf } from '../../../core/observability/tracing.js';
import { type DeviceService } from '../device.service.js';
import { type Device, type Notification } from '../notification.model.js';
import { headline } from '../templates/headline.js';
import { type ChannelSender } from './channel-sender.js';
import { combine, type DeviceResult } from './device-results.js';
import { type PushRoute } from './push-route.js';

export interface PushSenderOptions {
  channel: Device['channel'];
  route: PushRoute;
  devices: DeviceService;
  batchSize: number;
  concurrency: number;
}

/** Sends to every device of each recipient that does not have the notification yet, and forgets dead devices. */
export function createPushSender({ channel, route, devices, ...sizes }: PushSenderOptions): ChannelSender {
  return {
    channel,
    ...sizes,
    room: () => route.room(),
    hurry: () => route.hurry(),
    close: () => route.close(),
    async send(written, settle) {
      // A title is shown on one line, whatever an admin wrote.
      const notifications = written.map((each) => ({ ...each, title: headline(each.title) }));
      const owned = await devices.of(
        notifications.map(({ userId }) => userId),
        channel,
      );
      const waiting = new Map(notifications.map((each) => [each, wanting(each, owned)]));
      const results = new Map<Notification, { device: Device; result: DeviceResult }[]>();
      const finishing: Promise<void>[] = [];

      /** Its devices have all answered. */
      const finish = async (notification: Notification): Promise<void> => {
        const answered = results.get(notification) ?? [];
        const gone = answered.flatMap(({ device, result }) => (result.kind === 'gone' ? [device] : []));
        // Before it is told of: whoever hears that a device is gone finds it gone.
        if (gone.length > 0) await devices.removeDead(gone);
        settle(notification._id.toHexString(), combine(answered, notification.channels[channel]?.sentTo ?? []));
      };

      const pushes = [...waiting].flatMap(([notification, own]) =>
        own.map((device) => ({ notification, device, ...causeOf(notification) })),
      );
      for (const [notification, own] of waiting) if (own.length === 0) finishing.push(finish(notification));
      try {
        await route.send(pushes, ({ notification, device }, result) => {
          const answered = [...(results.get(notification) ?? []), { device, result }];
          results.set(notification, answered);
          if (answered.length === waiting.get(notification)?.length) finishing.push(finish(notification));
        });
      } finally {
        await Promise.all(finishing);
      }
    },
  };

  function wanting(notification: Notification, owned: ReadonlyMap<string, Device[]>): Device[] {
    const has = new Set(notification.channels[channel]?.sentTo ?? []);
    return (owned.get(notification.userId.toHexString()) ?? []).filter(({ _id }) => !has.has(_id.toHexString()));
  }
}
