import { once } from 'node:events';
import { connect } from 'node:net';
import { ObjectId } from 'mongodb';
import { expect } from 'chai';
import { MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { LiveStream } from '../support/stream.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem } from '../api/helpers.js';

const STREAM = '/notifications/stream';

describe('The stream of notifications', () => {
  let campus: Campus;
  let [api, elsewhere]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    elsewhere = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  /** Someone with a post, someone who comments on it, and how to. No mail of it is sent, which would be told as well. */
  const scene = async () => {
    const [owner, reader] = [await api!.register({ name: 'ليلى' }), await api!.register()];
    await owner.patch('/settings/notifications', { preferences: { social: { email: false } } });
    const postId = await owner.publish('منشور');
    const comment = async (content: string): Promise<string> => {
      const { body } = await reader.post(`/posts/${postId}/comments`, { content });
      return body.id as string;
    };
    const uncomment = (id: string) => reader.delete(`/posts/${postId}/comments/${id}`);
    return { owner, reader, postId, comment, uncomment };
  };
  const saysThat = (content: string) => (notification: Json) => notification.data.excerpt === content;
  const unread = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  /** What was said, without when. */
  const said = ({ heard }: { heard: { event: string; payload: Json }[] }) =>
    heard.map(({ event, payload }) => ({ event, payload }));

  it('says what sockets are told, word for word, from whatever node it comes', async () => {
    const { owner, comment, uncomment } = await scene();
    const socket = await owner.on(elsewhere!).connect('/notifications');
    const streams = [await LiveStream.open(owner), await LiveStream.open(owner.on(elsewhere!))];
    const first = await comment('مرحبًا');
    await comment('Two');
    await comment('Three');
    const [one, two] = await socket.collect('notification:new', 3);
    await owner.put(`/notifications/${one.id}/read`);
    await owner.put(`/notifications/${two.id}/archive`);
    await uncomment(first);
    await owner.delete(`/notifications/${two.id}`);
    await owner.put('/notifications/read-all');
    for (const client of [socket, ...streams]) await client.next('unread-count', ({ readUpTo }) => readUpTo);
    expect(socket.heard.map(({ event }) => event)).to.include.members([
      'notification:new',
      'notification:updated',
      'notification:withdrawn',
      'unread-count',
    ]);
    for (const stream of streams) expect(said(stream)).to.deep.equal(said(socket));
    for (const stream of streams) stream.cut();
    owner.disconnect();
  });

  it('is not held back on its way, compressed or kept', async () => {
    const { owner } = await scene();
    const stream = await LiveStream.open(owner, { headers: { 'accept-encoding': 'gzip, br' } });
    expect(stream.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect(stream.headers.get('cache-control')).to.equal('no-cache, no-transform');
    expect(stream.headers.get('x-accel-buffering')).to.equal('no');
    expect(stream.headers.get('content-encoding')).to.equal(null);
    expect(stream.retryMs).to.be.within(1_000, 5_000);
    stream.cut();
  });

  it('goes on where it was cut off, on any node, with what was missed and nothing twice', async () => {
    const { owner, comment, uncomment } = await scene();
    const rash = await comment('Rash');
    const stream = await LiveStream.open(owner, { lastEventId: '0' });
    const withdrawn = await stream.next('notification:new', saysThat('Rash'));
    await comment('To be read');
    const read = await stream.next('notification:new', saysThat('To be read'));
    await stream.next('unread-count', ({ count }) => count === 2);
    stream.cut();

    await uncomment(rash);
    await until(
      () => unread(owner),
      (count) => count === 1,
    );
    const { body: updated } = await owner.put(`/notifications/${read.id}/read`);
    // Of what comes and goes meanwhile there is nothing to say.
    await uncomment(await comment('In passing'));
    await comment('فات');
    const arrived = await until(async () => (await owner.get('/notifications?limit=1')).body.data[0], saysThat('فات'));
    const { lastEventId } = stream;
    const again = await LiveStream.open(owner.on(elsewhere!), { lastEventId });
    await again.next('unread-count', ({ count }) => count === 1);
    expect(said(again)).to.deep.equal([
      { event: 'notification:withdrawn', payload: { id: withdrawn.id } },
      { event: 'notification:updated', payload: updated },
      { event: 'notification:new', payload: arrived },
      { event: 'unread-count', payload: { count: 1 } },
    ]);
    // And live from there.
    await comment('Later');
    await again.next('notification:new', saysThat('Later'));
    expect(again.all('notification:new')).to.have.length(2);
    again.cut();

    // For clients that cannot set the header.
    const byQuery = await LiveStream.open(owner, { path: `${STREAM}?lastEventId=${lastEventId}` });
    await byQuery.next('notification:new', saysThat('Later'));
    expect(byQuery.all('notification:new').map(({ id }) => id)).to.deep.equal(
      again.all('notification:new').map(({ id }) => id),
    );
    byQuery.cut();
    // Who has missed nothing hears only how it stands.
    const up = await LiveStream.open(owner, { lastEventId: byQuery.lastEventId });
    await up.next('unread-count');
    expect(said(up)).to.deep.equal([{ event: 'unread-count', payload: { count: 2 } }]);
    up.cut();
  });

  it('goes on in the middle of what was missed', async () => {
    const { owner, comment } = await scene();
    const texts = ['a', 'b', 'c', 'd'];
    for (const text of texts) await comment(text);
    await until(
      () => unread(owner),
      (count) => count === texts.length,
    );
    await owner.put('/notifications/read-all');
    const told: string[] = [];
    let lastEventId = '0';
    while (told.length < texts.length) {
      const stream = await LiveStream.open(owner, { lastEventId });
      const next = await stream.next('notification:new', ({ id }) => !told.includes(id as string));
      stream.cut();
      told.push(next.id as string);
      expect(next.channels.inApp.status).to.equal('read');
      // As if the rest had been lost on the way.
      lastEventId = String(Number(lastEventId) + 1);
      const readUpTo = stream.all('unread-count')[0];
      expect(readUpTo).to.have.keys('count', 'readUpTo');
    }
  });

  it('asks to fetch everything anew from a position that is unknown, too old or too far back', async () => {
    const { owner, reader, comment } = await scene();
    await comment('Hello');
    await until(
      () => unread(owner),
      (count) => count === 1,
    );
    const live = await LiveStream.open(owner);
    for (const lastEventId of ['never', '-1', '1e3', '999999999999999', '99999999999999999999']) {
      const stream = await LiveStream.open(owner, { lastEventId });
      await stream.next('unread-count', ({ count }) => count === 1);
      expect(said(stream)[0], lastEventId).to.deep.equal({ event: 'resync', payload: {} });
      stream.cut();
    }
    expectInvalid(await owner.get(`${STREAM}?lastEventId=never`), 'query.lastEventId');

    // What a block takes away is not told one by one.
    await owner.post(`/users/${reader.id}/block`);
    await live.next('resync');
    await live.next('unread-count', ({ count }) => count === 0);
    const before = await LiveStream.open(owner, { lastEventId: '1' });
    await before.next('resync');
    before.cut();
    const after = await LiveStream.open(owner, { lastEventId: live.lastEventId });
    await after.next('unread-count', ({ count }) => count === 0);
    expect(after.all('resync')).to.deep.equal([]);
    after.cut();
    live.cut();
  });

  it('asks to fetch everything anew after more than anyone reads', async () => {
    const { owner } = await scene();
    const userId = new ObjectId(owner.id);
    const channels = { inApp: { status: 'unread' } };
    const many = Array.from({ length: 201 }, (_, index) => ({
      userId,
      dedupeKey: `many:${index}`,
      channels,
      arrivedAt: index + 1,
      position: index + 1,
    }));
    await campus.db.collection('notifications').insertMany(many);
    const inbox = { unread: many.length, position: many.length };
    await campus.db.collection('notificationInboxes').updateOne({ _id: userId }, { $set: inbox }, { upsert: true });
    const stream = await LiveStream.open(owner, { lastEventId: '0' });
    await stream.next('unread-count', ({ count }) => count === many.length);
    expect(said(stream)[0]!.event).to.equal('resync');
    stream.cut();
  });

  it('ends at once with its session, with the right to be there, and with its token', async () => {
    const admin = await api!.admin();
    const [leaving, suspended, expiring] = [await scene(), await scene(), await scene()];
    const other = await api!.signIn(leaving.owner.email, leaving.owner.password);
    const open = (person: Person) => Promise.all([LiveStream.open(person), LiveStream.open(person.on(elsewhere!))]);
    const [ofLeaving, ofSuspended, stays] = [
      await open(leaving.owner),
      await open(suspended.owner),
      await LiveStream.open(other),
    ];
    expect((await leaving.owner.post('/auth/logout')).status).to.be.within(200, 299);
    for (const stream of ofLeaving) await stream.closed();
    expectProblem(await leaving.owner.get(STREAM), 401, 'SESSION_ENDED');
    const ban = { suspendedUntil: new Date(Date.now() + 60 * MINUTE), reason: 'Spam' };
    expect((await admin.patch(`/admin/users/${suspended.owner.id}`, ban)).status).to.equal(200);
    for (const stream of ofSuspended) await stream.closed();

    const ofExpiring = await open(expiring.owner);
    campus.clock.advance(16 * MINUTE);
    for (const stream of ofExpiring) {
      await stream.next('session:expired');
      await stream.closed();
    }
    await stays.next('session:expired');
  });

  it('is opened five times by one person, however many try at once', async () => {
    const { owner } = await scene();
    const tries = await Promise.allSettled(Array.from({ length: 9 }, () => LiveStream.open(owner)));
    const open = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(open).to.have.length(5);
    const refused = await owner.get(STREAM);
    expectProblem(refused, 429, 'TOO_MANY_STREAMS');
    expect(refused.headers.get('retry-after')).to.equal('5');
    open[0]!.cut();
    const next = await until(() => LiveStream.open(owner).catch(() => undefined));
    for (const stream of [...open, next!]) stream.cut();
  });

  it('is for those who are signed in, and no other way of asking opens it', async () => {
    const { owner } = await scene();
    expectProblem(await api!.request('GET', STREAM), 401, 'UNAUTHORIZED');
    expectProblem(await api!.request('GET', STREAM, undefined, { token: 'x' }), 401, 'TOKEN_INVALID');
    const { status, body } = await api!.request('HEAD', STREAM, undefined, { token: owner.token });
    expect({ status, body }).to.deep.equal({ status: 200, body: '' });
    const metrics = await (await fetch(`${api!.url}/metrics`)).text();
    expect(metrics).to.match(/^atrium_event_streams \d+$/m);
  });

  it('is cut off where its client stops reading, while others hear everything', async () => {
    const { owner, comment } = await scene();
    const quick = await LiveStream.open(owner);
    await comment('Hello');
    const notification = await quick.next('notification:new');
    const slow = connect(Number(new URL(api!.url).port), '127.0.0.1');
    const head = `GET /api/v1${STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${owner.token}\r\n\r\n`;
    slow.write(head);
    await once(slow, 'data');
    slow.pause();
    const streams = async (): Promise<number> => {
      const metrics = await (await fetch(`${api!.url}/metrics`)).text();
      return Number(/^atrium_event_streams (\d+)/m.exec(metrics)?.[1]);
    };
    const before = await streams();
    let position = Number.parseInt(quick.lastEventId!, 10);
    const body = 'x'.repeat(20_000);
    let sent = 0;
    // More than a test could cause through the API.
    while ((await streams()) === before) {
      expect(sent, 'the node keeps on buffering').to.be.below(5_000);
      const events = Array.from({ length: 100 }, () => ({
        type: 'notification.updated',
        at: new Date(),
        entity: { kind: 'notification', id: notification.id as string },
        audience: { userIds: [owner.id] },
        data: { notification: { ...notification, body }, unread: 1, position: (position += 1) },
      }));
      await campus.db.collection('events').insertMany(events);
      sent += events.length;
      await quick.collect('notification:updated', sent);
    }
    expect(await streams()).to.equal(before - 1);
    slow.destroy();
    quick.cut();
  });

  it('ends in order with its node, and the node ends in spite of it', async () => {
    const other = await Campus.open(WITHOUT_WORKERS);
    const stream = await LiveStream.open(await (await other.startNode()).register());
    await other.close();
    await stream.next('server:closing');
    await stream.closed();
  });
});
