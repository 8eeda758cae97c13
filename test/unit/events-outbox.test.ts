import { expect } from 'chai';
import { systemClock } from '../../src/core/clock.js';
import { Outbox } from '../../src/core/events/outbox.js';
import { withRequest } from '../../src/core/observability/request-context.js';
import { EventLab, noted } from '../support/event-lab.js';

describe('The outbox', () => {
  let lab: EventLab;
  before(async () => {
    lab = await EventLab.open([{ name: 'things', indexes: [] }]);
  });
  after(() => lab.close());

  const things = () => lab.database.collection<{ _id: string }>('things');
  const eventOf = (id: string) => lab.events.findOne({ 'entity.id': id });

  it('keeps an event exactly if it keeps the write that caused it', async () => {
    const write = (id: string, fails: boolean): Promise<void> =>
      lab.database.inTransaction(async (session) => {
        await things().insertOne({ _id: id }, { session });
        await lab.outbox.record(session, noted, { entity: { kind: 'thing', id }, data: { text: id } });
        if (fails) throw new Error('on second thoughts');
      });

    await write('kept', false);
    const error = await write('dropped', true).catch(String);

    expect(error).to.contain('on second thoughts');
    expect((await things().find().toArray()).map(({ _id }) => _id)).to.deep.equal(['kept']);
    expect(await eventOf('kept')).to.deep.include({ type: 'test.noted', data: { text: 'kept' } });
    expect(await eventOf('dropped')).to.equal(null);
  });

  it('refuses, in tests, an event whose data does not fit its kind, and the write with it', async () => {
    const wrong = { text: 5 } as unknown as { text: string };
    const write = lab.database.inTransaction(async (session) => {
      await things().insertOne({ _id: 'wrong' }, { session });
      await lab.outbox.record(session, noted, { entity: { kind: 'thing', id: 'wrong' }, data: wrong });
    });
    expect(await write.catch(String)).to.match(/test\.noted does not fit its schema: .*text/);
    expect(await things().findOne({ _id: 'wrong' })).to.equal(null);
  });

  it('lets it pass in production, where the write matters more', async () => {
    const outbox = new Outbox({ database: lab.database, clock: systemClock, validate: false });
    const data = { text: 5 } as unknown as { text: string };
    await outbox.announce(noted, { entity: { kind: 'thing', id: 'odd' }, data });
    expect((await eventOf('odd'))!.data).to.deep.equal({ text: 5 });
  });

  it('notes the request that an event came from', async () => {
    await withRequest({ requestId: 'request-1' }, () =>
      lab.outbox.announce(noted, { entity: { kind: 'thing', id: 'asked' }, data: { text: 'asked' } }),
    );
    expect((await eventOf('asked'))!.requestId).to.equal('request-1');
  });

  it('keeps events for seven days', async () => {
    const ttl = (await lab.events.indexes()).find(({ expireAfterSeconds }) => expireAfterSeconds !== undefined);
    expect(ttl).to.deep.include({ key: { at: 1 }, expireAfterSeconds: 7 * 24 * 3_600 });
  });
});
