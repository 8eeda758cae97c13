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
  handle(context: { actor: Actor; payload: Payload; connection: Connection }): Promise<object | undefined>;
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
  join(room: string): void;
  leave(room: string): void;
}

/** Reaches the sockets of this node; every node does the same from its own feed. */
export interface LocalEmitter {
  /** Whether anyone in the room is connected here: without, nothing need be prepared. */
  has(room: string): boolean;
  /** @param except rooms whose sockets are left out, though they be in `room` */
  emit(room: string, event: string, payload: unknown, except?: string[]): void;
}

/** One Socket.IO namespace: what is said in it and how the feed reaches it. */
export interface NamespaceDefinition {
  name: `/${string}`;
  /** A sentence for the document. */
  summary: string;
  clientEvents: Record<string, ClientEvent>;
  serverEvents: Record<string, ServerEvent>;
  /** Called for every committed event, on every node. */
  onEvent?: (event: DomainEvent, emitter: LocalEmitter) => void;
}

/** The room of all sockets of one user. */
export function userRoom(userId: string): string {
  return `user:${userId}`;
}
