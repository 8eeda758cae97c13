import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { systemClock } from '../../src/core/clock.js';
import { createLimiter, rateLimitCollection } from '../../src/core/http/limits.js';
import { Problem } from '../../src/core/http/problem.js';
import { generateKeys, parseKeyRing } from '../../src/core/security/key-ring.js';
import { authCollections } from '../../src/modules/auth/auth.models.js';
import { MailedCodes } from '../../src/modules/auth/mailed-codes.js';
import { SignInGuard } from '../../src/modules/auth/sign-in-guard.js';
import { EventLab } from '../support/event-lab.js';

const OLD_KEY = generateKeys();

describe('A mailed code', () => {
  let lab: EventLab;
  before(async () => {
    lab = await EventLab.open([...authCollections, rateLimitCollection, { name: 'deeds', indexes: [] }]);
  });
  after(() => lab.close());

  const codesWith = (keys: string): MailedCodes => {
    const { database, outbox } = lab;
    const guard = new SignInGuard(createLimiter({ db: database.db, globalPerMinute: 0 }));
    return new MailedCodes(parseKeyRing(keys), { database, outbox, clock: systemClock, guard });
  };
  const sent = async (userId: string, codes = codesWith(OLD_KEY)): Promise<string> => {
    await codes.send(userId, 'erasure');
    const event = await lab.events.findOne({ type: 'code.requested', 'data.userId': userId });
    return codes.reveal(event!.entity.id);
  };
  /** Does something by a code, in a transaction that has read before, as callers do. */
  const deed = (userId: string, code: string, { fails = false, codes = codesWith(OLD_KEY) } = {}): Promise<string> =>
    lab.database
      .inTransaction(async (session) => {
        const deeds = lab.database.collection<{ _id: ObjectId; userId: string }>('deeds');
        await deeds.findOne({ userId }, { session });
        await codes.require(session, userId, 'erasure', code);
        await deeds.insertOne({ _id: new ObjectId(), userId }, { session });
        if (fails) throw new Error('on second thoughts');
        return 'done';
      })
      .catch((error: unknown) => (error instanceof Problem ? error.code : String(error)));
  const wrong = (code: string, by: number) => String((Number(code) + by) % 1_000_000).padStart(6, '0');

  it('is used up by what was done with it, and only if that was done', async () => {
    const userId = new ObjectId().toHexString();
    const code = await sent(userId);
    expect(await deed(userId, code, { fails: true })).to.contain('on second thoughts');
    expect(await deed(userId, code)).to.equal('done');
    expect(await deed(userId, code)).to.equal('CODE_INVALID');
  });

  it('may be wrong five times, though what each was tried for did not happen', async () => {
    const [patient, careless] = [new ObjectId().toHexString(), new ObjectId().toHexString()];
    const codes = [await sent(patient), await sent(careless)] as const;
    for (let by = 1; by <= 4; by += 1) expect(await deed(patient, wrong(codes[0], by))).to.equal('CODE_INVALID');
    expect(await deed(patient, codes[0])).to.equal('done');
    for (let by = 1; by <= 5; by += 1) expect(await deed(careless, wrong(codes[1], by))).to.equal('CODE_INVALID');
    expect(await deed(careless, codes[1])).to.equal('CODE_INVALID');
  });

  it('does one thing, though it is brought for many at once', async () => {
    const userId = new ObjectId().toHexString();
    const code = await sent(userId);
    const results = await Promise.all(Array.from({ length: 5 }, () => deed(userId, code)));
    expect(results.filter((result) => result === 'done')).to.have.length(1);
  });

  it('still works after the keys were rotated, and only then', async () => {
    const userId = new ObjectId().toHexString();
    const code = await sent(userId);
    const newKey = generateKeys().replace('k1:', 'k2:');
    expect(await deed(userId, code, { codes: codesWith(newKey) })).to.equal('CODE_INVALID');
    expect(await deed(userId, code, { codes: codesWith(`${newKey},${OLD_KEY}`) })).to.equal('done');
  });

  it('is nobody’s who has none', async () => {
    expect(await deed(new ObjectId().toHexString(), '000000')).to.equal('CODE_INVALID');
  });
});
