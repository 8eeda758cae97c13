import { type Module, type ModuleContext } from '../../core/module.js';
import { type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { connectionEvents } from './connection.events.js';
import { connectionCollection } from './connection.model.js';
import { connectionRoutes } from './connection.routes.js';
import { ConnectionService } from './connection.service.js';
import { followEvents } from './follow.events.js';
import { followCollection } from './follow.model.js';
import { followRoutes } from './follow.routes.js';
import { FollowService } from './follow.service.js';
import { networkData } from './network.personal-data.js';
import { tieListener } from './network.listeners.js';
import { reachableUsers } from './people.js';

export { connectionAccepted, connectionEvents, connectionRequested } from './connection.events.js';
export { followStarted } from './follow.events.js';

export const networkCollections = [connectionCollection, followCollection];

/** The ties between users. */
export function createNetwork(
  { database, outbox, clock, pager }: ModuleContext,
  { users, visibility }: { users: UserService; visibility: Visibility },
): Module {
  const connections = new ConnectionService({ database, outbox, pager, clock, visibility });
  const follows = new FollowService({ database, outbox, pager, clock, visibility });
  const reachable = reachableUsers(users, visibility);
  return {
    routes: [...connectionRoutes({ connections, users, reachable }), ...followRoutes({ follows, users, reachable })],
    listeners: [tieListener({ connections, follows, visibility })],
    events: [...connectionEvents, ...followEvents],
    personalData: [networkData({ database, users, connections, follows })],
  };
}
