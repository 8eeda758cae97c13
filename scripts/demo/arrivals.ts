import { type Edge } from '../../test/edge/index.js';

/** Where a notification is seen to arrive, each by the clock of this machine. */
export const CHANNELS = ['inApp', 'email', 'webPush', 'mobilePush'] as const;
export type Channel = (typeof CHANNELS)[number];

/** When each notification, by its id, came out at the other end of which channel, and what was shown there. */
export class Arrivals {
  private readonly seen = new Map<string, Partial<Record<Channel, { at: number; text: string }>>>();

  constructor(edge: Edge) {
    edge.smtp.onReceived(({ messageId = '', subject = '', at }) => {
      this.note(/^<([0-9a-f]{24})@/.exec(messageId)?.[1], 'email', at.getTime(), subject);
    });
    edge.webPush.onReceived(({ payload, at }) => {
      const { id, title, body } = payload as Record<'id' | 'title' | 'body', string>;
      this.note(id, 'webPush', at.getTime(), `${title}: ${body}`);
    });
    edge.fcm.onReceived(({ message: { data, notification }, at }) => {
      this.note(
        data?.['notificationId'],
        'mobilePush',
        at.getTime(),
        `${notification?.title ?? ''}: ${notification?.body ?? ''}`,
      );
    });
  }

  /** Only the first arrival counts. */
  note(id: string | undefined, channel: Channel, at: number, text: string): void {
    if (id === undefined) return;
    const known = this.seen.get(id) ?? {};
    this.seen.set(id, { [channel]: { at, text }, ...known });
  }

  at(id: string, channel: Channel): number | undefined {
    return this.seen.get(id)?.[channel]?.at;
  }

  text(id: string, channel: Channel): string {
    return this.seen.get(id)?.[channel]?.text ?? '';
  }
}
