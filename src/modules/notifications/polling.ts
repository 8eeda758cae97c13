import { badRequest, Problem } from '../../core/http/problem.js';
import { type Presented } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { type ChangesService } from './changes.service.js';
import { presentNotification } from './notification.presenter.js';
import { type changesAnswer } from './notification.schemas.js';
import { readStanding, type Standing, writeStanding } from './positions.js';

/** One that nobody ever had. */
const UNKNOWN: Standing = { position: Infinity, told: { at: new Date(0) } };

/** Clients repeat an id on their own: one that was never given leads to a resync and not to a refusal. */
export function parseStanding(id: string | undefined): Standing | undefined {
  if (id === undefined || id === '') return undefined;
  return readStanding(id) ?? UNKNOWN;
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
  const standing = since === 'latest' ? await service.latest(userId) : (readStanding(since) ?? UNKNOWN);
  const changes = await service.since(userId, standing, limit);
  if (!changes) {
    const detail = 'What has changed since then cannot be told. Begin anew with `since=latest` and fetch the list.';
    throw new Problem({ status: 410, code: 'POSITION_GONE', detail });
  }
  const { notifications, delivered, withdrawn, unread, readUpTo, hasMore } = changes;
  return {
    data: [...notifications.map(({ notification }) => notification), ...delivered].map(presentNotification),
    withdrawn: withdrawn.map(({ id }) => id),
    unreadCount: unread,
    position: writeStanding(changes.standing),
    hasMore,
    ...(readUpTo !== undefined && { readUpTo }),
  };
}
