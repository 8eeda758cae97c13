import { badRequest } from '../../core/http/problem.js';
import { type Entered } from './gate.js';

/**
 * Whoever is named must be in the conversation, and known to whoever names them.
 * @throws Problem 400 `UNKNOWN_MENTION`
 */
export function mustBeNameable({ members, hidden }: Entered, userIds: readonly string[]): void {
  if (userIds.some((id) => !members.has(id) || hidden.has(id))) {
    throw badRequest('UNKNOWN_MENTION', 'A message can mention members of its conversation only.');
  }
}
