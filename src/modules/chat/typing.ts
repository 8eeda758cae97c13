import { type Clock, SECOND } from '../../core/clock.js';
import { described, flag, named, objectId, shape } from '../../core/http/schema.js';
import { type Broadcaster, userRoom } from '../../core/realtime/namespace.js';
import { type Entered } from './gate.js';

export const typingPayload = named(
  'Typing',
  shape({
    conversationId: objectId(),
    userId: objectId(),
    typing: described(flag(), 'False where the user has stopped, or has typed nothing for six seconds.'),
  }),
);

/** Whoever does not say so again within this time types no more. */
const LASTS_MS = 6 * SECOND;
const LOOK_EVERY_MS = 500;

interface Typist {
  userId: string;
  conversationId: string;
  socketId: string;
  /** Those who are not to be told. */
  except: string[];
  endsAt: number;
  broadcaster: Broadcaster;
}

/** The sockets that have a conversation on the screen. */
export function conversationRoom(conversationId: string): string {
  return `conversation:${conversationId}`;
}

/** Who types just now, on this node: told to those who have the conversation on the screen, and never stored. */
export class Typing {
  private readonly typists = new Map<string, Typist>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly clock: Clock) {}

  start(userId: string, { conversationId, hidden }: Entered, socketId: string, broadcaster: Broadcaster): void {
    const key = `${socketId} ${conversationId}`;
    const isNew = !this.typists.has(key);
    const except = [userId, ...hidden].map(userRoom);
    const endsAt = this.clock.now().getTime() + LASTS_MS;
    this.typists.set(key, { userId, conversationId, socketId, except, endsAt, broadcaster });
    this.timer ??= setInterval(() => this.endStale(), LOOK_EVERY_MS);
    if (isNew) tell(this.typists.get(key), true);
  }

  stop(socketId: string, conversationId: string): void {
    this.end(`${socketId} ${conversationId}`);
  }

  /** The socket has ended. */
  ended(socketId: string): void {
    for (const [key, typist] of this.typists) if (typist.socketId === socketId) this.end(key);
  }

  private endStale(): void {
    const now = this.clock.now().getTime();
    for (const [key, { endsAt }] of this.typists) if (endsAt <= now) this.end(key);
  }

  private end(key: string): void {
    const typist = this.typists.get(key);
    this.typists.delete(key);
    if (this.typists.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    tell(typist, false);
  }
}

function tell(typist: Typist | undefined, typing: boolean): void {
  if (!typist) return;
  const { conversationId, userId, except, broadcaster } = typist;
  broadcaster.broadcast(conversationRoom(conversationId), 'typing', { conversationId, userId, typing }, { except });
}
