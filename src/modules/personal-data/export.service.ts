import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { Problem } from '../../core/http/problem.js';
import { type Storage } from '../../core/storage/storage.js';
import { type RequireCode } from '../auth/index.js';
import { exportRequested } from './export.events.js';
import { type Export, exportCollection } from './export.model.js';

export interface ExportServiceDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  storage: Storage;
  requireCode: RequireCode;
}

/** What users do with exports of their data. */
export class ExportService {
  private readonly exports: Collection<Export>;

  constructor(private readonly deps: ExportServiceDeps) {
    this.exports = deps.database.collection(exportCollection.name);
  }

  /**
   * Asks for an export; while one is being made, that one is the answer, whatever the code.
   * @throws Problem 400 `CODE_INVALID`
   */
  async request(userId: string, code: string): Promise<Export> {
    try {
      return await this.begin(userId, code);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'CODE_INVALID') throw error;
      // Another request may have used the code up after this transaction began, which cannot see what that one made.
      const made = await this.exports.findOne({ userId: new ObjectId(userId), status: 'pending' });
      if (made) return made;
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

  private begin(userId: string, code: string): Promise<Export> {
    const { database, outbox, clock, requireCode } = this.deps;
    const owner = new ObjectId(userId);
    return database.inTransaction(async (session) => {
      const pending = await this.exports.findOne({ userId: owner, status: 'pending' }, { session });
      if (pending) return pending;
      // Of two at once the second conflicts here, and finds the first one's export when it is tried again.
      await requireCode(session, userId, 'export', code);
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
