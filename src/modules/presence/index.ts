import { type Module, type ModuleContext } from '../../core/module.js';
import { type Nodes } from '../../core/realtime/nodes.js';
import { type PermissionService } from '../privacy/index.js';
import { Devices } from './devices.js';
import { News } from './news.js';
import { presenceCollection } from './presence.model.js';
import { presenceData } from './presence.personal-data.js';
import { presenceNamespace } from './presence.sockets.js';
import { PresenceStore } from './presence.store.js';
import { Watching } from './watching.js';

export const presenceCollections = [presenceCollection];

export interface PresenceOptions {
  permissions: Pick<PermissionService, 'canSeePresence'>;
  nodes: Nodes;
}

/** Who is here, on whatever devices, told to those who may see it and have asked. */
export function createPresence(
  { database, log }: ModuleContext,
  { permissions, nodes }: PresenceOptions,
): Module & { stop: () => Promise<void> } {
  const store = new PresenceStore({ database });
  const watching = new Watching({
    read: (userIds) => store.read(userIds),
    maySee: (viewerId, userId) => permissions.canSeePresence(viewerId, userId),
  });
  const news = new News({ store, watching, log });
  const devices = new Devices({
    ...{ store, nodes, log },
    onChanged: (changed) => news.tell(changed),
    onNodeGone: () => news.tellNodeGone(),
  });
  return {
    routes: [],
    events: [],
    personalData: [presenceData({ database })],
    namespaces: [
      presenceNamespace({
        ...{ devices, watching, log },
        onOpen: (broadcaster) => news.open(broadcaster),
        onNews: (told) => news.hear(told),
      }),
    ],
    /** Before the sockets end: whoever comes back elsewhere is written there and not here. */
    async stop() {
      await devices.stop();
      await news.close();
    },
  };
}
