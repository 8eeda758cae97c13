import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { later, SECOND } from '../../src/core/clock.js';
import { connectDatabase } from '../../src/core/database/database.js';
import { type Api, Campus, MORTAL, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { startWorker } from '../support/processes.js';
import { until } from '../support/until.js';

const MANY = 1_000;
/** A claim that lasted as long as that of a delivery would be seen to be waited for. */
const FOR_EVER = { CLAIM_SECONDS: '3600' };

describe('A worker that dies while it withdraws what was told of a deleted post', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(90_000);

  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open({ ...SWEPT_OFTEN, ...FOR_EVER });
    api = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  const notifications = () => campus.db.collection('notifications');
  const endings = () => campus.db.collection('notificationEndings');
  const withdrawn = (about: string) => notifications().countDocuments({ about, withdrawn: { $exists: true } });
  const allWithdrawn = (about: string) =>
    until(
      () => endings().countDocuments({ about }),
      (count) => count === 0,
      30_000,
    );

  /** Someone with so many notifications about a post of theirs as if so many had commented. */
  async function popular(count: number): Promise<{ author: Person; postId: string; about: string }> {
    const [author, reader] = [await api.register(), await api.register()];
    const postId = await author.publish('Popular');
    const about = `post:${postId}`;
    await reader.post(`/posts/${postId}/comments`, { content: 'The first' });
    // Its mail is out of the way, and the others have none: nobody else is at work on them.
    const first = await until(() => notifications().findOne({ about, 'channels.email.status': 'sent' }));
    const copies = Array.from({ length: count - 1 }, (_, index) => ({
      ...first,
      ...{ _id: new ObjectId(), dedupeKey: `copy:${index}`, channels: { inApp: { status: 'unread' } } },
    }));
    await notifications().insertMany(copies);
    const inboxes = campus.db.collection('notificationInboxes');
    await inboxes.updateOne({ _id: new ObjectId(author.id) }, { $inc: { unread: count - 1 } });
    return { author, postId, about };
  }

  it('is followed by another, which goes on where it was: nothing is left, and everything is taken back once', async () => {
    const worker = await startWorker(campus);
    const { author, postId, about } = await popular(MANY);
    expect((await author.delete(`/posts/${postId}`)).status).to.equal(204);
    await until(
      () => withdrawn(about),
      (count) => count > 0,
    );
    await worker.kill();
    expect(await withdrawn(about)).to.be.within(1, MANY - 1);
    expect(await endings().countDocuments({ about })).to.equal(1);

    await campus.startProcess({ env: { ...MORTAL, ...FOR_EVER, ROLE: 'worker' } });
    await allWithdrawn(about);
    expect(await withdrawn(about)).to.equal(MANY);
    expect((await author.get('/notifications/unread-count')).body).to.deep.equal({ count: 0 });
    expect((await author.get('/notifications')).body.data).to.deep.equal([]);
    const told = await campus.db
      .collection('events')
      .find({ type: 'notifications.withdrawn', 'data.items.userId': author.id })
      .toArray();
    const ids = told.flatMap(({ data }) =>
      (data.items as { notificationId: string }[]).map((item) => item.notificationId),
    );
    expect(ids).to.have.length(MANY);
    expect(new Set(ids).size).to.equal(MANY);
  });

  it('keeps nobody waiting with what it left open in the database', async () => {
    const { author, about } = await popular(3);
    const dead = await connectDatabase(campus.uri);
    const session = await dead.connection.startSession();
    try {
      const [_id, soon] = [new ObjectId(), later(campus.clock.now(), 2 * SECOND)];
      const claimed = { _id, about, claim: 'a dead worker', session: session.id!.id, nextAttemptAt: soon };
      await endings().insertOne(claimed);
      session.startTransaction();
      await dead.collection('notificationEndings').updateOne({ _id }, { $set: { after: _id } }, { session });
      await dead.collection('notifications').updateMany({ about }, { $set: { title: 'Locked' } }, { session });

      await allWithdrawn(about);
      expect(await withdrawn(about)).to.equal(3);
      expect((await author.get('/notifications/unread-count')).body).to.deep.equal({ count: 0 });
    } finally {
      await session.endSession().catch(() => undefined);
      await dead.close();
    }
  });
});
