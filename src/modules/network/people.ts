import { type Visibility } from '../../core/visibility.js';
import { type User, type UserService, type UserSummary } from '../users/index.js';

/** A user as another one may find them: absent where there is none, or where one of the two has blocked the other. */
export type Reachable = (actorId: string, userId: string) => Promise<User | undefined>;

export function reachableUsers(users: UserService, visibility: Visibility): Reachable {
  return async (actorId, userId) => {
    const [user, hidden] = await Promise.all([users.find(userId), visibility.areHidden(actorId, userId)]);
    return hidden ? undefined : user;
  };
}

/** Stands in for someone whose account is gone. */
export function personOf(people: Map<string, UserSummary>, id: string): UserSummary {
  return people.get(id) ?? { id, name: 'Deleted user', role: 'student' };
}
