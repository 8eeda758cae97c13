import { type DomainEvent } from '../events/event.js';
import { type Actor } from '../http/route.js';
import { type Schema } from '../http/schema.js';

/** An event that clients send. It is always acknowledged. */
export interface ClientEvent<Payload = unknown> {
  summary: string;
  payload: Schema<Payload>;
  /** What the acknowledgement carries beside `ok: true`, as an unnamed shape; nothing unless told. */
  acknowledgement?: Schema;
  /** @returns what the acknowledgement carries beside `ok: true` */
  handle(context: {
    actor: Actor;
    payload: Payload;
    connection: Connection;
    broadcaster: Broadcaster;
  }): Promise<object | undefined>;
}

/** Declares an event that clients send; the payload's type follows from its schema. */
export function clientEvent<Payload>(event: ClientEvent<Payload>): ClientEvent {
  return event;
}

/** An event that the server sends; its payload has the shape of the REST answer. */
export interface ServerEvent {
  summary: string;
  payload: Schema;
}

/** The socket at hand, as far as a module may touch it. */
export interface Connection {
  id: string;
  join(room: string): void;
  leave(room: string): void;
  /** Says something to this one alone. */
  send(event: string, payload: unknown): void;
  /**
   * Calls back when it ends, at once where it has ended; the last one said counts.
   * @param listener told for how many milliseconds nothing had been heard of it: of one that vanished it is known late
   */
  onEnd(listener: (silentMs: number) => void): void;
}

export interface EmitOptions {
  /** Rooms whose sockets are left out, though they be in the room. */
  except?: string[];
  /** Where its user's changes stand with it: one who has it can go on from there later. */
  position?: number;
  /**
   * From when on that one has to ask for the rest, which has no positions. Without a position it shows how something
   * stands, and not what was done to it.
   */
  since?: Date;
}

/** Reaches the clients of this node; every node does the same from its own feed. */
export interface LocalEmitter {
  /** Whether anyone in the room is connected here: without, nothing need be prepared. */
  has(room: string): boolean;
  /** Where there are several rooms, each socket in any of them is told once. */
  emit(rooms: string | string[], event: string, payload: unknown, options?: EmitOptions): void;
  /** Takes whoever is in a room out of another one. */
  evict(room: string, from: string): void;
}

/**
 * Reaches the clients of every node: for what need not survive (typing, signals). It takes one write, and where that
 * fails those on other nodes never hear of it: durable facts go by the feed.
 */
export interface Broadcaster {
  /** @param payload what JSON can say: no ObjectIds */
  broadcast(room: string, event: string, payload: unknown, options?: Pick<EmitOptions, 'except'>): void;
  /** Tells the same namespace on all other nodes something that is not for clients as it is. */
  relay(message: unknown): void;
}

/** One Socket.IO namespace: what is said in it and how the feed reaches it. */
export interface NamespaceDefinition {
  name: `/${string}`;
  /** A sentence for the document. */
  summary: string;
  clientEvents: Record<string, ClientEvent>;
  serverEvents: Record<string, ServerEvent>;
  /** Called once on each node that serves it, for whoever has something to say without having been asked. */
  onOpen?: (broadcaster: Broadcaster) => void;
  /** Called with what the namespace relays on another node. */
  onRelay?: (message: unknown) => void;
  /** Called for every client that connects. */
  onConnect?: (actor: Actor, connection: Connection) => void;
  /** Called for every committed event, on every node. */
  onEvent?: (event: DomainEvent, emitter: LocalEmitter) => void;
  /** Called where some events were missed; the clients have been asked to look anew. */
  onGap?: () => void;
  /** Who on this node is told the same as the sockets, by other means. */
  listeners?: readonly LocalEmitter[];
}

/** Says everything to each of these. */
export function toEach(emitters: readonly LocalEmitter[]): LocalEmitter {
  return {
    has: (room) => emitters.some((each) => each.has(room)),
    emit(...said) {
      for (const each of emitters) each.emit(...said);
    },
    evict(room, from) {
      for (const each of emitters) each.evict(room, from);
    },
  };
}

/** The room of all sockets of one user. */
export function userRoom(userId: string): string {
  return `user:${userId}`;
}
