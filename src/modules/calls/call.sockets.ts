import { isEvent } from '../../core/events/event.js';
import { shape } from '../../core/http/schema.js';
import { type Log } from '../../core/observability/log.js';
import {
  clientEvent,
  type ClientEvent,
  type Connection,
  type LocalEmitter,
  type NamespaceDefinition,
  userRoom,
} from '../../core/realtime/namespace.js';
import { SerialByKey } from '../../core/serial.js';
import { type Visibility } from '../../core/visibility.js';
import { type Actor } from '../../core/http/route.js';
import { type CallDevices } from './call.devices.js';
import { type CallFacts, callInitiated, isCallEvent } from './call.events.js';
import { type CallDevice } from './call.model.js';
import { presentCall } from './call.presenter.js';
import { callAnswer, callPayload, signalPayload, signalSaid, startPayload } from './call.schemas.js';
import { type CallService } from './call.service.js';

export interface CallNamespaceDeps {
  calls: CallService;
  devices: CallDevices;
  visibility: Pick<Visibility, 'hiddenFrom'>;
  log: Log;
}

/** Calls as they come and go, and what the devices in them say to each other to find a way between them. */
export function callNamespace({ calls, devices, visibility, log }: CallNamespaceDeps): NamespaceDefinition {
  const inOrder = new SerialByKey();
  const acknowledgement = shape({ call: callAnswer });

  const acknowledge = async ({ id }: Actor, call: CallFacts) => {
    return { call: presentCall(call, id, await visibility.hiddenFrom(id)) };
  };
  /** Whatever puts the connection at hand into a call. */
  const enter = async (
    actor: Actor,
    connection: Connection,
    into: (device: CallDevice) => Promise<CallFacts>,
  ): Promise<object> => {
    const call = await into(devices.describe(actor, connection));
    devices.watch(actor, connection, call.id);
    return acknowledge(actor, call);
  };
  const entering = (summary: string, into: 'accept' | 'resume'): ClientEvent =>
    clientEvent({
      summary,
      payload: callPayload,
      acknowledgement,
      handle: ({ actor, payload, connection }) =>
        enter(actor, connection, (device) => calls[into](actor.id, payload.callId, device)),
    });
  const ending = (summary: string, action: 'reject' | 'leave'): ClientEvent =>
    clientEvent({
      summary,
      payload: callPayload,
      acknowledgement,
      handle: async ({ actor, payload }) => acknowledge(actor, await calls.end(actor.id, payload.callId, action)),
    });
  const show = async (call: CallFacts, rung: readonly string[], audience: string[], emitter: LocalEmitter) => {
    for (const userId of audience) {
      const hidden = await visibility.hiddenFrom(userId);
      const rings = rung.includes(userId);
      if (rings && hidden.has(call.callerId)) continue;
      emitter.emit(userRoom(userId), rings ? 'call:incoming' : 'call:updated', presentCall(call, userId, hidden));
    }
  };

  return {
    name: '/calls',
    summary: 'Voice and video calls: who rings whom, and the signals by which their devices connect.',
    clientEvents: {
      'call:start': clientEvent({
        summary:
          'Calls up to seven others from this connection. It rings on all their devices for 30 s; who is in another ' +
          'call is `busy`. Calling someone who rings at this moment answers that call instead.',
        payload: startPayload,
        acknowledgement,
        handle: ({ actor, payload, connection }) =>
          enter(actor, connection, (device) => calls.start(actor.id, payload, device)),
      }),
      'call:accept': entering(
        'Answers from this connection; the first device to do so is in the call, and the others stop ringing. Whoever ' +
          'joins makes an offer to each who is in the call already.',
        'accept',
      ),
      'call:resume': entering(
        'Goes on in a call from this connection: within 20 s after the last one was lost, or in its place. Whoever ' +
          'comes back makes an offer to each of the others.',
        'resume',
      ),
      'call:reject': ending('Does not want to answer: all devices stop ringing.', 'reject'),
      'call:end': ending('Leaves a call, from whatever device; it ends when fewer than two are left.', 'leave'),
      'call:signal': clientEvent({
        summary:
          'Says something to the device by which another participant is in the call, from the one by which one is in it ' +
          'oneself. Candidates are best sent together: each event counts for the limit of this connection.',
        payload: signalPayload,
        async handle({ actor, payload, connection, broadcaster }) {
          const { callId, data } = payload;
          const socketId = await calls.addresseeOf(actor.id, connection.id, payload);
          // Every connection is alone in a room of its own name.
          broadcaster.broadcast(socketId, 'call:signal', { callId, from: actor.id, data });
          return undefined;
        },
      }),
    },
    serverEvents: {
      'call:incoming': { summary: 'A call rings.', payload: callAnswer },
      'call:updated': { summary: 'A call that one is in, or that rang, is another now.', payload: callAnswer },
      'call:signal': { summary: 'Another participant’s device says something to this one.', payload: signalSaid },
    },
    onEvent(event, emitter) {
      if (!isCallEvent(event)) return;
      const { call, userIds } = event.data;
      const audience = (event.audience.userIds ?? []).filter((userId) => emitter.has(userRoom(userId)));
      if (audience.length === 0) return;
      const rung = isEvent(event, callInitiated) ? userIds : [];
      inOrder
        .run(call.id, () => show(call, rung, audience, emitter))
        .catch((error: unknown) => log.warn({ err: error }, 'calls: a change could not be shown'));
    },
  };
}
