import pLimit from 'p-limit';
import { type SmtpEdge } from '../../test/edge/index.js';
import { type Person } from '../../test/support/api.js';
import { until } from './pace.js';
import { type Stage } from './stage.js';

const PATIENCE_MS = 60_000;

export interface Rate {
  perSecond: number;
  overdue: number;
  /** Processor time that each kind of process took for one, in milliseconds. */
  processorMs?: Record<string, number>;
}

/** Notifications that an admin sends by the thousand. */
export class Batches {
  private heard = 0;
  private sent = 0;

  private constructor(
    private readonly stage: Stage,
    private readonly admin: Person,
  ) {
    for (const { socket } of stage.people) {
      socket.socket.on('notification:new', ({ type }: { type: string }) => {
        if (type === 'SYSTEM') this.heard += 1;
      });
    }
  }

  static async prepare(stage: Stage): Promise<Batches> {
    return new Batches(stage, await stage.admin());
  }

  /**
   * From the first call until every socket has heard of every notification; what was heard of is written, and that
   * none is missing in the database is checked afterwards.
   */
  async run(calls: number, atOnce: number): Promise<Rate> {
    const { stage } = this;
    const { recipientIds, people } = stage;
    const notifications = stage.db.collection('notifications');
    const writtenBefore = await notifications.countDocuments({ type: 'SYSTEM' });
    this.heard = 0;
    const start = performance.now();
    await this.call(calls, atOnce);
    await until(() => this.heard >= calls * people.length, PATIENCE_MS);
    const seconds = (performance.now() - start) / 1_000;
    const expected = calls * recipientIds.length;
    const written = (await notifications.countDocuments({ type: 'SYSTEM' })) - writtenBefore;
    return { perSecond: expected / seconds, overdue: expected - written + (calls * people.length - this.heard) };
  }

  /** From the first call until the mail server has taken every mail. */
  async runByMail(smtp: SmtpEdge, calls: number, atOnce: number): Promise<Rate> {
    const expected = calls * this.stage.recipientIds.length;
    let mails = 0;
    const end = smtp.onReceived(() => void (mails += 1));
    const start = performance.now();
    await this.call(calls, atOnce);
    await until(() => mails >= expected, PATIENCE_MS);
    const seconds = (performance.now() - start) / 1_000;
    end();
    return { perSecond: mails / seconds, overdue: expected - mails };
  }

  async call(calls: number, atOnce: number): Promise<void> {
    const limit = pLimit(atOnce);
    await Promise.all(Array.from({ length: calls }, () => limit(() => this.sendOne())));
  }

  private async sendOne(): Promise<void> {
    this.sent += 1;
    const answer = await this.admin.post('/notifications', {
      userIds: this.stage.recipientIds,
      type: 'SYSTEM',
      title: `The library stays open, notice ${this.sent}`,
      body: 'During the exam weeks the library is open until midnight. تبقى المكتبة مفتوحة حتى منتصف الليل.',
    });
    if (answer.status !== 202) throw new Error(`a batch was refused: ${JSON.stringify(answer.body)}`);
  }
}
