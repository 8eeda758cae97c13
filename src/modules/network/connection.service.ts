import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Clock, DAY, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type EventType } from '../../core/events/event.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { badRequest, conflict, notFound } from '../../core/http/problem.js';
import { SerialByKey } from '../../core/serial.js';
import { type Visibility } from '../../core/visibility.js';
import { type Circles } from './circles.js';
import { connectionAccepted, connectionRejected, connectionRemoved, connectionRequested } from './connection.events.js';
import { type Connection, connectionCollection, type ConnectionStatus } from './connection.model.js';
import { type Direction } from './connection.schemas.js';

export interface ConnectionDeps {
  database: Database;
  outbox: Outbox;
  pager: Pager;
  clock: Clock;
  visibility: Visibility;
  circles: Circles;
}

interface PageQuery {
  limit: number;
  cursor?: string | undefined;
}

/** Who was turned down may not ask the same user again for so long. */
const PATIENCE_MS = 30 * DAY;

/** Connections: one row per pair, which goes from state to state by conditional updates only. */
export class ConnectionService {
  private readonly connections: Collection<Connection>;
  private readonly perPair = new SerialByKey();
  private readonly perUser = new SerialByKey();

  constructor(private readonly deps: ConnectionDeps) {
    this.connections = deps.database.collection(connectionCollection.name);
  }

  /**
   * Asks another user for a connection. Where that user has asked already, the two are connected; asking again
   * changes nothing.
   * @throws Problem 400 `CANNOT_CONNECT_TO_YOURSELF`, 409 `RECENTLY_REJECTED`
   */
  request(actorId: string, userId: string, note: string | undefined): Promise<Connection> {
    if (actorId === userId) {
      throw badRequest('CANNOT_CONNECT_TO_YOURSELF', 'A connection is between two users.');
    }
    const pair = pairOf(actorId, userId);
    return this.perPair.run(`${pair.low.toHexString()} ${pair.high.toHexString()}`, () =>
      this.deps.database.inTransaction(async (session) => {
        const existing = await this.connections.findOne(pair, { session });
        if (existing?.status === 'accepted') return existing;
        if (existing?.status === 'requested') {
          return existing.requesterId.equals(actorId) ? existing : this.move(session, existing, 'accepted', actorId);
        }
        if (existing) this.refuseImpatience(existing, actorId);
        return this.open(session, pair, actorId, note, existing);
      }),
    );
  }

  /** One that the user is a party to, in whatever state. */
  async find(actorId: string, id: string): Promise<Connection | undefined> {
    const own = new ObjectId(actorId);
    const connection = await this.connections.findOne({ _id: new ObjectId(id), $or: [{ low: own }, { high: own }] });
    if (!connection) return undefined;
    return (await this.deps.visibility.areHidden(actorId, counterpartOf(connection, actorId))) ? undefined : connection;
  }

  /**
   * Accepts or rejects a request; doing the same again changes nothing.
   * @throws Problem 409 `REQUEST_NOT_PENDING`
   */
  respond(actorId: string, { _id, ...pair }: Connection, answer: 'accepted' | 'rejected'): Promise<Connection> {
    return this.inTurn(pair, async (session) => {
      const current = await this.connections.findOne({ _id }, { session });
      if (!current) throw notFound('CONNECTION_NOT_FOUND', 'There is no such connection.');
      if (current.status === answer) return current;
      if (current.status !== 'requested') {
        throw conflict('REQUEST_NOT_PENDING', `This request is ${current.status} already.`);
      }
      return this.move(session, current, answer, actorId);
    });
  }

  /** Withdraws one's own request or ends the connection; where there is neither any more, nothing changes. */
  async remove(actorId: string, { _id, ...pair }: Connection): Promise<void> {
    await this.inTurn(pair, async (session) => {
      const current = await this.connections.findOne({ _id }, { session });
      if (current?.status === 'accepted') await this.end(session, current, actorId);
      else if (current?.status === 'requested' && current.requesterId.equals(actorId)) {
        await this.move(session, current, 'withdrawn', actorId);
      }
    });
  }

  /**
   * Ends what there is between two users, or what there has been since before `until`, within the caller's
   * transaction; where there is nothing, nothing changes.
   */
  async sever(session: ClientSession, oneId: string, otherId: string, until?: Date): Promise<void> {
    const made = until ? { changedAt: { $lte: until } } : {};
    const current = await this.connections.findOne({ ...pairOf(oneId, otherId), ...made }, { session });
    if (current) await this.end(session, current, oneId);
  }

  /** Ends all ties of a user, each in a transaction of its own. */
  async endAll(userId: string): Promise<void> {
    const own = new ObjectId(userId);
    for await (const { _id } of this.connections.find({ $or: [{ low: own }, { high: own }] })) {
      await this.deps.database.inTransaction(async (session) => {
        const current = await this.connections.findOne({ _id }, { session });
        if (current) await this.end(session, current, userId);
      });
    }
  }

  /** One's own connections, the newest first. */
  list(actorId: string, page: PageQuery): Promise<Page<Connection>> {
    return this.page(actorId, `connections of ${actorId}`, { status: 'accepted' }, page);
  }

  /** Open requests to the user (`in`) or by the user (`out`), the newest first. */
  requests(actorId: string, direction: Direction, page: PageQuery): Promise<Page<Connection>> {
    const own = new ObjectId(actorId);
    const requesterId = direction === 'out' ? own : { $ne: own };
    return this.page(actorId, `requests ${direction} of ${actorId}`, { status: 'requested', requesterId }, page);
  }

  /** Each side is a scan of its own index in the order asked for; the server merges the two. */
  private async page(
    actorId: string,
    scope: string,
    wanted: Filter<Connection>,
    page: PageQuery,
  ): Promise<Page<Connection>> {
    const own = new ObjectId(actorId);
    const hidden = [...(await this.deps.visibility.hiddenFrom(actorId))].map((id) => new ObjectId(id));
    return this.deps.pager.page<Connection>({
      collection: this.connections,
      filter: {
        $or: [
          { ...wanted, low: own, high: { $nin: hidden } },
          { ...wanted, high: own, low: { $nin: hidden } },
        ],
      },
      sort: [
        ['changedAt', -1],
        ['_id', -1],
      ],
      scope,
      ...page,
    });
  }

  /**
   * A transaction that changes the circles of both: those of one user at the same moment would only make each other
   * start again. Always the lower one first, so that no two wait for each other.
   */
  private inTurn<T>(
    { low, high }: Pick<Connection, 'low' | 'high'>,
    work: (session: ClientSession) => Promise<T>,
  ): Promise<T> {
    return this.perUser.run(low.toHexString(), () =>
      this.perUser.run(high.toHexString(), () => this.deps.database.inTransaction(work)),
    );
  }

  private refuseImpatience({ status, requesterId, changedAt }: Connection, actorId: string): void {
    if (status !== 'rejected' || !requesterId.equals(actorId)) return;
    if (this.deps.clock.now() >= later(changedAt, PATIENCE_MS)) return;
    throw conflict('RECENTLY_REJECTED', 'This user has turned a request of yours down lately.');
  }

  private async open(
    session: ClientSession,
    pair: Pick<Connection, 'low' | 'high'>,
    actorId: string,
    note: string | undefined,
    past: Connection | undefined | null,
  ): Promise<Connection> {
    const now = this.deps.clock.now();
    const connection: Connection = {
      // One who asks, withdraws and asks again is not to be announced each time: it stays the same request.
      _id: past?.status === 'withdrawn' && past.requesterId.equals(actorId) ? past._id : new ObjectId(),
      ...pair,
      requesterId: new ObjectId(actorId),
      status: 'requested',
      ...(note !== undefined && { note }),
      createdAt: now,
      changedAt: now,
    };
    if (past) await this.connections.deleteOne({ _id: past._id }, { session });
    await this.connections.insertOne(connection, { session });
    await this.record(session, connectionRequested, connection, actorId);
    return connection;
  }

  private async move(
    session: ClientSession,
    connection: Connection,
    to: Exclude<ConnectionStatus, 'requested'>,
    actorId: string,
  ): Promise<Connection> {
    const moved = await this.connections.findOneAndUpdate(
      { _id: connection._id, status: 'requested' },
      { $set: { status: to, changedAt: this.deps.clock.now() } },
      { returnDocument: 'after', session },
    );
    // It was read in this very transaction.
    if (!moved) throw new Error('a pending request can change only once');
    if (to === 'accepted') await this.deps.circles.join(session, moved);
    if (to === 'withdrawn') await this.recordRemoval(session, connection, actorId);
    else await this.record(session, to === 'accepted' ? connectionAccepted : connectionRejected, moved, actorId);
    return moved;
  }

  private async end(session: ClientSession, connection: Connection, actorId: string): Promise<void> {
    await this.connections.deleteOne({ _id: connection._id }, { session });
    if (connection.status === 'accepted') await this.deps.circles.part(session, connection);
    await this.recordRemoval(session, connection, actorId);
  }

  private async recordRemoval(session: ClientSession, connection: Connection, actorId: string): Promise<void> {
    const { status: was } = connection;
    if (was !== 'accepted' && was !== 'requested') return;
    await this.deps.outbox.record(session, connectionRemoved, {
      ...eventOf(connection, actorId),
      data: { ...partiesOf(connection), was },
    });
  }

  private record(
    session: ClientSession,
    type: EventType<ReturnType<typeof partiesOf>>,
    connection: Connection,
    actorId: string,
  ): Promise<void> {
    return this.deps.outbox.record(session, type, { ...eventOf(connection, actorId), data: partiesOf(connection) });
  }
}

/** The other one of the two. */
export function counterpartOf({ low, high }: Pick<Connection, 'low' | 'high'>, userId: string): string {
  return (low.equals(userId) ? high : low).toHexString();
}

/** A pair of users in the order in which it is stored. */
export function pairOf(oneId: string, otherId: string): Pick<Connection, 'low' | 'high'> {
  const [low, high] = [oneId, otherId].sort();
  return { low: new ObjectId(low), high: new ObjectId(high) };
}

function partiesOf(connection: Connection) {
  const requesterId = connection.requesterId.toHexString();
  return {
    connectionId: connection._id.toHexString(),
    requesterId,
    addresseeId: counterpartOf(connection, requesterId),
  };
}

function eventOf(connection: Connection, actorId: string) {
  const { connectionId, requesterId, addresseeId } = partiesOf(connection);
  return {
    actorId,
    entity: { kind: 'connection', id: connectionId },
    audience: { userIds: [requesterId, addresseeId] },
  };
}
