import { defineEvent } from '../../core/events/event.js';
import { list, objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { placementBody } from './profile.schemas.js';
import { LOCALES, ROLES, type User } from './user.model.js';

const facts = { userId: objectId(), name: text(), role: oneOf(ROLES), locale: oneOf(LOCALES) };

export const userCreated = defineEvent('user.created', shape(facts));

/**
 * Carries the user as it now is, and the names of the fields that changed; whoever keeps a copy of any of it drops
 * that copy.
 */
export const userUpdated = defineEvent('user.updated', shape({ ...facts, changed: list(text()) }), { traced: true });

/** Found a position. Carries what a post about it and the choice of whom to tell need: the cohort as well. */
export const userPlaced = defineEvent(
  'user.placed',
  shape(
    { ...facts, placement: placementBody },
    { previous: placementBody, campus: text(), department: text(), graduationYear: whole() },
  ),
);

/** A picture was replaced or taken away; its file is of no more use. */
export const userPictureDropped = defineEvent(
  'user.pictureDropped',
  shape({ userId: objectId(), kind: oneOf(['avatar', 'banner']), file: text() }),
);

/** An account was given up by its owner: hidden from now on, erased later. Names the user and nothing else. */
export const userDeleted = defineEvent('user.deleted', shape({ userId: objectId() }), { traced: true });
/** Its owner came back in time. */
export const userRestored = defineEvent('user.restored', shape({ userId: objectId() }), { traced: true });
/** Nothing is left of the account. */
export const userErased = defineEvent('user.erased', shape({ userId: objectId() }));

export const userEvents = [
  userCreated,
  userUpdated,
  userPlaced,
  userPictureDropped,
  userDeleted,
  userRestored,
  userErased,
];

/** What events about a user have in common. */
export function factsOf(user: Pick<User, '_id' | 'name' | 'role' | 'locale'>) {
  return { userId: user._id.toHexString(), name: user.name, role: user.role, locale: user.locale };
}

/** To whom an event about a user matters: the user. */
export function about(userId: string) {
  return { entity: { kind: 'user', id: userId }, audience: { userIds: [userId] } };
}
