import { type Listener } from '../../core/events/listener.js';
import { type Draft, type NotificationWriter } from './notification.writer.js';
import { textOf } from './texts.js';
import { type Occasion, occasionOf, triggers } from './triggers.js';

/** Writes the notifications that events give occasion to. */
export function notificationListener(writer: NotificationWriter): Listener {
  return {
    name: 'notifications',
    types: triggers.map(({ event }) => event),
    async handle(events, session) {
      const drafts = events.flatMap((event) => {
        const occasion = occasionOf(event);
        return occasion ? draftsOf(occasion) : [];
      });
      if (drafts.length > 0) await writer.write(session, drafts);
    },
  };
}

function draftsOf(occasion: Occasion): Draft[] {
  const { type, actorId, entity, deepLink, dedupeKey, groupKey, excerpt, reaction, security, channels, mailTo, about } =
    occasion;
  const facts = { excerpt, ...(reaction !== undefined && { reaction }), ...(security && { security }) };
  return occasion.recipientIds.map((userId) => ({
    userId,
    type,
    actorId,
    entity,
    deepLink,
    dedupeKey,
    groupKey,
    data: facts,
    ...(about && { about }),
    ...(channels && { channels }),
    ...(mailTo !== undefined && { mailTo }),
    text: (recipient, actor) => textOf(type, recipient.locale, { ...facts, actor: actor?.name ?? '' }),
  }));
}
