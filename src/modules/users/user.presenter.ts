import { type Actor } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { type User } from './user.model.js';
import { type limitedAnswer, type userAnswer, type userSummary } from './user.schemas.js';

export type UserAnswer = Infer<typeof userAnswer>;
export type UserSummary = Infer<typeof userSummary>;

/** The fields that a summary is made from. */
export type Summarised = Pick<User, '_id' | 'name' | 'role' | 'headline' | 'avatar' | 'photoHidden'>;
export const SUMMARY_FIELDS = { name: 1, role: 1, headline: 1, avatar: 1, photoHidden: 1 } as const;

/** What stands beside a post or a comment. */
export function summarise(user: Summarised): UserSummary {
  return {
    id: user._id.toHexString(),
    name: user.name,
    role: user.role,
    ...(user.headline != null && { headline: user.headline }),
    ...(user.avatar != null && user.photoHidden !== true && { avatarUrl: pictureUrl(user, user.avatar) }),
  };
}

/** What is left of a profile for those who may not view it. */
export function presentLimited(user: Summarised): Infer<typeof limitedAnswer> {
  const { id, name, role, avatarUrl } = summarise(user);
  return { id, name, role, ...(avatarUrl !== undefined && { avatarUrl }) };
}

/** A profile as the viewer may see it. */
export function presentUser(user: User, viewer: Actor | undefined): UserAnswer {
  const { about } = user;
  const isOwnOrAdmins = viewer !== undefined && (viewer.id === user._id.toHexString() || viewer.role === 'admin');
  return {
    ...summarise(user),
    ...(isOwnOrAdmins && user.avatar != null && { avatarUrl: pictureUrl(user, user.avatar) }),
    locale: user.locale,
    createdAt: user.createdAt,
    ...(about != null && {
      about: { ...(about.en != null && { en: about.en }), ...(about.ar != null && { ar: about.ar }) },
    }),
    ...presentFacts(user),
    ...(user.banner != null && { bannerUrl: pictureUrl(user, user.banner) }),
    ...(isOwnOrAdmins && {
      email: user.email,
      emailVerified: user.emailVerifiedAt != null,
      ...(user.suspendedUntil != null && { suspendedUntil: user.suspendedUntil }),
    }),
  };
}

function presentFacts(user: User) {
  const { location, skills, links, experience, education, openToWork, campus, department, graduationYear } = user;
  const { placement } = user;
  return {
    ...(location != null && { location }),
    ...(skills != null && { skills }),
    ...(links != null && { links }),
    ...(experience != null && { experience }),
    ...(education != null && { education }),
    ...(openToWork != null && { openToWork }),
    ...(campus != null && { campus }),
    ...(department != null && { department }),
    ...(graduationYear != null && { graduationYear }),
    ...(placement != null && {
      placement: { company: placement.company, position: placement.position, startDate: placement.startDate },
    }),
  };
}

function pictureUrl({ _id }: Pick<User, '_id'>, { name }: { name: string }): string {
  return `/api/v1/pictures/${_id.toHexString()}/${name}`;
}
