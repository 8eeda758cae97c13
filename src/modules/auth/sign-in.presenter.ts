import { presentUser } from '../users/index.js';
import { type SignedIn } from './session.service.js';

/** A session that has begun: the user as they see themselves, and the tokens. */
export function presentSignIn({ user, ...tokens }: SignedIn) {
  return { user: presentUser(user, { id: user._id.toHexString(), role: user.role, sessionId: '' }), ...tokens };
}
