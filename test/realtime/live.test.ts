import { expect } from 'chai';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';

describe('What sockets hear', () => {
  let campus: Campus;
  let api: Api;
  let elsewhere: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    elsewhere = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  it('is meant for their user: a bystander hears nothing of it', async () => {
    const [author, reader, bystander] = [await api.register(), await api.register(), await api.register()];
    const [mine, theirs] = [await author.connect('/notifications'), await bystander.connect('/notifications')];
    const [postId, marker] = [await author.publish(), await bystander.publish()];
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    const notification = await mine.next('notification:new');
    await mine.ask('notification:read', { id: notification.id });
    await mine.next('notification:updated', ({ channels }) => channels.inApp.status === 'read');

    // Ordered after all that, so whatever was coming to the bystander has come.
    await reader.post(`/posts/${marker}/react`, { type: 'INSIGHTFUL' });
    const own = await theirs.next('notification:new');
    expect(own.userId).to.equal(bystander.id);
    expect(theirs.all('notification:new')).to.deep.equal([own]);
    for (const { payload } of theirs.heard) expect(JSON.stringify(payload)).not.to.include(author.id);
    author.disconnect();
    bystander.disconnect();
  });

  it('comes from whatever node it happened on, once', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const postId = await author.publish();
    const near = await author.connect('/notifications');
    const far = await author.on(elsewhere).connect('/notifications');
    const watcher = await reader.on(elsewhere).connect('/feed');
    await watcher.ask('post:watch', { postId });

    const texts = ['one', 'two', 'three'];
    for (const content of texts) await reader.post(`/posts/${postId}/comments`, { content });
    const [onNear, onFar] = [await near.collect('notification:new', 3), await far.collect('notification:new', 3)];
    expect(onFar).to.deep.equal(onNear);
    await watcher.collect('comment:new', 3);

    // Another comment comes after everything that could have come twice.
    await reader.post(`/posts/${postId}/comments`, { content: 'last' });
    await Promise.all([
      near.collect('notification:new', 4),
      far.collect('notification:new', 4),
      watcher.collect('comment:new', 4),
    ]);
    for (const socket of [near, far]) {
      const ids = socket.all('notification:new').map(({ id }) => id);
      expect(new Set(ids).size).to.equal(4);
      expect(ids).to.have.length(4);
    }
    expect(watcher.all('comment:new').map(({ content }) => content)).to.deep.equal([...texts, 'last']);
    expect(watcher.all('post:counts').map(({ commentCount }) => commentCount)).to.deep.equal([1, 2, 3, 4]);
    author.disconnect();
    reader.disconnect();
  });

  it('of a watched post are its numbers and new comments, as REST answers them', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const [postId, other] = [await author.publish(), await author.publish()];
    const feed = await reader.connect('/feed');
    expect(await feed.ask('post:watch', { postId })).to.deep.equal({ ok: true });

    await author.post(`/posts/${other}/react`, { type: 'LIKE' });
    await author.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await author.post(`/posts/${postId}/react`, { type: 'CELEBRATE' });
    await author.delete(`/posts/${postId}/react`);
    const { body: comment } = await author.post(`/posts/${postId}/comments`, { content: 'قهوة؟' });
    await author.delete(`/posts/${postId}/comments/${comment.id}`);

    const counts = await feed.collect('post:counts', 5);
    expect(counts).to.deep.equal([
      { postId, reactionCounts: { LIKE: 1 }, commentCount: 0 },
      { postId, reactionCounts: { CELEBRATE: 1 }, commentCount: 0 },
      { postId, reactionCounts: {}, commentCount: 0 },
      { postId, reactionCounts: {}, commentCount: 1 },
      { postId, reactionCounts: {}, commentCount: 0 },
    ]);
    expect(await feed.next('comment:new')).to.deep.equal(comment);
    reader.disconnect();
  });

  it('of a post ends with unwatching it', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const [left, kept] = [await author.publish(), await author.publish()];
    const feed = await reader.connect('/feed');
    for (const postId of [left, kept]) await feed.ask('post:watch', { postId });
    expect(await feed.ask('post:unwatch', { postId: left })).to.deep.equal({ ok: true });

    await author.post(`/posts/${left}/comments`, { content: 'unheard' });
    await author.post(`/posts/${kept}/comments`, { content: 'heard' });
    expect(await feed.next('comment:new')).to.include({ content: 'heard' });
    expect(feed.all('post:counts').map(({ postId }) => postId)).to.deep.equal([kept]);
    reader.disconnect();
  });

  it('keeps the unread count right through news, reading here and there, and reading all', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const postId = await author.publish();
    const phone = await author.connect('/notifications');
    const laptop = await author.on(elsewhere).connect('/notifications');
    const bothShow = (expected: number) =>
      Promise.all([phone, laptop].map((device) => device.next('unread-count', ({ count }) => count === expected)));

    for (const content of ['a', 'b', 'c', 'd']) await reader.post(`/posts/${postId}/comments`, { content });
    const [first, second, third] = await phone.collect('notification:new', 4);
    await bothShow(4);

    await phone.ask('notification:read', { id: first.id });
    await bothShow(3);
    // Read twice it counts once; what has only been seen is unread still; what is archived is not.
    await laptop.ask('notification:read', { id: first.id });
    await author.put(`/notifications/${second.id}/seen`);
    await author.put(`/notifications/${third.id}/archive`);
    await bothShow(2);

    await author.put('/notifications/read-all');
    await bothShow(0);
    for (const device of [phone, laptop]) expect(device.all('unread-count').at(-1)).to.include({ count: 0 });
    expect((await author.get('/notifications/unread-count')).body).to.deep.equal({ count: 0 });

    await reader.post(`/posts/${postId}/comments`, { content: 'e' });
    await bothShow(1);
    author.disconnect();
  });
});
