import { SpanKind } from '@opentelemetry/api';
import { type Socket } from 'socket.io';
import { type Authenticated, type Authenticator } from '../security/authenticator.js';
import { type Clock } from '../clock.js';
import { badRequest, forbidden, isOurFault, tooManyRequests, unauthorized } from '../http/problem.js';
import { toProblem } from '../http/problem-mapping.js';
import { type Log } from '../observability/log.js';
import { type Overload } from '../overload.js';
import { withRequest } from '../observability/request-context.js';
import { beginTrace, untilItsEnd } from '../observability/tracing.js';
import { randomUUID } from 'node:crypto';
import {
  type Broadcaster,
  clientEvent,
  type ClientEvent,
  type Connection,
  type NamespaceDefinition,
} from './namespace.js';
import { PROBLEM_EVENT, renewal, type Renewal } from './standard-events.js';

/** What the hub keeps with each socket. */
export interface SocketData extends Authenticated {
  token: string;
  windowStart: number;
  eventsInWindow: number;
  onEnd?: (silentMs: number) => void;
}

export type HubSocket = Socket<
  Record<string, never>,
  Record<string, (payload: unknown) => void>,
  Record<string, never>,
  SocketData
>;

type Acknowledge = (answer: object) => void;

const WINDOW_MS = 10_000;
const EVENTS_PER_WINDOW = 100;

export interface DispatchServices {
  authenticator: Authenticator;
  clock: Clock;
  log: Log;
  broadcaster: Broadcaster;
  /** Lets in as many events at once as are answered in time. */
  overload: Overload;
  traced: boolean;
}

/**
 * Answers everything that clients send on a namespace: each event is counted, validated, handled and acknowledged
 * with `{ ok: true, … }` or `{ ok: false, error: problem }`. What comes without an acknowledgement callback and
 * fails is answered with a `problem` event, so that nothing is dropped silently.
 */
export function dispatchEvents(socket: HubSocket, definition: NamespaceDefinition, services: DispatchServices): void {
  const { authenticator, log, overload, traced } = services;
  const events: Record<string, ClientEvent> = {
    ...definition.clientEvents,
    [renewal.name]: renewSession(socket, authenticator),
  };

  // The protocol allows numbers as names.
  socket.onAny((given: string | number, ...args: unknown[]) => {
    const name = String(given);
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (args.pop() as Acknowledge) : undefined;
    const requestId = randomUUID();
    const fail = (error: unknown): void => {
      const problem = toProblem(error);
      if (isOurFault(problem)) log.error({ err: error, code: problem.code, event: name }, 'socket: an event failed');
      const body = problem.toJSON(requestId);
      if (acknowledge) acknowledge({ ok: false, error: body });
      else socket.emit(PROBLEM_EVENT, { event: name, error: body });
    };

    if (isOverLimit(socket.data)) {
      fail(tooManyRequests(WINDOW_MS / 1_000));
      socket.disconnect(true);
      return;
    }
    withRequest({ requestId, userId: socket.data.actor.id }, () => {
      const work = () => overload.run(() => answer(events, socket, name, args, services));
      // Only of a name that is known: anybody may send any.
      const isTraced = traced && Object.hasOwn(events, name);
      (isTraced ? inTrace(`${definition.name} ${name}`, work) : work()).then(
        (result) => acknowledge?.({ ...result, ok: true }),
        fail,
      );
    });
  });
}

function inTrace<T>(name: string, work: () => Promise<T>): Promise<T> {
  const traced = beginTrace({ name, kind: SpanKind.SERVER });
  return traced ? untilItsEnd(traced, work) : work();
}

async function answer(
  events: Record<string, ClientEvent>,
  socket: HubSocket,
  name: string,
  args: unknown[],
  { clock, broadcaster }: DispatchServices,
): Promise<object | undefined> {
  const event = Object.hasOwn(events, name) ? events[name] : undefined;
  if (!event) throw badRequest('UNKNOWN_EVENT', 'This namespace knows no event of that name.');
  if (args.length > 1) throw badRequest('VALIDATION_FAILED', 'An event carries one payload.');
  if (socket.data.expiresAt <= clock.now() && name !== renewal.name) {
    throw unauthorized('TOKEN_EXPIRED', 'The access token has expired; send session:renew.');
  }
  const { value, error } = event.payload.validate(args[0] ?? {}, {
    abortEarly: false,
    convert: false,
    errors: { label: false },
  }) as { value: unknown; error?: Error };
  if (error) throw error;
  return event.handle({
    actor: socket.data.actor,
    payload: value,
    broadcaster,
    connection: connectionOf(socket),
  });
}

/** What a module may do with a socket. */
export function connectionOf(socket: HubSocket): Connection {
  return {
    id: socket.id,
    join: (room) => void socket.join(room),
    leave: (room) => void socket.leave(room),
    send: (event, payload) => void socket.emit(event, payload),
    onEnd: (listener) => {
      socket.data.onEnd = listener;
      if (socket.disconnected) listener(0);
    },
  };
}

/** A client sends a fresh token before the old one ends and stays connected. */
function renewSession(socket: HubSocket, authenticator: Authenticator): ClientEvent {
  return clientEvent<Renewal>({
    ...renewal,
    async handle({ payload }) {
      const authenticated = await authenticator.verifyAccessToken(payload.token);
      if (authenticated.actor.id !== socket.data.actor.id) {
        throw forbidden('OTHER_USER', 'The token belongs to another user.');
      }
      Object.assign(socket.data, authenticated, { token: payload.token });
      return { expiresAt: authenticated.expiresAt.toISOString() };
    },
  });
}

function isOverLimit(data: SocketData): boolean {
  const now = Date.now();
  if (now - data.windowStart >= WINDOW_MS) {
    data.windowStart = now;
    data.eventsInWindow = 0;
  }
  data.eventsInWindow += 1;
  return data.eventsInWindow > EVENTS_PER_WINDOW;
}
