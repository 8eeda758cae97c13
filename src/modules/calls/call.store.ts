import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { notFound, type Problem } from '../../core/http/problem.js';
import { type UserService } from '../users/index.js';
import { type CallFacts, factsOf } from './call.events.js';
import { isSeated } from './call.machine.js';
import { type Call, callCollection, type CallSeat, callSeatCollection } from './call.model.js';
import { occurrences } from './call.occurrences.js';

export interface CallStoreDeps {
  database: Database;
  outbox: Outbox;
  users: Pick<UserService, 'summaries'>;
}

const DUE_AT_ONCE = 100;

/**
 * Calls as they are stored. A change replaces the version that it was made from, together with the seats and the events
 * that follow from it: of two changes at once the second one is made anew, from what the first one has left.
 */
export class CallStore {
  readonly calls: Collection<Call>;
  private readonly seats: Collection<CallSeat>;

  constructor(private readonly deps: CallStoreDeps) {
    this.calls = deps.database.collection(callCollection.name);
    this.seats = deps.database.collection(callSeatCollection.name);
  }

  async find(id: string): Promise<Call | undefined> {
    return (await this.calls.findOne({ _id: new ObjectId(id) })) ?? undefined;
  }

  /** In which call each of these users is or rings, if any. */
  async seatsOf(session: ClientSession, userIds: readonly string[]): Promise<Map<string, ObjectId>> {
    const _ids = userIds.map((id) => new ObjectId(id));
    const found = await this.seats.find({ _id: { $in: _ids } }, { session }).toArray();
    return new Map(found.map(({ _id, callId }) => [_id.toHexString(), callId]));
  }

  /**
   * Writes a new call within the caller's transaction, which has found that its participants have no seat. Where one of
   * them takes another seat at the same moment the transaction is run again.
   */
  async begin(session: ClientSession, call: Call): Promise<CallFacts> {
    await this.calls.insertOne(call, { session });
    const seats = call.participants.filter(isSeated).map(({ userId }) => ({ _id: userId, callId: call._id }));
    if (seats.length > 0) await this.seats.insertMany(seats, { session });
    return this.record(session, undefined, call);
  }

  /**
   * Changes a call as `change` says, which may be asked more than once.
   * @throws Problem 404 `CALL_NOT_FOUND`, and whatever `change` throws
   */
  async change(id: ObjectId | string, change: (call: Call) => Call): Promise<CallFacts> {
    const changed = await this.changeIfDue(id, change);
    if (!changed) throw noSuchCall();
    return changed;
  }

  /** The same where `change` may find that nothing is to be done; undefined then, and where there is no such call. */
  changeIfDue(id: ObjectId | string, change: (call: Call) => Call | undefined): Promise<CallFacts | undefined> {
    const _id = new ObjectId(id);
    return this.deps.database.inTransaction(async (session) => {
      const before = await this.calls.findOne({ _id }, { session });
      const after = before && change(before);
      if (!after) return undefined;
      const { modifiedCount } = await this.calls.replaceOne({ _id, version: before.version }, after, { session });
      if (modifiedCount === 0) throw new Error('a call was changed within the transaction that changes it');
      const seated = new Set(after.participants.filter(isSeated).map(({ userId }) => userId.toHexString()));
      const risen = before.participants.filter((one) => isSeated(one) && !seated.has(one.userId.toHexString()));
      if (risen.length > 0) {
        const free: Filter<CallSeat> = { _id: { $in: risen.map(({ userId }) => userId) }, callId: _id };
        await this.seats.deleteMany(free, { session });
      }
      return this.record(session, before, after);
    });
  }

  /** Calls of which a time limit is over, those first that have waited longest. */
  async due(now: Date): Promise<ObjectId[]> {
    const found = await this.calls
      .find({ nextAttemptAt: { $lte: now } }, { projection: { _id: 1 } })
      .sort({ nextAttemptAt: 1 })
      .limit(DUE_AT_ONCE)
      .toArray();
    return found.map(({ _id }) => _id);
  }

  /** Calls with a device that is connected to that node, as far as is known. */
  onNode(nodeId: string): Promise<Call[]> {
    return this.calls.find({ 'participants.device.nodeId': nodeId }).toArray();
  }

  /** Calls with the people in them. */
  async factsOfAll(calls: readonly Call[]): Promise<CallFacts[]> {
    const ids = calls.flatMap(({ participants }) => participants.map(({ userId }) => userId.toHexString()));
    const people = await this.deps.users.summaries(ids);
    return calls.map((call) => factsOf(call, people));
  }

  private async record(session: ClientSession, before: Call | undefined, after: Call): Promise<CallFacts> {
    const people = await this.deps.users.summaries(after.participants.map(({ userId }) => userId.toHexString()));
    const call = factsOf(after, people);
    for (const { type, userIds, audience } of occurrences(before, after)) {
      await this.deps.outbox.record(session, type, {
        entity: { kind: 'call', id: call.id },
        audience: { userIds: audience },
        data: { call, userIds },
      });
    }
    return call;
  }
}

export function noSuchCall(): Problem {
  return notFound('CALL_NOT_FOUND', 'There is no such call.');
}
