import { type Request, type Response } from 'express';
import { type Clock, SECOND } from '../clock.js';
import { type FeedSubscriber } from '../events/feed.js';
import { Problem, unauthorized, unavailable } from '../http/problem.js';
import { toProblem } from '../http/problem-mapping.js';
import { type Actor } from '../http/route.js';
import { type Log } from '../observability/log.js';
import { type Authenticator } from '../security/authenticator.js';
import { type Connections } from './connections.js';
import { EventStream, type Missed } from './event-stream.js';
import { type EmitOptions, type LocalEmitter, userRoom } from './namespace.js';

export interface EventStreamsOptions {
  authenticator: Authenticator;
  /** Tokens live by it; heartbeats do not. */
  clock: Clock;
  log: Log;
  /** A sign of life is sent this often, in milliseconds: more often than proxies give a silent connection up. */
  heartbeatMs?: number;
}

export interface OpenStream {
  actor: Actor;
  request: Request;
  response: Response;
  /** What came while the client was away. It is asked once the stream hears whatever comes from then on. */
  missed: () => Promise<Missed>;
}

/** Of one user on one node: as many as tabs that anyone keeps open. */
const MOST_PER_USER = 5;
/** What is shown while a stream opens makes it look again, so often; then its client is asked to. */
const MOST_LOOKS = 5;
const INSPECTION_MS = 1_000;

/** The clients of this node that read events over HTTP instead of a socket: they are told what sockets are told. */
export class EventStreams implements LocalEmitter, Connections, FeedSubscriber {
  private readonly rooms = new Map<string, Set<EventStream>>();
  private readonly timers: NodeJS.Timeout[] = [];
  private stopped = false;

  constructor(private readonly options: EventStreamsOptions) {}

  /** How many there are. */
  get size(): number {
    return [...this.streams()].length;
  }

  start(): void {
    const { heartbeatMs = 20 * SECOND } = this.options;
    const beat = (): void => {
      for (const stream of this.streams()) stream.beat();
    };
    this.timers.push(
      setInterval(beat, heartbeatMs),
      setInterval(() => this.inspect(), INSPECTION_MS),
    );
  }

  /** Tells every client to come back elsewhere, and ends. */
  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    for (const stream of this.streams()) stream.end('server:closing');
  }

  /**
   * Answers a request with a stream of what its user is told, and first with what was missed.
   * @throws Problem 401 where the session has ended meanwhile, 429 `TOO_MANY_STREAMS`, 503 where the node stops
   */
  async open({ actor, request, response, missed }: OpenStream): Promise<void> {
    if (this.isStopped()) throw stopping();
    const room = userRoom(actor.id);
    const streams = this.rooms.get(room) ?? new Set();
    if (streams.size >= MOST_PER_USER) throw tooManyStreams();
    const token = request.get('authorization')?.replace(/^Bearer /i, '') ?? '';
    const stream = new EventStream(actor, token, response);
    // From here on it hears everything: what is committed after this is told, and what was before is among the missed.
    this.rooms.set(room, streams.add(stream));
    const forget = (): void => this.forget(room, stream);
    response.once('close', forget);
    try {
      // Once more: its session may have ended between the check and now, when nobody would have closed it.
      stream.expiresAt = (await this.options.authenticator.verifyAccessToken(token)).expiresAt;
      let first = await missed();
      for (let looks = 1; stream.isUncertain && looks < MOST_LOOKS; looks += 1) {
        stream.startAnew();
        first = await missed();
      }
      const isUncertain = stream.isUncertain;
      if (!stream.isOpen) throw this.isStopped() ? stopping() : unauthorized();
      stream.begin(first);
      if (isUncertain) stream.say({ event: 'resync', payload: {} });
    } catch (error) {
      forget();
      throw error;
    }
  }

  has(room: string): boolean {
    return this.rooms.has(room);
  }

  emit(rooms: string | string[], event: string, payload: unknown, { position, since }: EmitOptions = {}): void {
    const told = new Set([rooms].flat().flatMap((room) => [...(this.rooms.get(room) ?? [])]));
    for (const stream of told) stream.say({ event, payload, position, since });
  }

  evict(): void {
    // A stream is in the room of its user only.
  }

  disconnectSession(sessionId: string): void {
    for (const stream of this.streams()) if (stream.actor.sessionId === sessionId) stream.end();
  }

  recheckUser(userId: string): void {
    for (const stream of this.rooms.get(userRoom(userId)) ?? []) this.recheck(stream);
  }

  onEvents(): void {
    // What is said here is said by whoever understands the events.
  }

  /** Among the missed events may be the end of a session, and anything that should have been shown. */
  onGap(): void {
    for (const stream of this.streams()) {
      this.recheck(stream);
      stream.say({ event: 'resync', payload: {} });
    }
  }

  /** Ends a stream whose token is no longer good. */
  private recheck(stream: EventStream): void {
    this.options.authenticator.verifyAccessToken(stream.token).catch((error: unknown) => {
      // A database out of reach proves nothing against the token.
      if ([401, 403].includes(toProblem(error).status)) stream.end();
    });
  }

  /**
   * Ends streams whose token has expired, and whose clients are too slow to read what is sent to them. They come back,
   * with a fresh token, and miss nothing.
   */
  private inspect(): void {
    const { clock, log } = this.options;
    const now = clock.now();
    for (const stream of this.streams()) {
      if (stream.expiresAt && stream.expiresAt <= now) stream.end('session:expired');
      else if (stream.isSlow) {
        log.info({ userId: stream.actor.id }, 'streams: a client too slow to read was disconnected');
        stream.cut();
      }
    }
  }

  private forget(room: string, stream: EventStream): void {
    const streams = this.rooms.get(room);
    streams?.delete(stream);
    if (streams?.size === 0) this.rooms.delete(room);
  }

  private isStopped(): boolean {
    return this.stopped;
  }

  private *streams(): Generator<EventStream> {
    for (const streams of this.rooms.values()) yield* streams;
  }
}

function tooManyStreams(): Problem {
  const detail = `There are ${MOST_PER_USER} streams of yours already. Close one first.`;
  return new Problem({ status: 429, code: 'TOO_MANY_STREAMS', detail, headers: { 'Retry-After': '5' } });
}

function stopping(): Problem {
  return unavailable('SERVER_CLOSING', 'This node stops. Try again, on another one.', 1);
}
