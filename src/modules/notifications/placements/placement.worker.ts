import { type ClientSession, type ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Step, StepWorker } from '../../../core/jobs/step-worker.js';
import { type Log } from '../../../core/observability/log.js';
import { type Connections } from '../../../core/visibility.js';
import {
  type Audience,
  type Audiences,
  isSamePlacement,
  LOCALES,
  type Locale,
  type UserService,
} from '../../users/index.js';
import { placementNoted } from '../notification.events.js';
import { type Draft, type NotificationWriter } from '../notification.writer.js';
import { textOf } from '../texts.js';
import { type Placement, placementCollection } from './placement.model.js';

/** Recipients of one transaction. */
const PAGE = 200;

interface Recipients {
  users: Pick<UserService, 'find'>;
  audiences: Pick<Audiences, 'page'>;
  connections: Connections;
}

export interface PlacementWorkerOptions extends Recipients {
  database: Database;
  clock: Clock;
  writer: NotificationWriter;
  claimMs: number;
  log: Log;
}

/**
 * Tells a user's connections, and then their cohort, where the user has found a position: a page in a transaction. Only
 * who may view the profile is told, which is looked up for each page, as is whether the news still holds.
 */
export class PlacementWorker extends StepWorker<Placement> {
  private readonly recipients: Recipients;
  private readonly writer: NotificationWriter;

  constructor({ users, audiences, connections, writer, ...options }: PlacementWorkerOptions) {
    super({ name: 'placements', wokenBy: [placementNoted], collection: placementCollection.name, ...options });
    this.recipients = { users, audiences, connections };
    this.writer = writer;
  }

  protected override async step(session: ClientSession, news: Placement): Promise<Step<Placement>> {
    const { users, audiences } = this.recipients;
    const { userId, at, after, circle, cohort } = news;
    const user = await users.find(userId.toHexString());
    const holds = user?.placement && isSamePlacement(user.placement, news.placement);
    const tellsCohort = cohort !== undefined && user?.profileAudience == null;
    if (!holds || user.profileAudience === 'nobody' || (circle === 'cohort' && !tellsCohort)) return 'done';

    const audience = { ...(await this.membersOf(news)), exclude: { userIds: [userId.toHexString()] } };
    const page = await audiences.page(audience, { joinedBy: at, after, limit: PAGE });
    const last = page.at(-1);
    const isFull = last !== undefined && page.length === PAGE;
    const isMany = isFull || after !== undefined;
    // One event for each language: its text then stands there once.
    for (const locale of LOCALES) {
      const readers = page.filter((each) => each.locale === locale);
      if (readers.length > 0)
        await this.writer.write(
          session,
          readers.map((reader) => draftFor(news, reader, isMany)),
        );
    }
    if (isFull) return { $set: { after: last._id } };
    return circle === 'connections' && tellsCohort ? { $set: { circle: 'cohort' }, $unset: { after: 1 } } : 'done';
  }

  private async membersOf({ circle, cohort, userId }: Placement): Promise<Audience> {
    if (circle === 'cohort' && cohort) {
      return { campuses: [cohort.campus], graduationYears: [cohort.graduationYear] };
    }
    return { userIds: await this.recipients.connections.connectedWith(userId.toHexString()) };
  }
}

/** Of many the deliveries wait in the slow lane. Who is both, connected and of the cohort, has it once by its key. */
function draftFor(
  { _id, userId, placement }: Placement,
  recipient: { _id: ObjectId; locale: Locale },
  isMany: boolean,
): Draft {
  const actorId = userId.toHexString();
  const facts = { excerpt: '', placement };
  return {
    userId: recipient._id.toHexString(),
    type: 'PLACEMENT',
    actorId,
    entity: { kind: 'user', id: actorId },
    deepLink: `/profiles/${actorId}`,
    dedupeKey: `placement:${_id.toHexString()}`,
    groupKey: `placement:${actorId}`,
    data: facts,
    ...(isMany && { bulk: true }),
    text: (_reader, actor) => textOf('PLACEMENT', recipient.locale, { ...facts, actor: actor?.name ?? '' }),
  };
}
