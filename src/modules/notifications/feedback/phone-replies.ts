import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type PhoneService } from '../../phones/index.js';
import { type SuppressionService } from '../suppressions/suppression.service.js';
import { firstHeard } from './heard.js';
import { type PhoneReply } from './twilio-events.js';

export interface PhoneReplyDeps {
  database: Database;
  clock: Clock;
  phones: Pick<PhoneService, 'ownerOf'>;
  suppressions: Pick<SuppressionService, 'add' | 'reopen'>;
}

/** Takes in what people answer to our SMS. */
export class PhoneReplies {
  constructor(private readonly deps: PhoneReplyDeps) {}

  /** Writes to a number no more, or again; each answer counts once, however often it is told. */
  async take({ eventId, number, wants }: PhoneReply): Promise<void> {
    const { database, clock, phones, suppressions } = this.deps;
    const userId = await phones.ownerOf(number);
    await database.inTransaction(async (session) => {
      const heard = { source: 'twilio', eventIds: [eventId], at: clock.now() };
      if ((await firstHeard(database, session, heard)).size === 0) return;
      if (wants === 'everything') {
        await suppressions.reopen(session, number, 'stop');
        return;
      }
      const stop = { address: number, reason: 'stop', source: 'twilio' } as const;
      await suppressions.add(session, [{ ...stop, ...(userId !== undefined && { userId }) }]);
    });
  }
}
