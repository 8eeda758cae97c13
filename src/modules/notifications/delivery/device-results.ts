import { type Device } from '../notification.model.js';
import { type Outcome } from './outcome.js';

/** How one device's push service answered. */
export type DeviceResult =
  | { kind: 'accepted'; providerMessageId?: string }
  /** `isDown` where the push service is out of order, rather than short of room for this device. */
  | { kind: 'retry'; error: string; retryAfterMs?: number; isDown?: boolean }
  /** Not tried: its push service takes nothing just now. */
  | { kind: 'untried'; afterMs: number }
  | { kind: 'refused'; error: string }
  /** The token or subscription is dead: the device is to be forgotten. */
  | { kind: 'gone' };

/**
 * What the devices' answers mean for the notification: another try as long as some device may still get it, sent
 * when at least one has it.
 * @param sentBefore devices that got it in an earlier attempt
 */
export function combine(results: { device: Device; result: DeviceResult }[], sentBefore: readonly string[]): Outcome {
  const accepted = results.filter(({ result }) => result.kind === 'accepted');
  const sentTo = [...sentBefore, ...accepted.map(({ device }) => device._id.toHexString())];
  const toRetry = results.flatMap(({ result }) => (result.kind === 'retry' ? [result] : []));
  if (toRetry[0]) {
    // Tried together, so none sooner than its push service allows.
    const retryAfterMs = Math.max(...toRetry.map((result) => result.retryAfterMs ?? 0));
    return { kind: 'retry', error: toRetry[0].error, sentTo, ...(retryAfterMs > 0 && { retryAfterMs }) };
  }
  const waits = results.flatMap(({ result }) => (result.kind === 'untried' ? [result.afterMs] : []));
  if (waits.length > 0) return { kind: 'untried', afterMs: Math.max(...waits), sentTo };
  if (sentTo.length > 0) {
    const [first] = accepted;
    const id = first?.result.kind === 'accepted' ? first.result.providerMessageId : undefined;
    return { kind: 'sent', ...(id !== undefined && { providerMessageId: id }) };
  }
  for (const { result } of results) if (result.kind === 'refused') return { kind: 'dead', error: result.error };
  return results.length > 0 ? { kind: 'dead', error: 'DEVICE_GONE' } : { kind: 'skipped', reason: 'NO_DEVICE' };
}
