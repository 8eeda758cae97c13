import { SpanKind } from '@opentelemetry/api';
import { type Namespace } from 'socket.io';
import { beginAfter, type Cause } from '../observability/tracing.js';
import { type Broadcaster, type LocalEmitter } from './namespace.js';

/** Names of what nodes send each other; clients have no part in it. */
const BROADCAST = 'broadcast';
const RELAY = 'relay';

interface Broadcast {
  room: string;
  event: string;
  payload: unknown;
  except: string[];
}

/** Reaches those of a namespace who are connected here. */
export function localEmitter(namespace: Namespace): LocalEmitter {
  return {
    has: (room) => namespace.adapter.rooms.has(room),
    emit: (rooms, event, payload, { except = [] } = {}) =>
      void namespace.local.to(rooms).except(except).emit(event, payload),
    evict: (room, from) => namespace.local.in(room).socketsLeave(from),
  };
}

/**
 * Reaches those of a namespace on every node. The adapter's own broadcast would tell even this node's clients only once
 * it is written, and nobody where that fails: here they are told at once, and the other nodes by one insert.
 */
export function broadcasterOf(namespace: Namespace, onRelay?: (message: unknown) => void): Broadcaster {
  const local = localEmitter(namespace);
  namespace.on(BROADCAST, ({ room, event, payload, except }: Broadcast) =>
    local.emit(room, event, payload, { except }),
  );
  if (onRelay) namespace.on(RELAY, onRelay);
  return {
    broadcast(room, event, payload, { except = [] } = {}) {
      local.emit(room, event, payload, { except });
      namespace.serverSideEmit(BROADCAST, { room, event, payload, except } satisfies Broadcast);
    },
    relay: (message) => void namespace.serverSideEmit(RELAY, message),
  };
}

/** Shows in the traces of an event what its clients here are told of it; where nobody listens, there is nothing to show. */
export function tracedEmitter(emitter: LocalEmitter, namespace: string, cause: Cause): LocalEmitter {
  return {
    has: (room) => emitter.has(room),
    evict: (room, from) => emitter.evict(room, from),
    emit(rooms, event, payload, options) {
      const isHeard = [rooms].flat().some((room) => emitter.has(room));
      const attributes = { 'atrium.namespace': namespace };
      const traced = isHeard
        ? beginAfter([cause], { name: `emit ${event}`, kind: SpanKind.PRODUCER, attributes })
        : undefined;
      emitter.emit(rooms, event, payload, options);
      traced?.end();
    },
  };
}
