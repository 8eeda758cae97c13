import Joi from 'joi';
import { anyOf, instant, named, objectId, type Schema, shape, text } from '../../core/http/schema.js';
import { userSummary } from '../users/index.js';

const HASHTAG = /^#?[\p{L}\p{M}\p{N}_]{1,100}$/u;

/** A hashtag in any script, with or without its sign: without it and in lower case from here on. */
function hashtag(): Schema<string> {
  return Joi.string()
    .max(101)
    .pattern(HASHTAG)
    .custom((value: string) => value.normalize('NFC').replace('#', '').toLowerCase())
    .messages({ 'string.pattern.base': 'must be a hashtag of letters, digits and underscores' });
}

export const followBody = named('FollowTarget', anyOf([shape({ userId: objectId() }), shape({ hashtag: hashtag() })]));

/** What one follows: either a user or a hashtag. */
export const followingAnswer = named(
  'Following',
  shape({ id: objectId(), createdAt: instant() }, { user: userSummary, hashtag: text() }),
);

export const followerAnswer = named('Follower', shape({ id: objectId(), user: userSummary, createdAt: instant() }));
