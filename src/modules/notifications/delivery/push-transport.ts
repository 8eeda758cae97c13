import { type Cause } from '../../../core/observability/tracing.js';
import { type Device, type Notification } from '../notification.model.js';
import { type DeviceResult } from './device-results.js';

/** One notification for one device. */
export interface Push extends Cause {
  notification: Notification;
  device: Device;
}

/** Hands pushes over to push services. */
export interface PushTransport {
  /** How many calls it makes at once. */
  atOnce: number;
  /** Puts together what can go in one call. */
  divide(pushes: Push[]): Push[][];
  /** Which of several push services a push goes to: one may be out of order while the others are not. */
  serviceOf?: (push: Push) => string;
  /** Makes one call: how each push was received, in the same order. */
  send(pushes: Push[]): Promise<DeviceResult[]>;
  close(): Promise<void>;
}

/** The same for every push of one line, and for every attempt: on a device the later one replaces the one before. */
export function collapseIdOf({ _id, line }: Notification): string {
  return (line ?? _id).toHexString();
}
