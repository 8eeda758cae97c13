import { type ClientSession, type Collection, type Document, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Inbox, inboxCollection } from './inbox.model.js';
import { type InAppStatus, UNREAD } from './notification.types.js';

/** How an inbox stands after a change. */
export interface InboxState {
  unread: number;
  position: number;
}

/** One notification that changes, and what that adds to the unread ones. */
export interface Step {
  userId: ObjectId;
  unread: number;
}

interface Tally extends Step {
  steps: number;
}

/** What else a change leaves in the inbox, by its position. */
type Marks = Record<string, unknown>;

/** Counts what is unread and numbers what changes, in the transactions of the changes. */
export class Inboxes {
  private readonly inboxes: Collection<Inbox>;

  constructor({ database }: { database: Database }) {
    this.inboxes = database.collection(inboxCollection.name);
  }

  async read(userId: string, session?: ClientSession): Promise<Inbox> {
    const _id = new ObjectId(userId);
    const found = await this.inboxes.findOne({ _id }, { ...(session && { session }) });
    return found ?? { _id, unread: 0, position: 0 };
  }

  /** The unread counts of several users, in one query; a user who was never told of anything is absent. */
  async unreadCounts(userIds: string[]): Promise<Map<string, number>> {
    const found = await this.inboxes
      .find({ _id: { $in: userIds.map((id) => new ObjectId(id)) } }, { projection: { unread: 1 } })
      .toArray();
    return new Map(found.map(({ _id, unread }) => [_id.toHexString(), unread]));
  }

  /** Counts these changes: the position of each, in their order, and how the inboxes stand after all of them. */
  async count(
    session: ClientSession,
    steps: readonly Step[],
  ): Promise<{ positions: number[]; states: Map<string, InboxState> }> {
    const tallies = tallied(steps);
    const states = await this.apply(session, [...tallies.values()]);
    const next = new Map([...tallies].map(([id, { steps: many }]) => [id, stateOf(states, id).position - many]));
    const positions = steps.map(({ userId }) => {
      const id = userId.toHexString();
      const position = (next.get(id) ?? 0) + 1;
      next.set(id, position);
      return position;
    });
    return { positions, states };
  }

  /** Everything up to and including this one was read: a single change, however many there were. */
  async readAll(session: ClientSession, userId: ObjectId, unread: number, upTo: ObjectId): Promise<InboxState> {
    const marks = { readAll: { position: '$position', upTo } };
    return stateOf(await this.apply(session, [{ userId, unread, steps: 1 }], marks), userId.toHexString());
  }

  /** Some have appeared or gone without a word of which: their owners have to fetch the list anew. */
  hide(session: ClientSession, changes: readonly Step[]): Promise<Map<string, InboxState>> {
    return this.apply(
      session,
      changes.map((change) => ({ ...change, steps: 1 })),
      { gap: '$position' },
    );
  }

  private async apply(
    session: ClientSession,
    tallies: readonly Tally[],
    marks: Marks = {},
  ): Promise<Map<string, InboxState>> {
    const [first] = tallies;
    if (first && tallies.length === 1) {
      const { _id, unread, position } = await this.applyToOne(session, first, marks);
      return new Map([[_id.toHexString(), { unread, position }]]);
    }
    // Those whose inboxes change alike are changed together: of a fan-out that is nearly all.
    for (const [one, userIds] of alike(tallies)) {
      await this.inboxes.updateMany({ _id: { $in: userIds } }, changeOf(one, marks), { session });
    }
    const found = await this.inboxes.find({ _id: { $in: tallies.map(({ userId }) => userId) } }, { session }).toArray();
    const states = new Map(found.map(({ _id, unread, position }) => [_id.toHexString(), { unread, position }]));
    const missing = tallies.filter(({ userId }) => !states.has(userId.toHexString()));
    if (missing.length === 0) return states;
    // They begin with this change: if another transaction begins one at this moment, only one of the two succeeds.
    await this.inboxes.bulkWrite(
      missing.map((tally) => ({
        updateOne: { filter: { _id: tally.userId }, update: changeOf(tally, marks), upsert: true },
      })),
      { session, ordered: false },
    );
    for (const { userId, unread, steps } of missing) states.set(userId.toHexString(), { unread, position: steps });
    return states;
  }

  private async applyToOne(session: ClientSession, tally: Tally, marks: Marks): Promise<Inbox> {
    const changed = await this.inboxes.findOneAndUpdate({ _id: tally.userId }, changeOf(tally, marks), {
      upsert: true,
      returnDocument: 'after',
      session,
    });
    if (!changed) throw new Error('an upsert answers with what it wrote');
    return changed;
  }
}

/** What a notification with this status in the app, if it is there at all, adds to the unread ones. */
export function unreadOf(inApp: { status: InAppStatus } | null | undefined): number {
  return inApp && UNREAD.includes(inApp.status) ? 1 : 0;
}

/** The state of one of the users whose inboxes were changed. */
export function stateOf(states: ReadonlyMap<string, InboxState>, userId: string): InboxState {
  const state = states.get(userId);
  if (!state) throw new Error('an inbox was not changed that should have been');
  return state;
}

function tallied(steps: readonly Step[]): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (const { userId, unread } of steps) {
    const id = userId.toHexString();
    const { unread: before, steps: many } = tallies.get(id) ?? { unread: 0, steps: 0 };
    tallies.set(id, { userId, unread: before + unread, steps: many + 1 });
  }
  return tallies;
}

/** Those that change an inbox in the same way: one of them, and whose they are. */
function alike(tallies: readonly Tally[]): Iterable<[Tally, ObjectId[]]> {
  const groups = new Map<string, [Tally, ObjectId[]]>();
  for (const tally of tallies) {
    const key = `${tally.unread} ${tally.steps}`;
    const group = groups.get(key);
    if (group) group[1].push(tally.userId);
    else groups.set(key, [tally, [tally.userId]]);
  }
  return groups.values();
}

function changeOf({ unread, steps }: Tally, marks: Marks): Document | Document[] {
  if (Object.keys(marks).length === 0) return { $inc: { unread, position: steps } };
  // A pipeline, so that what is marked with the position gets the new one.
  const add = (field: string, by: number) => ({ $add: [{ $ifNull: [field, 0] }, by] });
  return [{ $set: { unread: add('$unread', unread), position: add('$position', steps) } }, { $set: marks }];
}
