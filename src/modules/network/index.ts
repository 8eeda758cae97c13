import { type Module, type ModuleContext } from '../../core/module.js';
import { type Visibility } from '../../core/visibility.js';
import { type Peers, type UserService } from '../users/index.js';
import { circleCollection } from './circle.model.js';
import { Circles } from './circles.js';
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
import { dismissalCollection } from './suggestion.model.js';
import { suggestionRoutes } from './suggestion.routes.js';
import { SuggestionService } from './suggestion.service.js';

export { connectionAccepted, connectionEvents, connectionRemoved, connectionRequested } from './connection.events.js';
export { ConnectionTies } from './ties.js';
export { followEnded, followStarted } from './follow.events.js';
export { networkMigrations } from './network.migrations.js';

export const networkCollections = [connectionCollection, circleCollection, followCollection, dismissalCollection];

export interface NetworkOptions {
  users: UserService;
  peers: Peers;
  visibility: Visibility;
}

/** The ties between users. */
export function createNetwork(
  { database, outbox, clock, pager }: ModuleContext,
  { users, peers, visibility }: NetworkOptions,
): Module {
  const circles = new Circles({ database });
  const connections = new ConnectionService({ database, outbox, pager, clock, visibility, circles });
  const follows = new FollowService({ database, outbox, pager, clock, visibility });
  const suggestions = new SuggestionService({ database, clock, peers, circles, visibility });
  const reachable = reachableUsers(users, visibility);
  return {
    routes: [
      ...connectionRoutes({ connections, users, reachable }),
      ...suggestionRoutes(suggestions, reachable),
      ...followRoutes({ follows, users, reachable }),
    ],
    listeners: [tieListener({ connections, follows, visibility })],
    events: [...connectionEvents, ...followEvents],
    personalData: [networkData({ database, users, connections, circles, follows })],
  };
}
