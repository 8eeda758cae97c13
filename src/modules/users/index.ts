import { type Module, type ModuleContext } from '../../core/module.js';
import { type Storage } from '../../core/storage/storage.js';
import { type Connections, type Permissions, type Visibility } from '../../core/visibility.js';
import { userRoleChanged, userSuspended } from './account-status.js';
import { Audiences } from './audience.js';
import { DeletionService } from './deletion.service.js';
import { Directory } from './directory.js';
import { Peers } from './peers.js';
import { pictureRoutes } from './picture.routes.js';
import { pictureListener, PictureService } from './picture.service.js';
import { userEvents } from './user.events.js';
import { userModel } from './user.model.js';
import { userData } from './user.personal-data.js';
import { userRoutes } from './user.routes.js';
import { UserService } from './user.service.js';

export { type AccountDecision, AccountStatus, userRoleChanged, userSuspended } from './account-status.js';
export { type Audience, audienceAnswer, audienceBody, Audiences } from './audience.js';
export { type Peer, type Peers } from './peers.js';
export { type ClaimedErasure, DeletionService } from './deletion.service.js';
export { Departed } from './departed.js';
export { userCreated, userDeleted, userErased, userPlaced, userRestored, userUpdated } from './user.events.js';
export { userMigrations } from './user.migrations.js';
export {
  type Locale,
  LOCALES,
  type ProfileAudience,
  type Role,
  ROLES,
  type User,
  userCollections,
} from './user.model.js';
export { presentUser, type UserSummary } from './user.presenter.js';
export { userAnswer, userSummary } from './user.schemas.js';
export { type Contact, isSamePlacement, type UserService } from './user.service.js';

export interface UserOptions {
  /** Where pictures are kept. */
  storage: Storage;
  /** Who does not exist for whom. */
  visibility: Visibility;
  /** Who may see whose profile. */
  permissions: Permissions;
  /** Who is connected with whom, for the directory. */
  connections: Connections;
}

/** Accounts and profiles. */
export function createUsers(
  { database, outbox, pager, clock }: ModuleContext,
  { storage, visibility, permissions, connections }: UserOptions,
): Module & { service: UserService; peers: Peers; audiences: Audiences; deletions: DeletionService } {
  const service = new UserService({ database, users: userModel(database.connection), outbox, clock });
  const directory = new Directory({ database, pager, visibility, connections });
  const pictures = new PictureService({ users: service, storage, outbox });
  return {
    service,
    peers: new Peers({ database }),
    audiences: new Audiences({ database }),
    deletions: new DeletionService({ database, outbox, clock }),
    personalData: [userData({ database, storage })],
    routes: [...userRoutes({ users: service, directory, visibility, permissions }), ...pictureRoutes(pictures)],
    listeners: [pictureListener(storage)],
    events: [...userEvents, userSuspended, userRoleChanged],
  };
}
