import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { edit } from '../delivery/message-scene.js';
import { Scene } from '../delivery/scene.js';
import { type Api, Campus, MORTAL, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { type ProcessNode } from '../support/process-node.js';
import { startWorker } from '../support/processes.js';
import { until } from '../support/until.js';

const MANY = 1_000;
/** A claim that lasted as long as that of a delivery would be seen to be waited for. */
const FOR_EVER = { CLAIM_SECONDS: '3600' };

describe('A worker that dies while it tells a group of a message, or of its edit', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(120_000);

  let campus: Campus;
  let api: Api;
  let sara: Person;
  let id: string;
  let worker: ProcessNode;
  before(async () => {
    campus = await Campus.open({ ...SWEPT_OFTEN, ...FOR_EVER });
    api = await campus.startNode({ env: { ROLE: 'api' } });
    sara = await api.register({ name: 'Sara' });
    const omar = await api.register();
    id = await converse(sara, [omar], 'Everybody');
    const memberships = campus.db.collection('memberships');
    const { _id: _, ...membership } = (await memberships.findOne({ userId: new ObjectId(omar.id) }))!;
    const crowd = await new Scene(campus, api).crowd(MANY - 2);
    await memberships.insertMany(crowd.map((each) => ({ ...membership, userId: new ObjectId(each.id) })));
  });
  beforeEach(async () => {
    worker = await startWorker(campus);
  });
  afterEach(() => worker.kill());
  after(() => campus.close());

  const news = () => campus.db.collection('messageNews');
  const told = () => campus.db.collection('notifications').countDocuments({ type: 'MESSAGE' });
  const shown = () =>
    campus.db.collection('notifications').countDocuments({ 'entity.id': id, 'channels.inApp': { $exists: true } });
  /** Has them told now, and not some seconds later. */
  const hurry = async (): Promise<void> => {
    await until(
      () => news().countDocuments({ kind: 'said' }),
      (count) => count === 1,
    );
    await news().updateOne({ kind: 'said', claim: { $exists: false } }, { $set: { nextAttemptAt: new Date() } });
  };
  const startNext = () => campus.startProcess({ env: { ...MORTAL, ...FOR_EVER, ROLE: 'worker' } });
  const allTold = () =>
    until(
      () => news().countDocuments(),
      (count) => count === 0,
      60_000,
    );

  it('is followed by another, which goes on where it was: everybody is told, and once', async () => {
    await say(sara, id, 'Hello, all');
    await hurry();
    await until(told, (count) => count > 0);
    await worker.kill();
    expect(await told()).to.be.within(1, MANY - 2);
    expect(await news().countDocuments()).to.equal(1);

    worker = await startNext();
    await allTold();
    const recipients = await campus.db.collection('notifications').distinct('userId', { type: 'MESSAGE' });
    expect(recipients).to.have.length(MANY - 1);
    expect(await told()).to.equal(MANY - 1);
    const created = await campus.db
      .collection('events')
      .find({ type: 'notifications.created', 'data.shared.type': 'MESSAGE' })
      .toArray();
    expect(created.flatMap(({ data }) => data.items as object[])).to.have.length(MANY - 1);
  });

  it('tells nobody in the end of what is deleted while it is told', async () => {
    await say(sara, id, 'Well-considered words');
    await hurry();
    await allTold();
    const { id: messageId } = await say(sara, id, 'Rash words');
    const before = await told();
    await hurry();
    await until(told, (count) => count > before);
    expect((await sara.delete(`/conversations/${id}/messages/${messageId as string}?for=everyone`)).status).to.equal(
      204,
    );
    await allTold();
    const quoting = { 'data.messageId': messageId, 'channels.inApp': { $exists: true } };
    // That it was deleted may be followed after all were told.
    await until(
      () => campus.db.collection('notifications').countDocuments(quoting),
      (count) => count === 0,
    );
    await allTold();
    // The one of before is told still.
    expect(await shown()).to.equal(MANY - 1);
  });

  it('goes on from there with what a message says now: everybody is told, and once', async () => {
    const said = await say(sara, id, 'At five');
    await hurry();
    await allTold();
    await edit(sara, said, 'At six');
    const now = { 'data.messageId': said.id, 'data.excerpt': 'At six' };
    const reworded = () => campus.db.collection('notifications').countDocuments(now);
    await until(reworded, (count) => count > 0);
    await worker.kill();
    expect(await reworded()).to.be.within(1, MANY - 2);
    expect(await news().countDocuments({ kind: 'reworded' })).to.equal(1);

    worker = await startNext();
    await allTold();
    expect(await reworded()).to.equal(MANY - 1);
    const updates = await campus.db
      .collection('events')
      .find({ type: 'notification.updated', 'data.notification.data.excerpt': 'At six' })
      .toArray();
    expect(updates).to.have.length(MANY - 1);
    expect(new Set(updates.map(({ entity }) => entity.id as string)).size).to.equal(MANY - 1);
  });
});
