import { type DomainEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Draft, type NotificationWriter } from './notification.writer.js';
import { textOf } from './texts.js';
import { type Occasion, occasionOf, triggeringEvents, undoneOf } from './triggers.js';
import { type Withdrawal, type Withdrawals } from './withdrawals.js';

/**
 * Writes the notifications that events give occasion to, and withdraws those whose cause they undo. Of several events
 * about the same occurrence, which come in the order in which they happened, the last one tells how it stands.
 */
export function notificationListener(writer: NotificationWriter, withdrawals: Withdrawals): Listener {
  return {
    name: 'notifications',
    types: triggeringEvents,
    async handle(events, session) {
      const last = new Map<string, { draft: Draft } | { withdrawal: Withdrawal }>();
      const keep = (of: { userId: string; dedupeKey: string }, what: { draft: Draft } | { withdrawal: Withdrawal }) => {
        last.set(`${of.userId} ${of.dedupeKey}`, what);
      };
      for (const event of events) {
        for (const draft of draftsOf(event)) keep(draft, { draft });
        for (const withdrawal of withdrawalsOf(event)) keep(withdrawal, { withdrawal });
      }
      const outcome = [...last.values()];
      const drafts = outcome.flatMap((each) => ('draft' in each ? [each.draft] : []));
      if (drafts.length > 0) await writer.write(session, drafts);
      await withdrawals.withdraw(
        session,
        outcome.flatMap((each) => ('withdrawal' in each ? [each.withdrawal] : [])),
      );
    },
  };
}

function withdrawalsOf(event: DomainEvent): Withdrawal[] {
  return undoneOf(event).flatMap(({ dedupeKey, recipientIds }) =>
    recipientIds.map((userId) => ({ userId, dedupeKey, eventId: event._id })),
  );
}

function draftsOf(event: DomainEvent): Draft[] {
  const occasion = occasionOf(event);
  return occasion ? draftsFor(occasion, event) : [];
}

function draftsFor(occasion: Occasion, { _id: eventId, traceparent }: DomainEvent): Draft[] {
  const { type, actorId, entity, deepLink, dedupeKey, groupKey, excerpt, attached, reaction, security, about } =
    occasion;
  const { channels, mailTo, smsTo, reactedTo } = occasion;
  const facts = {
    excerpt,
    ...(attached && { attached }),
    ...(reaction !== undefined && { reaction }),
    ...(reactedTo && { reactedTo }),
    ...(security && { security }),
  };
  return occasion.recipientIds.map((userId) => ({
    userId,
    eventId,
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
    ...(smsTo !== undefined && { smsTo }),
    ...(traceparent !== undefined && { traceparent }),
    text: (recipient, actor) => textOf(type, recipient.locale, { ...facts, actor: actor?.name ?? '' }),
  }));
}
