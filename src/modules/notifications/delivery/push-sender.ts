import { type DeviceService } from '../device.service.js';
import { type Device, type Notification } from '../notification.model.js';
import { type ChannelSender } from './channel-sender.js';
import { combine, type DeviceResult } from './device-results.js';
import { type Outcome } from './outcome.js';

/** One notification for one device. */
export interface Push {
  notification: Notification;
  device: Device;
}

/** A push service: hands pushes over and says how each was received, in the same order. */
export interface PushTransport {
  send(pushes: Push[]): Promise<DeviceResult[]>;
  close(): Promise<void>;
}

export interface PushSenderOptions {
  channel: Device['channel'];
  transport: PushTransport;
  devices: DeviceService;
  batchSize: number;
  concurrency: number;
}

/** Sends to every device of each recipient that does not have the notification yet, and forgets dead devices. */
export function createPushSender(options: PushSenderOptions): ChannelSender {
  const { channel, transport, devices, batchSize, concurrency } = options;
  return {
    channel,
    batchSize,
    concurrency,
    close: () => transport.close(),
    async send(notifications) {
      const owned = await devices.of(
        notifications.map(({ userId }) => userId),
        channel,
      );
      const pushes = notifications.flatMap((notification) => {
        const has = new Set(notification.channels[channel]?.sentTo ?? []);
        const wanting = (owned.get(notification.userId.toHexString()) ?? []).filter(
          ({ _id }) => !has.has(_id.toHexString()),
        );
        return wanting.map((device) => ({ notification, device }));
      });
      const results = pushes.length === 0 ? [] : await transport.send(pushes);
      const answered = pushes.map((push, index) => ({ ...push, result: results[index] ?? noAnswer }));
      await devices.removeDead(answered.filter(({ result }) => result.kind === 'gone').map(({ device }) => device));
      return new Map(notifications.map((each) => [each._id.toHexString(), outcomeOf(each, answered)]));
    },
  };

  function outcomeOf(notification: Notification, answered: (Push & { result: DeviceResult })[]): Outcome {
    const own = answered.filter((each) => each.notification === notification);
    return combine(own, notification.channels[channel]?.sentTo ?? []);
  }
}

const noAnswer: DeviceResult = { kind: 'retry', error: 'NO_ANSWER' };
