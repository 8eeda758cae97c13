import { setTimeout as pause } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import { consumersCollection } from '../../src/core/events/collections.js';
import { announcementCollection } from '../../src/modules/notifications/announcements/announcement.model.js';
import { type Stage } from './stage.js';

const PATIENCE_MS = 15 * 60_000;
const LOOK_EVERY_MS = 50;
const WEIGH_EVERY_MS = 500;

/** What became of an announcement. */
export interface Announced {
  /** From the call until the last one was written. */
  seconds: number;
  /** Recipients that have it, how often some have it once more, and those that do not have it. */
  reached: number;
  doubled: number;
  missing: number;
  /** The most memory that the workers held together, in MB. */
  memory: number;
}

/** One announcement to everyone, by its worker's hands. */
export class Announcement {
  private readonly begun = performance.now();

  private constructor(
    private readonly stage: Stage,
    private readonly id: ObjectId,
    /** Everyone there is, whoever else has an account on the stage included. */
    private readonly recipients: number,
  ) {}

  static async begin(stage: Stage): Promise<Announcement> {
    const admin = await stage.admin();
    const recipients = await stage.db.collection('users').countDocuments();
    const answer = await admin.post('/admin/announcements', {
      title: { en: 'The library stays open', ar: 'تبقى المكتبة مفتوحة' },
      body: { en: 'Until midnight during the exam weeks.', ar: 'حتى منتصف الليل في أسابيع الامتحانات.' },
      audience: { everyone: true },
    });
    if (answer.status >= 300) throw new Error(`the announcement was refused: ${JSON.stringify(answer.body)}`);
    const { id } = answer.body as { id: string };
    return new Announcement(stage, new ObjectId(id), recipients);
  }

  /** Kills whoever is at it without a warning; answers whether anyone still was. */
  async killAnnouncer(): Promise<boolean> {
    const consumers = this.stage.db.collection<{ _id: string; owner?: string }>(consumersCollection.name);
    while (!(await this.isOver())) {
      const lease = await consumers.findOne({ _id: announcementCollection.name });
      // The name of a machine, which may have hyphens itself, the process, and a UUID.
      const pid = /-(\d+)-[\da-f]{8}-[\da-f-]{27}$/.exec(lease?.owner ?? '')?.[1];
      if (pid !== undefined && (await this.stage.killWorker(Number(pid)))) return true;
      await pause(LOOK_EVERY_MS);
    }
    return false;
  }

  /** Waits until all of it is written, and counts who has it. */
  async end(): Promise<Announced> {
    const latest = performance.now() + PATIENCE_MS;
    let [memory, weighedAt] = [0, 0];
    while (!(await this.isOver()) && performance.now() < latest) {
      if (performance.now() > weighedAt + WEIGH_EVERY_MS) {
        memory = Math.max(memory, await this.stage.workersMemory());
        weighedAt = performance.now();
      }
      await pause(LOOK_EVERY_MS);
    }
    const seconds = (performance.now() - this.begun) / 1_000;
    const [counted] = await this.stage.db
      .collection('notifications')
      .aggregate<{ users: number; notifications: number }>([
        { $match: { batchId: this.id } },
        { $group: { _id: '$userId', count: { $sum: 1 } } },
        { $group: { _id: null, users: { $sum: 1 }, notifications: { $sum: '$count' } } },
      ])
      .toArray();
    const { users = 0, notifications = 0 } = counted ?? {};
    return { memory, seconds, reached: users, doubled: notifications - users, missing: this.recipients - users };
  }

  private async isOver(): Promise<boolean> {
    const found = await this.stage.db.collection(announcementCollection.name).findOne({ _id: this.id });
    return found?.['status'] === 'sent';
  }
}
