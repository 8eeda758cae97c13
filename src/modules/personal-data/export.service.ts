import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Storage } from '../../core/storage/storage.js';
import { exportRequested } from './export.events.js';
import { type Export, exportCollection } from './export.model.js';

export interface ExportServiceDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  storage: Storage;
}

/** What users do with exports of their data. */
export class ExportService {
  private readonly exports: Collection<Export>;

  constructor(private readonly deps: ExportServiceDeps) {
    this.exports = deps.database.collection(exportCollection.name);
  }

  /** Asks for an export; while one is being made, that one is the answer. */
  async request(userId: string): Promise<Export> {
    try {
      return await this.begin(userId);
    } catch (error) {
      // Another request at the same time was first.
      if (isDuplicateKey(error)) return this.begin(userId);
      throw error;
    }
  }

  /** The one asked for last. */
  async latest(userId: string): Promise<Export | undefined> {
    return (await this.exports.findOne({ userId: new ObjectId(userId) }, { sort: { _id: -1 } })) ?? undefined;
  }

  /** The file of one's own export, as long as it can be downloaded. */
  async file(userId: string, id: string): Promise<Buffer | undefined> {
    const found = await this.exports.findOne({
      _id: new ObjectId(id),
      userId: new ObjectId(userId),
      status: 'ready',
      expiresAt: { $gt: this.deps.clock.now() },
    });
    return found?.file === undefined ? undefined : this.deps.storage.get(found.file);
  }

  private begin(userId: string): Promise<Export> {
    const { database, outbox, clock } = this.deps;
    const owner = new ObjectId(userId);
    return database.inTransaction(async (session) => {
      const pending = await this.exports.findOne({ userId: owner, status: 'pending' }, { session });
      if (pending) return pending;
      const now = clock.now();
      const made: Export = {
        _id: new ObjectId(),
        userId: owner,
        status: 'pending',
        requestedAt: now,
        attempts: 0,
        nextAttemptAt: now,
      };
      await this.exports.insertOne(made, { session });
      const exportId = made._id.toHexString();
      await outbox.record(session, exportRequested, {
        actorId: userId,
        entity: { kind: 'export', id: exportId },
        audience: { userIds: [userId] },
        data: { userId, exportId },
      });
      return made;
    });
  }
}
