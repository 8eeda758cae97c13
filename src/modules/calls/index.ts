import { type Limiter } from '../../core/http/limits.js';
import { type Module, type ModuleContext } from '../../core/module.js';
import { type Nodes } from '../../core/realtime/nodes.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { CallDevices } from './call.devices.js';
import { callEvents } from './call.events.js';
import { callListener } from './call.listeners.js';
import { callCollection, callSeatCollection } from './call.model.js';
import { callData } from './call.personal-data.js';
import { callRoutes } from './call.routes.js';
import { CallService } from './call.service.js';
import { callNamespace } from './call.sockets.js';
import { CallStore } from './call.store.js';
import { CallTimer } from './call.timer.js';
import { IceServers, type IceSettings } from './ice-servers.js';

export { callAnswered, callEnded, callInitiated, callMissed, callRejected } from './call.events.js';
export { type CallDevices } from './call.devices.js';
export { type CallTimer } from './call.timer.js';
export { type IceSettings } from './ice-servers.js';

export const callCollections = [callCollection, callSeatCollection];

export interface CallOptions {
  users: UserService;
  visibility: Visibility;
  permissions: Permissions;
  limiter: Limiter;
  /** Those that serve sockets. */
  nodes: Nodes;
  ice: IceSettings;
}

/** Voice and video calls: only their signals pass here, what is said goes from device to device. */
export function createCalls(
  { database, outbox, pager, clock, log }: ModuleContext,
  { users, visibility, permissions, limiter, nodes, ice }: CallOptions,
): Module & { devices: CallDevices; timer: CallTimer } {
  const store = new CallStore({ database, outbox, users });
  const calls = new CallService({ database, store, users, visibility, permissions, limiter, pager, clock });
  const devices = new CallDevices({ store, nodes, clock, log });
  return {
    devices,
    timer: new CallTimer({ store, clock, log }),
    routes: callRoutes({ calls, store, visibility, iceServers: new IceServers({ settings: ice, clock }) }),
    namespaces: [callNamespace({ calls, devices, visibility, log })],
    listeners: [callListener({ store, visibility, clock })],
    personalData: [callData({ store, clock })],
    events: callEvents,
  };
}
