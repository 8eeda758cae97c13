import { ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { remove } from './call.machine.js';
import { type CallFacts } from './call.events.js';
import { type Call, callCollection, callSeatCollection } from './call.model.js';
import { type CallStore } from './call.store.js';

const READ_AT_ONCE = 200;

/** All calls of a user, the first one first; people are read for many of them together. */
async function* callsOf(store: CallStore, userId: string): AsyncGenerator<CallFacts> {
  const own = { 'participants.userId': new ObjectId(userId) };
  let after: ObjectId | undefined;
  do {
    const calls: Call[] = await store.calls
      .find({ ...own, ...(after && { _id: { $gt: after } }) })
      .sort({ _id: 1 })
      .limit(READ_AT_ONCE)
      .toArray();
    yield* await store.factsOfAll(calls);
    after = calls.length === READ_AT_ONCE ? calls.at(-1)?._id : undefined;
  } while (after);
}

/** Calls: when, with whom, and how they ended. What was said in them never passes here. */
export function callData({ store, clock }: { store: CallStore; clock: Clock }): PersonalData {
  return {
    name: 'calls',
    // Seats say what calls say.
    collections: [callCollection.name, callSeatCollection.name],
    async *export(userId) {
      yield* exportedList('calls', callsOf(store, userId), (call) => ({
        id: call.id,
        type: call.type,
        direction: call.callerId === userId ? 'out' : 'in',
        status: call.status,
        startedAt: call.startedAt,
        ...(call.answeredAt && { answeredAt: call.answeredAt }),
        ...(call.endedAt && { endedAt: call.endedAt }),
        participants: call.participants.map(({ user: { id, name }, state }) => ({ id, name, state })),
      }));
    },
    /** For the others the calls stay, with somebody of whom nothing is known. */
    async erase(userId) {
      const own = new ObjectId(userId);
      for (const { _id } of await store.calls
        .find({ 'participants.userId': own, endedAt: { $exists: false } })
        .toArray()) {
        await store.changeIfDue(_id, (call) => remove(call, userId, clock.now()));
      }
      const nobody = new ObjectId();
      const renamed = {
        $cond: [{ $eq: ['$$one.userId', own] }, { $mergeObjects: ['$$one', { userId: nobody }] }, '$$one'],
      };
      await store.calls.updateMany({ 'participants.userId': own }, [
        {
          $set: {
            callerId: { $cond: [{ $eq: ['$callerId', own] }, nobody, '$callerId'] },
            participants: { $map: { input: '$participants', as: 'one', in: renamed } },
          },
        },
      ]);
    },
  };
}
