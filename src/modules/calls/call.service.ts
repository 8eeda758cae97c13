import { ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Limit, type Limiter } from '../../core/http/limits.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { badRequest, conflict, forbidden, notFound, type Problem } from '../../core/http/problem.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { type CallFacts } from './call.events.js';
import { act, type Action, begin, isLive, participantOf, remove } from './call.machine.js';
import { type Call, type CallDevice } from './call.model.js';
import { type SignalPayload, type StartPayload } from './call.schemas.js';
import { type CallStore, noSuchCall } from './call.store.js';

export interface CallDeps {
  database: Database;
  store: CallStore;
  users: Pick<UserService, 'summaries'>;
  visibility: Visibility;
  permissions: Permissions;
  limiter: Limiter;
  pager: Pager;
  clock: Clock;
}

/** Each makes phones ring. */
const STARTS: Limit = { name: 'calls', points: 30, seconds: 60 };

/** What users do with calls; what becomes of a call by it is for its state machine. */
export class CallService {
  constructor(private readonly deps: CallDeps) {}

  /**
   * Calls these users; those who are in another call are busy. Whoever calls someone who rings them at this moment
   * answers that call instead, so that two who call one another are in one call.
   * @throws Problem 400 `CANNOT_CALL_YOURSELF`, 403 `CANNOT_CALL_USERS`, 404 `USER_NOT_FOUND`, 409 `ALREADY_IN_CALL`,
   *   429 `RATE_LIMITED`
   */
  async start(actorId: string, { userIds, type }: StartPayload, device: CallDevice): Promise<CallFacts> {
    if (userIds.includes(actorId)) throw badRequest('CANNOT_CALL_YOURSELF', 'A call is with others.');
    const { database, limiter, store, clock } = this.deps;
    await limiter.consume(actorId, STARTS);
    await this.requireCallable(actorId, userIds);
    const _id = new ObjectId();
    return database.inTransaction(async (session) => {
      const seats = await store.seatsOf(session, [actorId, ...userIds]);
      const own = seats.get(actorId);
      if (own) return this.meet(own, actorId, userIds, device);
      const calleeIds = userIds.map((id) => new ObjectId(id));
      const facts = { _id, type, callerId: new ObjectId(actorId), device, calleeIds, busy: new Set(seats.keys()) };
      return store.begin(session, begin(facts, clock.now()));
    });
  }

  /**
   * Answers a call from this device. Whether the caller may call, and whether a block stands between those in the call
   * and who answers, is looked at once more.
   * @throws Problem 403 `CANNOT_JOIN_CALL`, 404 `CALL_NOT_FOUND`, 409 `CALL_OVER`, `CALL_ANSWERED`, `CALL_LEFT`
   */
  async accept(actorId: string, callId: string, device: CallDevice): Promise<CallFacts> {
    const call = await this.own(actorId, callId);
    const refusal = await this.refusalToJoin(actorId, call);
    if (!refusal) return this.act(actorId, call, 'accept', device);
    // It stops ringing, on all devices.
    await this.deps.store.changeIfDue(call._id, (now) =>
      rings(now, actorId) ? remove(now, actorId, this.deps.clock.now()) : undefined,
    );
    throw refusal;
  }

  /**
   * Goes on in a call from this device: after a lost connection, or on another device.
   * @throws Problem 404 `CALL_NOT_FOUND`, 409 `CALL_OVER`, `CALL_NOT_ANSWERED`, `CALL_LEFT`
   */
  async resume(actorId: string, callId: string, device: CallDevice): Promise<CallFacts> {
    return this.act(actorId, await this.own(actorId, callId), 'resume', device);
  }

  /**
   * Does not want to answer, or leaves: from whatever device.
   * @throws Problem 404 `CALL_NOT_FOUND`, 409 `CALL_OVER`, `CALL_ANSWERED`, `CALL_NOT_ANSWERED`, `CALL_LEFT`
   */
  async end(actorId: string, callId: string, action: Extract<Action, 'reject' | 'leave'>): Promise<CallFacts> {
    return this.act(actorId, await this.own(actorId, callId), action);
  }

  /**
   * The connection to which a signal goes: the one device that is in the call.
   * @throws Problem 404 `CALL_NOT_FOUND`, `PARTICIPANT_NOT_FOUND`, 409 `CALL_OVER`, `NOT_IN_CALL`, `PARTICIPANT_AWAY`
   */
  async addresseeOf(actorId: string, socketId: string, { callId, to }: SignalPayload): Promise<string> {
    const call = await this.own(actorId, callId);
    if (!isLive(call)) throw conflict('CALL_OVER', 'This call is over.');
    if (participantOf(call, actorId)?.device?.socketId !== socketId) {
      throw conflict('NOT_IN_CALL', 'This connection is not in the call.');
    }
    const other = to === actorId ? undefined : participantOf(call, to);
    if (!other || (await this.deps.visibility.areHidden(actorId, to))) {
      throw notFound('PARTICIPANT_NOT_FOUND', 'There is no such participant.');
    }
    if (!other.device || other.droppedAt)
      throw conflict('PARTICIPANT_AWAY', 'They are not in the call at this moment.');
    return other.device.socketId;
  }

  /** One's own calls, the newest first; not those with nobody but the hidden. */
  async list(actorId: string, page: { limit: number; cursor?: string | undefined }): Promise<Page<Call>> {
    const own = new ObjectId(actorId);
    const hidden = [...(await this.deps.visibility.hiddenFrom(actorId))].map((id) => new ObjectId(id));
    return this.deps.pager.page<Call>({
      collection: this.deps.store.calls,
      filter: {
        'participants.userId': own,
        ...(hidden.length > 0 && {
          callerId: { $nin: hidden },
          participants: { $elemMatch: { userId: { $nin: [own, ...hidden] } } },
        }),
      },
      sort: [['_id', -1]],
      scope: `calls of ${actorId}`,
      ...page,
    });
  }

  /** Answers the call that rings, where that is by someone whom one has just called. */
  private meet(callId: ObjectId, actorId: string, userIds: string[], device: CallDevice): Promise<CallFacts> {
    return this.deps.store.change(callId, (call) => {
      const isTheSame = userIds.includes(call.callerId.toHexString()) && userIds.every((id) => participantOf(call, id));
      if (!isTheSame || !rings(call, actorId)) {
        throw conflict('ALREADY_IN_CALL', 'You are in a call already, or one rings: end or reject it first.');
      }
      return act(call, actorId, 'accept', this.deps.clock.now(), device);
    });
  }

  private act(actorId: string, { _id }: Call, action: Action, device?: CallDevice): Promise<CallFacts> {
    return this.deps.store.change(_id, (call) => act(call, actorId, action, this.deps.clock.now(), device));
  }

  /** A call of one's own, with anyone whom one can see. */
  private async own(actorId: string, callId: string): Promise<Call> {
    const call = await this.deps.store.find(callId);
    if (!call || !participantOf(call, actorId)) throw noSuchCall();
    const hidden = await this.deps.visibility.hiddenFrom(actorId);
    const others = call.participants.map(({ userId }) => userId.toHexString()).filter((id) => id !== actorId);
    if (others.every((id) => hidden.has(id))) throw noSuchCall();
    return call;
  }

  private async requireCallable(actorId: string, userIds: string[]): Promise<void> {
    const { users, visibility, permissions } = this.deps;
    const [known, hidden, ...allowed] = await Promise.all([
      users.summaries(userIds),
      visibility.hiddenFrom(actorId),
      ...userIds.map((id) => permissions.can(actorId, 'call', id)),
    ]);
    if (userIds.some((id) => !known.has(id) || hidden.has(id))) {
      throw notFound('USER_NOT_FOUND', 'There is no such user.');
    }
    const refusing = userIds.filter((_id, index) => allowed[index] !== true);
    if (refusing.length > 0)
      throw forbidden('CANNOT_CALL_USERS', `You cannot call these users: ${refusing.join(', ')}`);
  }

  private async refusalToJoin(actorId: string, call: Call): Promise<Problem | undefined> {
    if (!isLive(call) || !rings(call, actorId)) return undefined;
    const { visibility, permissions } = this.deps;
    const joined = call.participants
      .filter(({ state }) => state === 'joined')
      .map(({ userId }) => userId.toHexString());
    const [areApart, isAllowed] = await Promise.all([
      visibility.hiddenPairs([actorId], joined),
      permissions.can(call.callerId.toHexString(), 'call', actorId),
    ]);
    if (joined.some((id) => areApart(actorId, id))) return noSuchCall();
    return isAllowed ? undefined : forbidden('CANNOT_JOIN_CALL', 'This call cannot be answered any more.');
  }
}

function rings(call: Call, userId: string): boolean {
  return participantOf(call, userId)?.state === 'ringing';
}
