import { type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Presence, presenceCollection, type PresenceState } from './presence.model.js';
import { changeOf, type NodeChange } from './presence.update.js';

const TOLD = { state: 1, lastSeenAt: 1, revision: 1 } as const;

/** The presences of all users, as they are stored. */
export class PresenceStore {
  private readonly presences: Collection<Presence>;

  constructor({ database }: { database: Database }) {
    this.presences = database.collection(presenceCollection.name);
  }

  /** Writes what becomes of some users on a node: one command, however many they are. */
  async write(changes: readonly ({ userId: string } & NodeChange)[]): Promise<void> {
    const updates = changes.map(({ userId, ...change }) => ({
      updateOne: {
        filter: { _id: new ObjectId(userId) },
        update: changeOf(change),
        // Who leaves has been here; where that is erased it must not come back.
        upsert: change.device !== undefined || change.choice != null,
      },
    }));
    const writeAll = () => this.presences.bulkWrite(updates, { ordered: false });
    try {
      await writeAll();
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      // Two nodes have made the same user's first one at once: there is one now. Written twice it says the same.
      await writeAll();
    }
  }

  /** How these users stand; those who never came are left out. */
  async read(userIds: Iterable<string>): Promise<PresenceState[]> {
    const ids = [...userIds].map((id) => new ObjectId(id));
    // In one answer: by default the first one holds a hundred.
    const found = this.presences.find({ _id: { $in: ids } }, { projection: TOLD, batchSize: ids.length + 1 });
    return (await found.toArray()).map(toState);
  }

  /** How those stand who changed within the last so many milliseconds. */
  async changedWithin(milliseconds: number): Promise<PresenceState[]> {
    const since = { $subtract: ['$$NOW', milliseconds] };
    const changed = this.presences.find({ $expr: { $gt: ['$changedAt', since] } }, { projection: TOLD });
    return (await changed.toArray()).map(toState);
  }

  /**
   * Removes a node from everyone's presence.
   * @returns how many that has changed
   */
  async removeNode(nodeId: string, heardAt: NodeChange['heardAt']): Promise<number> {
    const change = changeOf({ nodeId, device: undefined, heardAt });
    return (await this.presences.updateMany({ 'nodes.id': nodeId }, change)).modifiedCount;
  }
}

function toState({ _id, state, lastSeenAt, revision }: Presence): PresenceState {
  return { userId: _id.toHexString(), state, revision, ...(lastSeenAt && { lastSeenAt }) };
}
