import { type Module, type ModuleContext } from '../../core/module.js';
import { type UserService } from '../users/index.js';
import { type BlockList } from './block-list.js';
import { userBlocked, userUnblocked } from './block.events.js';
import { blockCollection } from './block.model.js';
import { blockData } from './block.personal-data.js';
import { blockRoutes } from './block.routes.js';
import { BlockService } from './block.service.js';

export { userBlocked, userUnblocked } from './block.events.js';
export { BlockList } from './block-list.js';

export const privacyCollections = [blockCollection];

/** What users keep to themselves, and from whom. */
export function createPrivacy(
  { database, outbox, clock, pager }: ModuleContext,
  { users, blockList }: { users: UserService; blockList: BlockList },
): Module {
  const blocks = new BlockService({ database, outbox, pager, clock, blockList });
  return {
    routes: blockRoutes({ blocks, blockList, users }),
    events: [userBlocked, userUnblocked],
    personalData: [blockData({ database, users })],
  };
}
