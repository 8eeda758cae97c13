import { expect } from 'chai';
import { type Collection } from 'mongodb';
import { Lease, LeaseLost, type LeaseRow } from '../../src/core/database/lease.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

describe('A lease', () => {
  let lab: EventLab;
  let names = 0;
  before(async () => {
    lab = await EventLab.open([
      { name: 'leases', indexes: [] },
      { name: 'effects', indexes: [{ key: { what: 1 }, options: { unique: true } }] },
    ]);
  });
  after(() => lab.close());

  const rows = (): Collection<LeaseRow> => lab.database.collection<LeaseRow>('leases');
  const leaseOf = (id: string, owner: string, ttlMs = 60_000): Lease =>
    new Lease({ db: lab.database.db, rows: rows(), id, owner, ttlMs });
  const newName = (): string => `lease ${++names}`;

  /** Writes an effect and moves the row, in one transaction under the lease. */
  function act(lease: Lease, what: string): Promise<void> {
    return lab.database.inTransaction(async (session) => {
      await lease.announce(session);
      await lab.database.collection('effects').insertOne({ what }, { session });
      await lease.guard(session, { $set: { owner: what } });
    });
  }
  const exists = async (what: string): Promise<boolean> =>
    (await lab.database.collection('effects').countDocuments({ what })) === 1;

  it('goes to one of those who ask for it at once', async () => {
    const name = newName();
    const asked = Array.from({ length: 8 }, (_, index) => leaseOf(name, `owner ${index}`));
    const rowsTaken = await Promise.all(asked.map((lease) => lease.tryAcquire()));
    const taken = rowsTaken.filter((row) => row !== undefined);
    expect(taken).to.have.length(1);
    expect(taken[0]!.epoch).to.equal(1);
    expect(await asked[0]!.tryAcquire(), 'not even its holder gets it twice').to.equal(undefined);
  });

  it('is free for the next one as soon as it is given back', async () => {
    const name = newName();
    const [first, second] = [leaseOf(name, 'first'), leaseOf(name, 'second')];
    await first.tryAcquire();
    await first.release();
    expect(await second.tryAcquire()).to.deep.include({ owner: 'second', epoch: 2 });
    await first.release();
    expect((await rows().findOne({ _id: name }))!.owner, 'giving back twice takes it from nobody').to.equal('second');
  });

  it('passes on when it has run out, and its old holder can write nothing any more', async () => {
    const name = newName();
    const [old, next] = [leaseOf(name, 'old', 300), leaseOf(name, 'next')];
    await old.tryAcquire();
    await act(old, `${name}: in time`);
    await until(() => next.tryAcquire());

    const refused = await act(old, `${name}: too late`).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(LeaseLost);
    expect(await exists(`${name}: in time`)).to.equal(true);
    expect(await exists(`${name}: too late`)).to.equal(false);
    await act(next, `${name}: by the next`);
    expect(await exists(`${name}: by the next`)).to.equal(true);
  });

  it('stays with a holder that renews it, and tells it when another has taken it', async () => {
    const name = newName();
    const [holder, other] = [leaseOf(name, 'holder', 1_200), leaseOf(name, 'other')];
    await holder.tryAcquire();
    let lost = 0;
    holder.keepRenewed(() => (lost += 1));
    const end = Date.now() + 2_400;
    await until(async () => {
      expect(await other.tryAcquire()).to.equal(undefined);
      return Date.now() > end;
    });

    // As if the holder had slept: its time is over for everyone but itself.
    const expiry = lab.database.collection<{ _id: string; expiresAt: Date }>('leases');
    await until(async () => {
      await expiry.updateOne({ _id: `${name}/expiry` }, { $set: { expiresAt: new Date(0) } });
      return other.tryAcquire();
    });
    await until(() => lost > 0);
    await holder.release();
    expect((await rows().findOne({ _id: name }))!.owner).to.equal('other');
  });

  it('passes on together with what its dead holder had locked', async () => {
    const name = newName();
    const [dead, next] = [leaseOf(name, 'dead', 300), leaseOf(name, 'next')];
    await dead.tryAcquire();
    // It writes and guards, and is never heard of again: the transaction stays open on the server.
    const session = lab.database.streams.startSession();
    session.startTransaction();
    await dead.announce(session);
    const effects = lab.database.streams.db(lab.database.db.databaseName).collection('effects');
    await effects.insertOne({ what: `${name}: half done` }, { session });
    const theirs = lab.database.streams.db(lab.database.db.databaseName).collection<LeaseRow>('leases');
    await theirs.updateOne({ _id: name }, { $set: { owner: 'half done' } }, { session });

    await until(() => next.tryAcquire(), Boolean, 5_000);
    await act(next, `${name}: half done`);
    expect(await exists(`${name}: half done`)).to.equal(true);
    const committing = await session.commitTransaction().catch((error: unknown) => error);
    expect(committing).to.be.instanceOf(Error);
    await session.endSession();
  });
});
