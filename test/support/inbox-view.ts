import { type Heard, type Json } from './api.js';

/** What an app shows of someone's notifications, put together from what it was told, by whatever means. */
export class InboxView {
  private readonly items = new Map<string, Json>();
  private unread: number | undefined;

  /** As a socket or a stream tells it. */
  static of(heard: readonly Pick<Heard, 'event' | 'payload'>[]): InboxView {
    const view = new InboxView();
    for (const each of heard) view.hear(each);
    return view;
  }

  /** As an answer to `since` tells it. */
  apply({ data, withdrawn, readUpTo, unreadCount }: Json): void {
    if (readUpTo !== undefined) this.readAll(readUpTo as string);
    for (const notification of data as Json[]) this.items.set(notification.id as string, notification);
    for (const id of withdrawn as string[]) this.items.delete(id);
    this.unread = unreadCount as number;
  }

  /** The list, newest first, and how many are unread, as the API answers them. */
  get shown(): { list: Json[]; unread: number | undefined } {
    const list = [...this.items.values()]
      .filter(({ channels }) => channels.inApp.status !== 'archived')
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    return { list, unread: this.unread };
  }

  private hear({ event, payload }: Pick<Heard, 'event' | 'payload'>): void {
    switch (event) {
      case 'notification:new':
      case 'notification:updated':
        this.items.set(payload.id as string, payload);
        break;
      case 'notification:withdrawn':
        this.items.delete(payload.id as string);
        break;
      case 'unread-count':
        this.unread = payload.count as number;
        if (payload.readUpTo !== undefined) this.readAll(payload.readUpTo as string);
        break;
      default:
        throw new Error(`an app does not know what ${event} means`);
    }
  }

  private readAll(upTo: string): void {
    for (const [id, item] of this.items) {
      const { status } = item.channels.inApp;
      if (id > upTo || status === 'read' || status === 'archived') continue;
      this.items.set(id, { ...item, channels: { ...item.channels, inApp: { status: 'read' } } });
    }
  }
}
