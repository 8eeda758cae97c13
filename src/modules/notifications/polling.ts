import { badRequest, Problem } from '../../core/http/problem.js';
import { type Presented } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { type ChangesService } from './changes.service.js';
import { presentNotification } from './notification.presenter.js';
import { type changesAnswer } from './notification.schemas.js';

/** Where a user's changes stand, as clients hold it. */
export const POSITION = /^\d{1,15}$/;

/** Clients repeat an id on their own: one that was never given leads to a resync and not to a refusal. */
export function parsePosition(id: string | undefined): number | undefined {
  if (id === undefined || id === '') return undefined;
  return POSITION.test(id) ? Number(id) : Infinity;
}

/**
 * Answers a client that asks now and then what has changed since it asked last.
 * @throws Problem 400 `SINCE_STANDS_ALONE`, 410 `POSITION_GONE`
 */
export async function poll(
  service: ChangesService,
  userId: string,
  since: string,
  limit: number,
  filter: object,
): Promise<Presented<Infer<typeof changesAnswer>>> {
  if (Object.values(filter).some((value) => value !== undefined)) {
    throw badRequest('SINCE_STANDS_ALONE', 'What has changed cannot be filtered: leave the other parameters out.');
  }
  const position = since === 'latest' ? await service.position(userId) : Number(since);
  const changes = await service.since(userId, position, limit);
  if (!changes) {
    const detail = 'What has changed since then cannot be told. Begin anew with `since=latest` and fetch the list.';
    throw new Problem({ status: 410, code: 'POSITION_GONE', detail });
  }
  const { notifications, withdrawn, unread, readUpTo, hasMore } = changes;
  return {
    data: notifications.map(({ notification }) => presentNotification(notification)),
    withdrawn: withdrawn.map(({ id }) => id),
    unreadCount: unread,
    position: String(changes.position),
    hasMore,
    ...(readUpTo !== undefined && { readUpTo }),
  };
}
