import { defineEvent } from '../../core/events/event.js';
import { objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { FOLLOWED_KINDS } from './follow.model.js';

const facts = shape({ followId: objectId(), followerId: objectId(), kind: oneOf(FOLLOWED_KINDS), target: text() });

export const followStarted = defineEvent('follow.started', facts);
export const followEnded = defineEvent('follow.ended', facts);

export const followEvents = [followStarted, followEnded];
