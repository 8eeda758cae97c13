import { createHash } from 'node:crypto';
import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock, DAY, HOUR, SECOND } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Limit, type Limiter } from '../../core/http/limits.js';
import { badRequest, conflict } from '../../core/http/problem.js';
import { type PhoneCodes } from '../auth/index.js';
import { phoneCodeRequested, phoneConfirmed, phoneRemoved } from './phone.events.js';
import { type NumberPlan, readNumber } from './phone-number.js';
import { type Phone, phoneCollection } from './phone.model.js';

export interface PhoneDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  limiter: Limiter;
  codes: PhoneCodes;
  plan: NumberPlan;
  /** Whether anything sends SMS. */
  isServed: boolean;
}

/** A phone as its owner sees it. */
export interface OwnPhone {
  phone?: Phone;
  /** Another number, to which a code was sent. */
  pending?: { number: string; expiresAt: Date };
}

/**
 * Every code costs money, and there are numbers that earn their owner money by each that comes: whoever opens accounts
 * by the dozen still writes to one number, and from one network, only so often.
 */
const PER_NUMBER: Limit = { name: 'phone-number', points: 5, seconds: DAY / SECOND };
const PER_ADDRESS: Limit = { name: 'phone-address', points: 30, seconds: HOUR / SECOND };

/**
 * The phone numbers of users. A number belongs to whoever has shown last that the phone is theirs, and to nobody else:
 * numbers are given to new owners, who must not get what is meant for the one before. Nobody learns of whose it was.
 */
export class PhoneService {
  private readonly phones: Collection<Phone>;

  constructor(private readonly deps: PhoneDeps) {
    this.phones = deps.database.collection(phoneCollection.name);
  }

  /** One's own number, and the one that is about to take its place. */
  async read(userId: string): Promise<OwnPhone> {
    const [phone, code] = await Promise.all([
      this.phones.findOne({ _id: new ObjectId(userId) }),
      this.deps.codes.pending(userId),
    ]);
    return {
      ...(phone && { phone }),
      ...(code?.phone != null && { pending: { number: code.phone, expiresAt: code.expiresAt } }),
    };
  }

  /**
   * Has a code sent to a number, in the place of any code before. Until it is given nothing changes.
   * @throws Problem 409 `SMS_NOT_CONFIGURED`, 400 `PHONE_INVALID` or `PHONE_UNCHANGED`, 429
   */
  async request(userId: string, text: string, ip: string): Promise<void> {
    const { database, outbox, limiter, codes, plan, isServed } = this.deps;
    if (!isServed) throw conflict('SMS_NOT_CONFIGURED', 'Nothing here sends SMS.');
    const number = readNumber(text, plan);
    if (number === undefined) throw badRequest('PHONE_INVALID', 'This is not a mobile number that we can write to.');
    const own = await this.phones.findOne({ _id: new ObjectId(userId) });
    if (own?.number === number) throw badRequest('PHONE_UNCHANGED', 'This is your number already.');
    await codes.requireLeft(userId);
    await limiter.consume(ip, PER_ADDRESS);
    // Numbers of people do not belong into a table of counters.
    await limiter.consume(createHash('sha256').update(number).digest('base64url'), PER_NUMBER);
    await database.inTransaction(async (session) => {
      const codeId = await codes.create(session, userId, 'phone', number);
      await outbox.record(session, phoneCodeRequested, {
        entity: { kind: 'phoneCode', id: codeId },
        data: { userId, codeId, number },
      });
    });
  }

  /**
   * Gives the account the number that the code was sent to. Whoever had it has none from now on, and is told so.
   * @throws Problem 400 `CODE_INVALID`
   */
  async verify(userId: string, code: string): Promise<Phone> {
    const { database, outbox, clock, codes } = this.deps;
    return database.inTransaction(async (session) => {
      const number = await codes.redeemPhone(session, userId, code);
      const phone: Phone = { _id: new ObjectId(userId), number, verifiedAt: clock.now() };
      const former = await this.phones.findOneAndDelete({ number, _id: { $ne: phone._id } }, { session });
      if (former) await this.recordRemoval(session, former._id.toHexString(), userId, 'moved');
      await this.phones.replaceOne({ _id: phone._id }, phone, { upsert: true, session });
      await outbox.record(session, phoneConfirmed, {
        ...concerning(userId),
        actorId: userId,
        data: { userId, changeId: new ObjectId().toHexString() },
      });
      return phone;
    });
  }

  /** Takes one's number away, and the code that was sent to another; without a number nothing changes. */
  async remove(userId: string): Promise<void> {
    await this.deps.database.inTransaction(async (session) => {
      await this.deps.codes.drop(session, userId);
      const removed = await this.phones.findOneAndDelete({ _id: new ObjectId(userId) }, { session });
      if (removed) await this.recordRemoval(session, userId, userId, 'removed');
    });
  }

  /** Numbers by user id, in one query; who has none is absent. */
  async numbersOf(userIds: readonly string[]): Promise<Map<string, string>> {
    if (userIds.length === 0) return new Map();
    const found = await this.phones.find({ _id: { $in: userIds.map((id) => new ObjectId(id)) } }).toArray();
    return new Map(found.map(({ _id, number }) => [_id.toHexString(), number]));
  }

  /** Whose number it is, if anyone's. */
  async ownerOf(number: string): Promise<string | undefined> {
    return (await this.phones.findOne({ number }))?._id.toHexString();
  }

  private async recordRemoval(
    session: ClientSession,
    userId: string,
    actorId: string,
    reason: 'removed' | 'moved',
  ): Promise<void> {
    await this.deps.outbox.record(session, phoneRemoved, {
      ...concerning(userId),
      actorId,
      data: { userId, changeId: new ObjectId().toHexString(), reason },
    });
  }
}

function concerning(id: string) {
  return { entity: { kind: 'user', id }, audience: { userIds: [id] } };
}
