import { type Limiter } from '../../core/http/limits.js';
import { type Module, type ModuleContext } from '../../core/module.js';
import { type KeyRing } from '../../core/security/key-ring.js';
import { type UserService } from '../users/index.js';
import { sessionEnded, sessionStarted } from './auth.events.js';
import { authModels } from './auth.models.js';
import { authRoutes } from './auth.routes.js';
import { AuthService } from './auth.service.js';
import { SessionCache } from './session-cache.js';
import { SignInGuard } from './sign-in-guard.js';
import { Tokens } from './tokens.js';

export { sessionEnded } from './auth.events.js';
export { authCollections } from './auth.models.js';

/** Registration, sign-in and sessions. */
export function createAuth(
  { database, outbox, clock }: ModuleContext,
  { users, keys, limiter }: { users: UserService; keys: KeyRing; limiter: Limiter },
): Module & { service: AuthService; sessions: SessionCache } {
  const models = authModels(database.connection);
  const tokens = new Tokens(keys, clock);
  const guard = new SignInGuard(limiter);
  const cache = new SessionCache({ tokens, sessions: models.sessions, users, clock });
  const service = new AuthService({ database, outbox, clock, models, users, tokens, guard, cache });
  return {
    service,
    sessions: cache,
    routes: authRoutes(service),
    events: [sessionStarted, sessionEnded],
  };
}
