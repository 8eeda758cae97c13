import { expect } from 'chai';
import { MongoNetworkError, MongoServerError } from 'mongodb';
import { type DomainEvent } from '../../src/core/events/event.js';
import { EventLab, noted, whispered } from '../support/event-lab.js';
import { until } from '../support/until.js';

describe('A consumer of events', () => {
  let lab: EventLab;
  beforeEach(async () => {
    lab = await EventLab.open();
  });
  afterEach(() => lab.close());

  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `note ${index}`);

  async function noteAtOnce(texts: string[]): Promise<void> {
    const events = texts.map((text) => ({ entity: { kind: 'note', id: text }, data: { text } }));
    await lab.database.inTransaction((session) => lab.outbox.recordAll(session, noted, events));
  }

  it('that has never run handles what was written before, in order, and then what comes', async () => {
    await noteAtOnce(many(250));
    lab.consume();
    await lab.toldOf('note 249');
    await lab.note('live');
    expect(await lab.toldOf('live')).to.deep.equal([...many(250), 'live']);
  });

  it('goes on where the last one stopped', async () => {
    const first = lab.consume(undefined, { idleMs: 50 });
    await lab.note('one');
    await lab.toldOf('one');
    await until(async () => (await lab.row.findOne({ _id: 'lab' }))?.token);
    await first.stop();
    const { handled } = lab.counted;
    await lab.note('two', 'three');
    lab.consume();
    expect(await lab.toldOf('three')).to.deep.equal(['one', 'two', 'three']);
    await until(() => lab.counted.handled === handled + 2);
    expect(lab.counted.historyLost).to.equal(0);
  });

  it('that is stopped in the middle of catching up loses nothing of the rest', async () => {
    await noteAtOnce(many(250));
    let stopped: Promise<void> | undefined;
    const first = lab.consume(async () => {
      if (stopped) return;
      stopped = first.stop();
      // The stream has this one already when the consumer comes to look at it.
      await lab.note('meanwhile');
    });
    await until(() => stopped !== undefined);
    await stopped;
    expect(await lab.told()).to.have.length(100);

    lab.consume();
    await lab.toldOf('meanwhile');
    await lab.toldOf('note 249');
    expect(await lab.told()).to.have.members([...many(250), 'meanwhile']);
  });

  it('can be stopped at any moment of its start', async () => {
    for (let steps = 0; steps < 12; steps++) {
      const consumer = lab.consume();
      for (let step = 0; step < steps; step++) await lab.row.findOne();
      await consumer.stop();
    }
    await lab.note('after all');
    lab.consume();
    expect(await lab.toldOf('after all')).to.deep.equal(['after all']);
  });

  it('commits a batch that takes it longer than several renewals of its lease', async () => {
    const leases = lab.database.collection<{ _id: string; expiresAt: Date }>('consumers');
    const expiry = async () => (await leases.findOne({ _id: 'lab/expiry' }))!.expiresAt.getTime();
    let attempts = 0;
    await lab.note('a long story');
    lab.consume(
      async () => {
        attempts += 1;
        for (let renewals = 0; renewals < 2; renewals++) {
          const before = await expiry();
          await until(expiry, (now) => now > before);
        }
      },
      { leaseMs: 900 },
    );
    expect(await lab.toldOf('a long story')).to.deep.equal(['a long story']);
    expect(attempts).to.equal(1);
  });

  it('saves its position although nothing comes that it wants', async () => {
    const consumer = lab.consume(undefined, { idleMs: 50 });
    const first = await until(async () => (await lab.row.findOne({ _id: 'lab' }))?.token);
    await lab.record(whispered, 'not for this one');
    await until(async () => JSON.stringify((await lab.row.findOne({ _id: 'lab' }))?.token) !== JSON.stringify(first));
    expect(await lab.told()).to.be.empty;

    await lab.note('wanted');
    await lab.toldOf('wanted');
    await consumer.stop();
    lab.consume();
    await lab.note('later');
    expect(await lab.toldOf('later')).to.deep.equal(['wanted', 'later']);
  });

  it('does what is done beforehand once, before and beside the transaction, however often that begins anew', async () => {
    const notes = lab.database.collection<{ _id: string; times: number }>('beforehand');
    const seenBefore: unknown[] = [];
    let conflicts = 2;
    lab.consume(undefined, {
      listeners: [
        {
          name: 'in the transaction',
          types: [noted],
          async handle() {
            seenBefore.push(await notes.countDocuments());
            if (conflicts-- <= 0) return;
            throw new MongoServerError({ message: 'conflict', code: 112, errorLabels: ['TransientTransactionError'] });
          },
        },
        {
          name: 'beforehand',
          types: [noted],
          async beforehand(events) {
            for (const { entity } of events)
              await notes.updateOne({ _id: entity.id }, { $inc: { times: 1 } }, { upsert: true });
          },
        },
      ],
    });
    await noteAtOnce(['one', 'two']);
    await until(() => lab.counted.handled === 2);
    expect(await notes.find().toArray()).to.have.deep.members([
      { _id: 'one', times: 1 },
      { _id: 'two', times: 1 },
    ]);
    expect(seenBefore).to.deep.equal([2, 2, 2]);
  });

  it('says beforehand whether more waits, so that nobody takes their time then', async () => {
    await noteAtOnce(many(250));
    const batches: [number, boolean][] = [];
    const beforehand = (events: DomainEvent[], isBehind: boolean) =>
      Promise.resolve(void batches.push([events.length, isBehind]));
    lab.consume(undefined, { listeners: [{ name: 'beforehand', types: [noted], beforehand }] });
    await until(() => lab.counted.handled === 250);
    await lab.note('live');
    await until(() => lab.counted.handled === 251);
    expect(batches).to.deep.equal([
      [100, true],
      [100, true],
      [50, false],
      [1, false],
    ]);
  });

  describe('whose listener fails', () => {
    const dead = () => lab.database.collection('deadEvents').find().toArray();

    it('each time for one event sets that one aside with its error, and handles the rest in order', async () => {
      lab.consume((text) => {
        if (text === 'poison') throw new Error('cannot stomach it');
      });
      await noteAtOnce(['before', 'poison', 'after']);
      await lab.note('later');

      expect(await lab.toldOf('later')).to.deep.equal(['before', 'after', 'later']);
      const [row, ...others] = await dead();
      expect(others).to.be.empty;
      expect(row).to.deep.include({ consumer: 'lab', error: 'cannot stomach it' });
      expect(row!['event'].data).to.deep.equal({ text: 'poison' });
      expect(lab.counted.setAside).to.equal(1);
      await lab.logged('event set aside');
    });

    it('beforehand sets aside the event that it fails for, too', async () => {
      const listener = {
        name: 'beforehand',
        types: [noted],
        beforehand: (events: DomainEvent[]) =>
          events.some(({ entity }) => entity.id === 'poison')
            ? Promise.reject(new Error('cannot stomach it'))
            : Promise.resolve(),
      };
      lab.consume(undefined, { listeners: [listener] });
      await noteAtOnce(['before', 'poison', 'after']);
      await until(() => lab.counted.handled === 2 && lab.counted.setAside === 1);
      expect((await dead()).map((row) => row['event'].entity.id as string)).to.deep.equal(['poison']);
    });

    it('twice and then works sets nothing aside and keeps the order', async () => {
      let failures = 2;
      lab.consume((text) => {
        if (text === 'heavy' && failures-- > 0) throw new Error('too heavy for now');
      });
      await noteAtOnce(['before', 'heavy', 'after']);

      expect(await lab.toldOf('after')).to.deep.equal(['before', 'heavy', 'after']);
      expect(await dead()).to.be.empty;
    });

    const troubles: [string, () => Error][] = [
      ['the network fails', () => new MongoNetworkError('connection reset')],
      ['a read meets a former primary', () => new MongoServerError({ message: 'not primary', code: 13435 })],
      ['the server shuts down', () => new MongoServerError({ message: 'shutting down', code: 91 })],
      [
        'the pool has no connection',
        () => Object.assign(new Error('no connection'), { name: 'MongooseServerSelectionError' }),
      ],
    ];
    for (const [what, error] of troubles) {
      it(`as long as ${what} does not take the event for the culprit`, async () => {
        let failures = 4;
        lab.consume((text) => {
          if (text === 'unlucky' && failures-- > 0) throw error();
        });
        await noteAtOnce(['before', 'unlucky', 'after']);
        expect(await lab.toldOf('after')).to.deep.equal(['before', 'unlucky', 'after']);
        expect(await dead()).to.be.empty;
      });
    }
  });
});
