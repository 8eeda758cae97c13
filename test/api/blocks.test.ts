import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectProblem, NOBODY, registerAs } from './helpers.js';

describe('A block', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const block = async (blocker: Person, blocked: Person): Promise<void> => {
    const { status, body } = await blocker.post(`/users/${blocked.id}/block`);
    expect(status, JSON.stringify(body)).to.equal(201);
  };
  const ids = async (who: Person, path: string): Promise<string[]> =>
    (await who.get(path)).body.data.map(({ user }: Json) => user.id);
  const tiesOf = async (one: Person, other: Person): Promise<number> => {
    const pair = { $in: [new ObjectId(one.id), new ObjectId(other.id)] };
    const [connections, follows] = await Promise.all([
      campus.db.collection('connections').countDocuments({ low: pair, high: pair }),
      campus.db.collection('follows').countDocuments({ followerId: pair, target: { $in: [one.id, other.id] } }),
    ]);
    return connections + follows;
  };
  /** Handles an event of the reactor's once more, as happens after lost history. */
  const again = async (type: string, blocker: Person): Promise<void> => {
    const events = campus.db.collection('events');
    const event = await events.findOne({ type, actorId: blocker.id });
    expect(event, type).not.to.equal(null);
    await events.insertOne({ ...event, _id: new ObjectId() });
    // Whatever is handled after it has been handled after it.
    const [one, other] = await Promise.all([api.register(), api.register()]);
    const live = await other.connect('/notifications');
    await one.post('/follow', { userId: other.id });
    await live.next('notification:new', ({ type: kind }) => kind === 'FOLLOW');
    other.disconnect();
  };

  it('ends the connection and both follows, and handling it twice ends no more', async () => {
    const [blocker, blocked] = await Promise.all([api.register(), api.register()]);
    const { body: request } = await blocker.post('/connections', { userId: blocked.id });
    await blocked.put(`/connections/${request.id}/accept`);
    await blocker.post('/follow', { userId: blocked.id });
    await blocked.post('/follow', { userId: blocker.id });
    expect(await tiesOf(blocker, blocked)).to.equal(3);

    await block(blocker, blocked);
    // At once, before anything has been ended.
    for (const path of ['/connections', '/follow/following', '/follow/followers']) {
      expect(await ids(blocker, path)).to.deep.equal([]);
      expect(await ids(blocked, path)).to.deep.equal([]);
    }
    await until(
      () => tiesOf(blocker, blocked),
      (ties) => ties === 0,
    );
    const removed = { type: 'connection.removed', 'audience.userIds': blocked.id };
    expect(await campus.db.collection('events').countDocuments(removed)).to.equal(1);

    // Unblocking restores nothing but the ability to connect anew, and a late echo of the block does not undo that.
    expect((await blocker.delete(`/users/${blocked.id}/block`)).status).to.equal(204);
    expect(await ids(blocker, '/connections')).to.deep.equal([]);
    const anew = await blocked.post('/connections', { userId: blocker.id });
    expect(anew.status).to.equal(201);
    await blocker.put(`/connections/${anew.body.id}/accept`);
    await again('user.blocked', blocker);
    expect(await ids(blocker, '/connections')).to.deep.equal([blocked.id]);
    expect(await campus.db.collection('events').countDocuments(removed)).to.equal(1);
  });

  it('leaves no tie that was made at the same moment on another node', async () => {
    const [blocker, blocked] = await Promise.all([api.register(), api.register()]);
    await Promise.all([
      block(blocker, blocked),
      blocked.on(otherNode).post('/connections', { userId: blocker.id }),
      blocked.on(otherNode).post('/follow', { userId: blocker.id }),
      blocker.on(otherNode).post('/connections', { userId: blocked.id }),
    ]);
    await again('user.blocked', blocker);
    await until(
      () => tiesOf(blocker, blocked),
      (ties) => ties === 0,
    );
  });

  it('hides each from the other on every node, and tells the blocked one nothing', async () => {
    const [blocker, blocked] = await Promise.all([api.register(), api.register()]);
    const elsewhere = blocked.on(otherNode);
    expect((await elsewhere.get(`/users/${blocker.id}/posts`)).status).to.equal(200);
    await block(blocker, blocked);
    await until(
      () => elsewhere.get(`/users/${blocker.id}/posts`),
      ({ status }) => status === 404,
    );
    expectProblem(await elsewhere.get(`/profiles/${blocker.id}`), 404, 'USER_NOT_FOUND');
    expectProblem(await blocker.get(`/profiles/${blocked.id}`), 404, 'USER_NOT_FOUND');
    expectProblem(await blocked.post('/connections', { userId: blocker.id }), 404, 'USER_NOT_FOUND');
    expectProblem(await blocked.post('/follow', { userId: blocker.id }), 404, 'USER_NOT_FOUND');
    // Trying to block tells no more than looking does.
    expectProblem(await blocked.post(`/users/${blocker.id}/block`), 404, 'USER_NOT_FOUND');
    expect((await blocked.delete(`/users/${blocker.id}/block`)).status).to.equal(204);
    expectProblem(await blocked.get(`/profiles/${blocker.id}`), 404, 'USER_NOT_FOUND');

    expect(await ids(blocker, '/users/blocked')).to.deep.equal([blocked.id]);
    expect(await ids(blocked, '/users/blocked')).to.deep.equal([]);
    expect((await blocked.get('/notifications')).body.data).to.deep.equal([]);

    await blocker.delete(`/users/${blocked.id}/block`);
    expect((await blocker.get(`/profiles/${blocked.id}`)).status).to.equal(200);
    await until(
      () => elsewhere.get(`/profiles/${blocker.id}`),
      ({ status }) => status === 200,
    );
  });

  it('takes away what each was told of the other, and lets neither be told again', async () => {
    const [blocker, blocked, friend] = await Promise.all([api.register(), api.register(), api.register()]);
    const postId = await blocker.publish();
    const live = await blocker.connect('/notifications');
    await blocked.post(`/posts/${postId}/react`, { type: 'LIKE' });
    const told = await live.next('notification:new', ({ actorIds }) => actorIds[0] === blocked.id);
    // Of another post, so that it is not told as one with that.
    await friend.post(`/posts/${await blocker.publish()}/react`, { type: 'LIKE' });
    await live.next('notification:new', ({ actorIds }) => actorIds[0] === friend.id);

    await block(blocker, blocked);
    await live.next('unread-count', ({ count }) => count === 1 && live.all('unread-count').at(-2)?.count === 2);
    const { body } = await blocker.get('/notifications');
    expect(body.data.map(({ actorIds }: Json) => actorIds)).to.deep.equal([[friend.id]]);
    expect((await blocker.get('/notifications/unread-count')).body).to.deep.equal({ count: 1 });
    expectProblem(await blocker.put(`/notifications/${told.id}/read`), 404, 'NOTIFICATION_NOT_FOUND');

    // An event that was on its way when the block came is told to nobody.
    const events = campus.db.collection('events');
    const reacted = await events.findOne({ type: 'post.reacted', actorId: blocked.id });
    await campus.db.collection('notifications').deleteOne({ _id: new ObjectId(told.id as string) });
    await events.insertOne({ ...reacted, _id: new ObjectId() });
    await friend.post('/follow', { userId: blocker.id });
    await live.next('notification:new', ({ type }) => type === 'FOLLOW');
    const kinds = (await blocker.get('/notifications')).body.data.map(({ actorIds }: Json) => actorIds[0]);
    expect(kinds).to.deep.equal([friend.id, friend.id]);
    blocker.disconnect();
  });

  it('keeps lists full: what is hidden is left out before pages are made', async () => {
    const [author, viewer, hidden] = await Promise.all([api.register(), api.register(), api.register()]);
    const postId = await author.publish();
    for (const who of [viewer, hidden, author]) await who.post(`/posts/${postId}/comments`, { content: 'Yes' });
    for (const who of [viewer, hidden, author]) await who.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await block(hidden, viewer);
    for (const [list, field] of [
      ['comments', 'author'],
      ['reactions', 'user'],
    ] as const) {
      const { body } = await viewer.get(`/posts/${postId}/${list}?limit=2`);
      expect(body.data.map((item: Json) => item[field].id)).to.deep.equal([author.id, viewer.id]);
      expect(body.nextCursor).to.equal(null);
    }
    expect((await viewer.get(`/posts/${postId}`)).body.commentCount).to.equal(3);
  });

  it('ends what a watcher hears of the other, and of no one else', async () => {
    const [author, watcher, friend] = await Promise.all([api.register(), api.register(), api.register()]);
    const [theirs, neutral] = [await author.publish(), await friend.publish()];
    const [feed, control] = [await watcher.connect('/feed'), await friend.connect('/feed')];
    for (const postId of [theirs, neutral]) {
      expect(await feed.ask('post:watch', { postId })).to.deep.equal({ ok: true });
      expect(await control.ask('post:watch', { postId })).to.deep.equal({ ok: true });
    }
    await block(author, watcher);
    await friend.post(`/posts/${theirs}/comments`, { content: 'on their post' });
    await author.post(`/posts/${neutral}/comments`, { content: 'by the author' });
    await friend.post(`/posts/${neutral}/comments`, { content: 'the last one' });
    await feed.next('comment:new', ({ content }) => content === 'the last one');
    await control.collect('comment:new', 3);
    expect(feed.all('comment:new').map(({ content }) => content)).to.deep.equal(['the last one']);
    expect(feed.all('post:counts').map(({ postId }) => postId)).to.not.include(theirs);
    const refused = await feed.ask('post:watch', { postId: theirs });
    expect(refused.error).to.include({ status: 404, code: 'POST_NOT_FOUND' });
    for (const who of [watcher, friend]) who.disconnect();
  });

  it('does not keep a moderator from deleting', async () => {
    const [author, moderator] = [await api.register(), await registerAs(campus, api, 'moderator')];
    const postId = await author.publish();
    await block(author, moderator);
    expectProblem(await moderator.get(`/posts/${postId}`), 404, 'POST_NOT_FOUND');
    expect((await moderator.delete(`/posts/${postId}`)).status).to.equal(204);
  });

  it('of oneself or nobody is refused; ten a day are enough; twenty at once are one', async () => {
    const [blocker, blocked] = await Promise.all([api.register(), api.register()]);
    expectProblem(await blocker.post(`/users/${blocker.id}/block`), 400, 'CANNOT_BLOCK_YOURSELF');
    expectProblem(await blocker.post(`/users/${NOBODY}/block`), 404, 'USER_NOT_FOUND');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        blocker.on(index % 2 === 0 ? api : otherNode).post(`/users/${blocked.id}/block`),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).to.have.length(8);
    expect(answers.filter(({ status }) => status === 429)).to.have.length(12);
    expect(await ids(blocker, '/users/blocked')).to.deep.equal([blocked.id]);
    const told = { type: 'user.blocked', actorId: blocker.id };
    expect(await campus.db.collection('events').countDocuments(told)).to.equal(1);
  });
});
