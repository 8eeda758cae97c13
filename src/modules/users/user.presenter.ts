import { type Actor } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { type User } from './user.model.js';
import { type userAnswer, type userSummary } from './user.schemas.js';

export type UserAnswer = Infer<typeof userAnswer>;
export type UserSummary = Infer<typeof userSummary>;

/** What stands beside a post or a comment. */
export function summarise(user: Pick<User, '_id' | 'name' | 'role' | 'headline'>): UserSummary {
  return {
    id: user._id.toHexString(),
    name: user.name,
    role: user.role,
    ...(user.headline != null && { headline: user.headline }),
  };
}

/** A profile as the viewer may see it. */
export function presentUser(user: User, viewer: Actor | undefined): UserAnswer {
  const { about } = user;
  const maySeeEmail = viewer !== undefined && (viewer.id === user._id.toHexString() || viewer.role === 'admin');
  return {
    ...summarise(user),
    locale: user.locale,
    createdAt: user.createdAt,
    ...(about != null && {
      about: { ...(about.en != null && { en: about.en }), ...(about.ar != null && { ar: about.ar }) },
    }),
    ...(user.location != null && { location: user.location }),
    ...(maySeeEmail && { email: user.email }),
  };
}
