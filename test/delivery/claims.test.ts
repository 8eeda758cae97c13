import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { SECOND, later } from '../../src/core/clock.js';
import { connectDatabase } from '../../src/core/database/database.js';
import { type Notification } from '../../src/modules/notifications/notification.model.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { gate, Scene } from './scene.js';

/** Claims that a test can see renewed and run out. */
const BRIEF = { CLAIM_SECONDS: '3' };

describe('A worker’s claim on a delivery', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open(BRIEF);
    await scene.campus.startNode({ env: { ROLE: 'worker', ...BRIEF } });
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  const notifications = () => scene.campus.db.collection<Notification>('notifications');

  /** What the worker that had it in hand has left in the database. */
  async function leave(person: Person, email: object): Promise<void> {
    const changes = Object.fromEntries(Object.entries(email).map(([key, value]) => [`channels.email.${key}`, value]));
    await notifications().updateOne({ userId: new ObjectId(person.id) }, { $set: changes });
  }

  /** Someone whose mail has just failed for the first time. */
  async function withFailedMail(): Promise<Person> {
    const person = await scene.register();
    scene.edge.smtp.faults.next({ kind: 'status', status: 450 });
    await scene.notify([person], { channels: ['email'] });
    await scene.delivery(person, 'email', 'failed');
    return person;
  }

  /** Does something while a transaction that nobody goes on with has locked what this person is told. */
  async function whileLocked(person: Person, work: () => Promise<void>): Promise<void> {
    const database = await connectDatabase(scene.campus.uri);
    const session = await database.connection.startSession();
    try {
      session.startTransaction();
      const [theirs, change] = [{ userId: new ObjectId(person.id) }, { $set: { 'channels.email.error': 'LOCKED' } }];
      await database.collection('notifications').updateOne(theirs, change, { session });
      await work();
      await session.abortTransaction();
    } finally {
      await session.endSession();
      await database.close();
    }
  }

  const passed = (moment: Date) =>
    until(
      () => Promise.resolve(scene.campus.clock.now()),
      (now) => now > moment,
    );

  it('is renewed while the provider takes its time, so that nobody else sends it too', async () => {
    const person = await scene.register();
    const { open, opened } = gate();
    scene.edge.smtp.onReceived(({ subject }) => (subject === 'Slow' ? opened : undefined));
    await scene.notify([person], { channels: ['email'], title: 'Slow' });
    await scene.edge.smtp.waitFor();

    const { nextAttemptAt: firstEnd } = await scene.delivery(person, 'email', 'sending');
    await until(
      () => scene.delivery(person, 'email', 'sending', 1),
      () => scene.campus.clock.now() > later(new Date(firstEnd), SECOND),
    );

    open();
    await scene.delivery(person, 'email', 'sent', 1);
    await scene.notify([person], { channels: ['email'], title: 'Marker' });
    await scene.edge.smtp.waitFor(({ subject }) => subject === 'Marker');
    expect(scene.edge.smtp.received.map(({ subject }) => subject)).to.deep.equal(['Slow', 'Marker']);
  });

  it('runs out when its worker is dead, and another sends the same message', async () => {
    const person = await withFailedMail();
    const soon = later(scene.campus.clock.now(), SECOND);
    await leave(person, { status: 'sending', attempts: 1, claim: 'a dead worker', nextAttemptAt: soon });

    await scene.delivery(person, 'email', 'sent', 2);
    const [mail] = scene.edge.smtp.received;
    expect(mail!.at).to.be.above(soon);
    expect(mail!.messageId).to.equal(scene.edge.smtp.rejected[0]!.item!.messageId);
  });

  it('that a dead worker’s open transaction keeps locked makes nobody else wait', async () => {
    const [person, other] = [await withFailedMail(), await scene.register()];
    const end = later(scene.campus.clock.now(), 3 * SECOND);
    await leave(person, { status: 'sending', attempts: 1, claim: 'a dead worker', nextAttemptAt: end });
    await whileLocked(person, async () => {
      await passed(end);
      await scene.notify([other], { channels: ['email'] });
      await scene.delivery(other, 'email', 'sent', 1);
      await scene.delivery(person, 'email', 'sending', 1);
    });
    await scene.delivery(person, 'email', 'sent', 2);
  });

  it('is made on everything else where a dead worker’s open transaction locks what is due', async function () {
    this.timeout(60_000);
    const [person, other] = [await withFailedMail(), await withFailedMail()];
    const dueAt = later(scene.campus.clock.now(), 3 * SECOND);
    for (const each of [person, other]) await leave(each, { nextAttemptAt: dueAt });
    await whileLocked(person, async () => {
      await passed(dueAt);
      // So brief a claim may run out while its worker waits for the lock, so that it is made once more.
      await scene.delivery(other, 'email', 'sent');
      await scene.delivery(person, 'email', 'failed', 1);
    });
    scene.campus.clock.advance(60 * SECOND);
    await scene.delivery(person, 'email', 'sent');
  });

  it('is not made for ever on what kills its worker each time', async () => {
    const person = await withFailedMail();
    const now = scene.campus.clock.now();
    await leave(person, { status: 'sending', attempts: 10, claim: 'the tenth dead worker', nextAttemptAt: now });

    const dead = await scene.delivery(person, 'email', 'dead');
    expect(dead).to.deep.equal({ status: 'dead', attempts: 11, error: 'WORKER_DIED_EACH_TIME' });
    expect(scene.edge.smtp.received).to.deep.equal([]);
  });

  it('that another worker has taken over lets the first one record nothing', async () => {
    const person = await scene.register();
    const { open, opened } = gate();
    scene.edge.smtp.onReceived(() => opened);
    await scene.notify([person], { channels: ['email'] });
    await scene.edge.smtp.waitFor();
    const theirs = { claim: 'another worker', nextAttemptAt: later(scene.campus.clock.now(), 3_600 * SECOND) };
    await leave(person, { ...theirs, attempts: 2 });

    open();
    // A node stops when what it has in hand is finished.
    await scene.campus.stopNodes();
    const stored = await notifications().findOne({ userId: new ObjectId(person.id) });
    expect(stored!.channels.email).to.deep.equal({ status: 'sending', attempts: 2, ...theirs });
    const told = await scene.campus.db
      .collection('events')
      .find({ type: 'deliveries.recorded', 'data.items.notificationId': stored!._id.toHexString() })
      .toArray();
    expect(told.map(({ data }) => (data as { items: { status: string }[] }).items[0]!.status)).to.deep.equal([
      'sending',
    ]);
  });
});
