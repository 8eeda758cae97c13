import { type Module, type ModuleContext } from '../../core/module.js';
import { type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { connectionEvents } from './connection.events.js';
import { connectionCollection } from './connection.model.js';
import { connectionRoutes } from './connection.routes.js';
import { ConnectionService } from './connection.service.js';
import { reachableUsers } from './people.js';

export { connectionAccepted, connectionRejected, connectionRemoved, connectionRequested } from './connection.events.js';

export const networkCollections = [connectionCollection];

/** The ties between users. */
export function createNetwork(
  { database, outbox, clock, pager }: ModuleContext,
  { users, visibility }: { users: UserService; visibility: Visibility },
): Module {
  const connections = new ConnectionService({ database, outbox, pager, clock, visibility });
  const reachable = reachableUsers(users, visibility);
  return {
    routes: connectionRoutes({ connections, users, reachable }),
    events: connectionEvents,
  };
}
