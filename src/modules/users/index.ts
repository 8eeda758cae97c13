import { type Module, type ModuleContext } from '../../core/module.js';
import { userCreated, userUpdated } from './user.events.js';
import { userModel } from './user.model.js';
import { userRoutes } from './user.routes.js';
import { UserService } from './user.service.js';

export { userCreated, userUpdated } from './user.events.js';
export { type Locale, LOCALES, type Role, ROLES, type User, userCollections } from './user.model.js';
export { presentUser, type UserSummary } from './user.presenter.js';
export { userAnswer, userSummary } from './user.schemas.js';
export { type Contact, type UserService } from './user.service.js';

/** Accounts and profiles. */
export function createUsers({ database, outbox, clock }: ModuleContext): Module & { service: UserService } {
  const service = new UserService({ database, users: userModel(database.connection), outbox, clock });
  return { service, routes: userRoutes(service), events: [userCreated, userUpdated] };
}
