import { defineEvent } from '../../core/events/event.js';
import { list, objectId, oneOf, shape } from '../../core/http/schema.js';
import { messageAnswer } from './chat.schemas.js';
import { CONVERSATION_TYPES } from './conversation.model.js';

/** Not a row of `events`: the message itself. */
export const messageSent = defineEvent('message.sent', messageAnswer);

export const conversationCreated = defineEvent(
  'conversation.created',
  shape({ conversationId: objectId(), type: oneOf(CONVERSATION_TYPES), memberIds: list(objectId()) }),
);

export const chatEvents = [messageSent, conversationCreated];
