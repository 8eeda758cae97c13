import { type Module, type ModuleContext } from '../../core/module.js';
import { type UserService } from '../users/index.js';
import { type BlockList } from './block-list.js';
import { userBlocked, userUnblocked } from './block.events.js';
import { blockCollection } from './block.model.js';
import { blockData } from './block.personal-data.js';
import { blockRoutes } from './block.routes.js';
import { BlockService } from './block.service.js';
import { type PermissionService } from './permissions.js';
import { settingsCollection } from './settings.model.js';
import { settingsData } from './settings.personal-data.js';
import { privacySettingsRoutes } from './settings.routes.js';
import { privacyChanged } from './settings.schemas.js';
import { PrivacySettingsService } from './settings.service.js';

export { userBlocked, userUnblocked } from './block.events.js';
export { BlockList } from './block-list.js';
export { type BlockService } from './block.service.js';
export { PermissionService, type Ties } from './permissions.js';
export { privacyMigrations } from './settings.migrations.js';
export { type PrivacySettings } from './settings.model.js';
export { privacyChanged } from './settings.schemas.js';

export const privacyCollections = [blockCollection, settingsCollection];

export interface PrivacyOptions {
  users: UserService;
  blockList: BlockList;
  permissions: PermissionService;
}

/** What users keep to themselves, and from whom. */
export function createPrivacy(
  { database, outbox, clock, pager }: ModuleContext,
  { users, blockList, permissions }: PrivacyOptions,
): Module & { blocks: BlockService } {
  const blocks = new BlockService({ database, outbox, pager, clock, blockList });
  const settings = new PrivacySettingsService({ database, outbox, users, permissions });
  return {
    blocks,
    routes: [...blockRoutes({ blocks, blockList, users }), ...privacySettingsRoutes(settings)],
    events: [userBlocked, userUnblocked, privacyChanged],
    personalData: [blockData({ database, users }), settingsData({ database })],
  };
}
