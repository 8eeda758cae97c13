import { type PersonLedger } from './ledger.js';

/** A message, as far as a client of the load looks at it. */
export interface HeardMessage {
  id: string;
  conversationId: string;
  seq: number;
  senderId: string | null;
  clientId: string;
}

/** What a client holds of its conversations, and a sharp eye on how it came. */
export class Held {
  /** By conversation the last place that came live over the connection at hand. */
  private readonly live = new Map<string, number>();
  private readonly shownNotifications = new Set<string>();

  constructor(private readonly ledger: Pick<PersonLedger, 'held' | 'oddities'>) {}

  /** A new connection may be shown again what the last one was shown. */
  reconnected(): void {
    this.live.clear();
    this.shownNotifications.clear();
  }

  /** What came live: in the order of the conversation, and once. */
  hear(message: HeardMessage): void {
    const { conversationId, seq } = message;
    const last = this.live.get(conversationId) ?? 0;
    if (seq <= last) this.ledger.oddities.push(`place ${seq} of ${conversationId} was shown after place ${last}`);
    this.live.set(conversationId, Math.max(seq, last));
    this.put(message);
  }

  /** What was caught up with may be held already, but never another message at its place. */
  put({ conversationId, seq, id }: HeardMessage): void {
    const places = (this.ledger.held[conversationId] ??= {});
    const there = places[seq];
    if (there !== undefined && there !== id) {
      this.ledger.oddities.push(`place ${seq} of ${conversationId} was ${there} and then ${id}`);
    }
    places[seq] = id;
  }

  notified(id: string): void {
    if (this.shownNotifications.has(id)) this.ledger.oddities.push(`notification ${id} was shown twice as new`);
    this.shownNotifications.add(id);
  }

  /** The last place held of a conversation. */
  last(conversationId: string): number {
    return Math.max(0, ...Object.keys(this.ledger.held[conversationId] ?? {}).map(Number));
  }
}
