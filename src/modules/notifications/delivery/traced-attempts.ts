import { SpanKind } from '@opentelemetry/api';
import { beginAfter, type TracedWork } from '../../../core/observability/tracing.js';
import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { type Outcome } from './outcome.js';

/** The attempts of a batch, each as it shows in the trace of its notification's cause. Most of them are not traced. */
export class TracedAttempts {
  private readonly attempts = new Map<string, { work: TracedWork; notification: Notification }>();

  constructor(private readonly channel: OutsideChannel) {}

  /** Begins with these, and answers with them as they go on: calls to providers belong to the attempt. */
  begin(notifications: readonly Notification[]): Notification[] {
    return notifications.map((notification) => {
      const work = beginAfter([notification], {
        name: `deliver ${this.channel}`,
        kind: SpanKind.CONSUMER,
        attributes: {
          'atrium.channel': this.channel,
          'atrium.attempt': notification.channels[this.channel]?.attempts ?? 0,
        },
      });
      if (!work) return notification;
      const continued = work.continued(notification);
      this.attempts.set(notification._id.toHexString(), { work, notification: continued });
      return continued;
    });
  }

  /** An attempt has ended, if it was traced. */
  end(notificationId: string, { kind }: Outcome): void {
    const work = this.attempts.get(notificationId)?.work;
    if (!work) return;
    work.set({ 'atrium.outcome': kind });
    if (kind === 'dead' || kind === 'retry') work.fail();
    work.end();
  }

  /** Those that are traced, of these. */
  among(notificationIds: Iterable<string>): Notification[] {
    if (this.attempts.size === 0) return [];
    return [...notificationIds].flatMap((id) => this.attempts.get(id)?.notification ?? []);
  }
}
