import { allow, type Decision, deny } from '../../core/http/policy.js';
import { type Actor } from '../../core/http/route.js';
import { type Entered } from './gate.js';

export const OWNER_ONLY = 'Only its owner may do that.';

/** Who may do what in a group; in a direct conversation there is nobody to be added or removed. */
export function mayLead(_actor: Actor, { type, own }: Entered): Decision {
  if (type === 'direct') return deny('NOT_A_GROUP', 'This is a conversation of two.');
  return own.role === 'member' ? deny('NOT_AN_ADMIN', 'Only its owner and its admins may do that.') : allow();
}

export function mayOwn(_actor: Actor, { type, own }: Entered): Decision {
  if (type === 'direct') return deny('NOT_A_GROUP', 'This is a conversation of two.');
  return own.role === 'owner' ? allow() : deny('NOT_THE_OWNER', OWNER_ONLY);
}

export function mayLeave(_actor: Actor, { type }: Entered): Decision {
  return type === 'group' ? allow() : deny('NOT_A_GROUP', 'This is a conversation of two.');
}
