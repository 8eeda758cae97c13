import { createAdapter } from '@socket.io/mongo-adapter';
import { randomUUID } from 'node:crypto';
import { type Server as HttpServer } from 'node:http';
import { setTimeout as rest } from 'node:timers/promises';
import { type Namespace, Server } from 'socket.io';
import { type Clock, MINUTE } from '../clock.js';
import { type Database } from '../database/database.js';
import { type DomainEvent } from '../events/event.js';
import { type Feed } from '../events/feed.js';
import { toProblem } from '../http/problem-mapping.js';
import { type Log } from '../observability/log.js';
import { type Overload } from '../overload.js';
import { type Authenticator } from '../security/authenticator.js';
import { heardByFeed } from './adapter-stream.js';
import { adapterCollection } from './collections.js';
import { connectionOf, dispatchEvents, type HubSocket, type SocketData } from './dispatch.js';
import { type Connections } from './connections.js';
import { broadcasterOf, localEmitter, tracedEmitter } from './emitters.js';
import { type NamespaceDefinition, toEach, userRoom } from './namespace.js';

export interface HubOptions {
  server: HttpServer;
  database: Database;
  feed: Feed;
  authenticator: Authenticator;
  namespaces: readonly NamespaceDefinition[];
  origins: string[];
  /** Tokens live by it; buffers and intervals do not. */
  clock: Clock;
  log: Log;
  overload: Overload;
  /** Whether what clients send begins a trace. */
  traced?: boolean;
}

const MAX_EVENT_BYTES = 64 * 1024;
/** Packets waiting for one client; a client that lets more pile up is disconnected. */
const MAX_BUFFERED_PACKETS = 512;
const INSPECTION_MS = 1_000;
/** Nodes that hear nothing of each other by the adapter for so long ask no less of it: they tell, and never ask. */
const ADAPTER_HEARTBEAT_MS = MINUTE;
/**
 * So many clients a second are sent elsewhere when a node stops: those that are left take about so many connections
 * each. All at once they would be kept busy with handshakes, and everybody they serve would feel it.
 */
const SENT_AWAY_PER_SECOND = 250;
const SENT_AWAY_AT_ONCE = 10;
/**
 * A client that vanishes without a word is noticed by the ping that it does not answer: 25 seconds after it was last
 * heard of at the latest, since nobody may seem to be here for 30 who is not. By default it would take 45.
 */
const PING_INTERVAL_MS = 15_000;
const PING_TIMEOUT_MS = 10_000;

/**
 * The live side of a node: authenticates sockets, answers their events, and emits what the feed brings to the
 * sockets connected here. Durable facts never travel between nodes over the socket adapter.
 */
export class Hub implements Connections {
  private readonly io: Server;
  private inspection: NodeJS.Timeout | undefined;

  constructor(private readonly options: HubOptions) {
    const { server, database, feed, origins } = options;
    const uid = randomUUID();
    this.io = new Server(server, {
      maxHttpBufferSize: MAX_EVENT_BYTES,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      cors: { origin: origins, credentials: true },
      // Messages are small; per-message compression costs more memory than it saves.
      perMessageDeflate: false,
      serveClient: false,
      adapter: createAdapter(heardByFeed(database.collection(adapterCollection.name), feed, uid), {
        uid,
        heartbeatInterval: ADAPTER_HEARTBEAT_MS,
      }),
    });
  }

  /** Opens the namespaces and follows the feed. */
  start(): void {
    // Socket.IO always has this namespace, open to anyone; it is refused in the words for those that do not exist.
    this.io.of('/').use((_socket, next) => next(new Error('Invalid namespace')));
    for (const definition of this.options.namespaces) this.open(definition);
    this.options.feed.subscribe({
      onEvents: () => undefined,
      // Among the missed events may be the end of a session, and anything that should have been shown.
      onGap: () => {
        for (const socket of this.sockets()) {
          this.recheck(socket);
          socket.emit('resync', {});
        }
      },
    });
    this.inspection = setInterval(() => this.inspect(), INSPECTION_MS);
  }

  /** Sockets connected to this node. */
  get connections(): number {
    return this.io.engine.clientsCount;
  }

  /** Closes every socket of a session on this node. Called on every node, from the feed. */
  disconnectSession(sessionId: string): void {
    for (const socket of this.sockets()) {
      if (socket.data.actor.sessionId === sessionId) socket.disconnect(true);
    }
  }

  /** Looks anew at who a user's sockets speak for, after a change of role or rights. Called on every node, from the feed. */
  recheckUser(userId: string): void {
    for (const socket of this.sockets()) if (socket.data.actor.id === userId) this.recheck(socket);
  }

  /**
   * Tells clients one after the other to come back elsewhere and closes their connections, those of several namespaces at
   * once. Standard clients reconnect by themselves. The others go on being served until it is their turn.
   * @param mostMs how long all of it may take
   */
  async drain(mostMs: number): Promise<void> {
    const connections = new Map<HubSocket['conn'], HubSocket[]>();
    for (const socket of this.sockets()) {
      connections.set(socket.conn, [...(connections.get(socket.conn) ?? []), socket]);
    }
    const eachMs = Math.min(1_000 / SENT_AWAY_PER_SECOND, mostMs / connections.size);
    let sent = 0;
    for (const [connection, sockets] of connections) {
      if (sent > 0 && sent % SENT_AWAY_AT_ONCE === 0) await rest(eachMs * SENT_AWAY_AT_ONCE);
      for (const socket of sockets) socket.emit('server:closing', {});
      connection.close();
      sent += 1;
    }
  }

  /** Closes what is still open. */
  async stop(): Promise<void> {
    clearInterval(this.inspection);
    // One by one: a broadcast leaves the adapter only after `close` has cut the connections.
    for (const socket of this.sockets()) socket.emit('server:closing', {});
    await this.io.close();
  }

  private open(definition: NamespaceDefinition): void {
    const { authenticator, clock, feed, log, overload, traced = false } = this.options;
    const namespace: Namespace = this.io.of(definition.name);
    const broadcaster = broadcasterOf(namespace, definition.onRelay);
    definition.onOpen?.(broadcaster);
    namespace.use((socket, next) => {
      const { token: given } = socket.handshake.auth as { token?: unknown };
      const token = typeof given === 'string' ? given : '';
      authenticator.verifyAccessToken(token).then(
        (authenticated) => {
          socket.data = { ...authenticated, token, windowStart: Date.now(), eventsInWindow: 0 } satisfies SocketData;
          next();
        },
        (error: unknown) => next(refusal(error)),
      );
    });
    namespace.on('connection', (connected) => {
      const socket = connected as unknown as HubSocket;
      void socket.join(userRoom(socket.data.actor.id));
      // Its session may have ended between the check and now, when nobody would have closed it.
      this.recheck(socket);
      dispatchEvents(socket, definition, { authenticator, clock, log, broadcaster, overload, traced });
      socket.on('disconnect', (reason) =>
        socket.data.onEnd?.(reason === 'ping timeout' ? PING_INTERVAL_MS + PING_TIMEOUT_MS : 0),
      );
      definition.onConnect?.(socket.data.actor, connectionOf(socket));
    });
    const { onEvent, listeners = [] } = definition;
    if (onEvent) {
      const emitter = toEach([localEmitter(namespace), ...listeners]);
      feed.subscribe({
        onEvents: (events: DomainEvent[]) => {
          for (const event of events) {
            onEvent(event, event.traceparent === undefined ? emitter : tracedEmitter(emitter, definition.name, event));
          }
        },
        onGap: () => definition.onGap?.(),
      });
    }
  }

  /** Closes a socket whose token is no longer good, and notes the role that it has now. */
  private recheck(socket: HubSocket): void {
    this.options.authenticator.verifyAccessToken(socket.data.token).then(
      ({ actor }) => {
        socket.data.actor = actor;
      },
      (error: unknown) => {
        // A database out of reach proves nothing against the token.
        if ([401, 403].includes(toProblem(error).status)) socket.disconnect(true);
      },
    );
  }

  /** Ends sockets whose token has expired unrenewed, and clients too slow to read what is sent to them. */
  private inspect(): void {
    const now = this.options.clock.now();
    for (const socket of this.sockets()) {
      if (socket.data.expiresAt <= now) {
        socket.emit('session:expired', {});
        socket.disconnect();
      } else if (bufferedPackets(socket) > MAX_BUFFERED_PACKETS) {
        this.options.log.info({ userId: socket.data.actor.id }, 'hub: a client too slow to read was disconnected');
        // An orderly end would wait until the client has read everything, and keep it all until then.
        socket.conn.close(true);
      }
    }
  }

  private *sockets(): Generator<HubSocket> {
    for (const { name } of this.options.namespaces) {
      for (const socket of this.io.of(name).sockets.values()) yield socket;
    }
  }
}

/** Socket.IO hands `data` of a middleware's error to the client as is. */
function refusal(error: unknown): Error {
  const problem = toProblem(error);
  return Object.assign(new Error(problem.title), { data: problem.toJSON(randomUUID()) });
}

function bufferedPackets(socket: HubSocket): number {
  return (socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length;
}
