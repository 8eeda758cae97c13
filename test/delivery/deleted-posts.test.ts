import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, later } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
/** More than two transactions withdraw. */
const MANY = 450;

describe('What was told about a post that is deleted', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene.close());

  const timeOfDay = (fromNow: number): string => later(scene.campus.clock.now(), fromNow).toISOString().slice(11, 16);
  /** Someone whose mail waits. */
  const quietPerson = async (): Promise<Person> => {
    const person = await scene.register();
    const spans = [{ days: DAYS, from: timeOfDay(-HOUR), to: timeOfDay(HOUR) }];
    await person.patch('/settings/notifications', { quietHours: { spans } });
    return person;
  };
  const notifications = () => scene.campus.db.collection('notifications');
  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications?limit=100')).body.data;
  const listed = (person: Person, count: number) =>
    until(
      () => listOf(person),
      ({ length }) => length === count,
    );
  const unreadOf = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  const noneLeft = () =>
    until(
      () => scene.campus.db.collection('notificationEndings').countDocuments(),
      (count) => count === 0,
    );

  it('is gone, live and uncounted, and not sent where it waits; what is about others stays', async () => {
    const [author, reader, other] = [await quietPerson(), await scene.register(), await scene.register()];
    const socket = await author.connect('/notifications');
    const [gone, kept] = [await author.publish('Gone'), await author.publish('Kept')];
    for (const by of [reader, other]) await by.post(`/posts/${gone}/react`, { type: 'LIKE' });
    for (const postId of [gone, kept]) await reader.post(`/posts/${postId}/comments`, { content: 'Hello' });
    await listed(author, 3);
    await until(async () => (await listOf(author)).some(({ count }) => count === 2));
    const ids = (await listOf(author)).filter(({ deepLink }) => deepLink.includes(gone)).map(({ id }) => id as string);
    expect(await unreadOf(author)).to.equal(3);

    expect((await author.delete(`/posts/${gone}`)).status).to.equal(204);
    for (const id of ids) await socket.next('notification:withdrawn', (payload) => payload.id === id);
    await socket.next('unread-count', ({ count }) => count === 1);
    const [left] = await listed(author, 1);
    expect(left.deepLink).to.include(kept);
    expect(await unreadOf(author)).to.equal(1);
    await noneLeft();
    const stored = await notifications()
      .find({ userId: new ObjectId(author.id), about: `post:${gone}` })
      .toArray();
    expect(stored).to.have.length(3);
    for (const { channels } of stored) {
      expect(channels).not.to.have.property('inApp');
      expect(channels.email.status).to.equal('cancelled');
    }
    author.disconnect();
  });

  it('is withdrawn in pages where it is very much, and once, though it is handled again', async () => {
    const [author, reader] = [await quietPerson(), await scene.register()];
    const postId = await author.publish('Popular');
    await reader.post(`/posts/${postId}/comments`, { content: 'The first' });
    const { id } = await scene.notification(author, ({ type }) => type === 'COMMENT');
    // As if so many had commented.
    const like = await notifications().findOne({ _id: new ObjectId(id as string) });
    const copies = Array.from({ length: MANY }, (_, index) => ({
      ...like,
      _id: new ObjectId(),
      dedupeKey: `copy:${index}`,
    }));
    await notifications().insertMany(copies);
    const inboxes = scene.campus.db.collection('notificationInboxes');
    await inboxes.updateOne({ _id: new ObjectId(author.id) }, { $inc: { unread: MANY } });

    await author.delete(`/posts/${postId}`);
    await until(
      () => unreadOf(author),
      (count) => count === 0,
    );
    expect(await listOf(author)).to.deep.equal([]);
    await noneLeft();
    const waiting = { userId: new ObjectId(author.id), 'channels.email.status': 'pending' };
    expect(await notifications().countDocuments(waiting)).to.equal(0);
    const told = await scene.campus.db
      .collection('events')
      .find({ type: 'notifications.withdrawn', 'data.items.userId': author.id })
      .toArray();
    const sizes = told.map(({ data }) => data.items.length as number);
    expect(Math.max(...sizes)).to.be.at.most(200);
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(MANY + 1);

    const all = () =>
      notifications()
        .find({ userId: new ObjectId(author.id) })
        .sort({ _id: 1 })
        .toArray();
    const before = await all();
    await scene.campus.stopNodes();
    await scene.campus.forgetWhatWasHandled();
    const again = new Scene(scene.campus, await scene.campus.startNode({ env: SWEPT_OFTEN }));
    await reader.on(again.api).post('/follow', { userId: author.id });
    await again.notification(author.on(again.api), ({ type }) => type === 'FOLLOW');
    await noneLeft();
    expect((await all()).slice(0, before.length)).to.deep.equal(before);
    expect(await unreadOf(author.on(again.api))).to.equal(1);
    scene = again;
  });
});
