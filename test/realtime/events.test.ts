import { expect } from 'chai';
import { type Person } from '../support/api.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';

describe('Events that clients send', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  beforeEach(async () => {
    person = await api.register();
  });
  afterEach(() => person.disconnect());
  after(() => campus.close());

  const someId = 'f'.repeat(24);

  it('are acknowledged with what came of them, or with a problem', async () => {
    const feed = await person.connect('/feed');
    const postId = await person.publish();
    expect(await feed.ask('post:watch', { postId })).to.deep.equal({ ok: true });
    const refused = await feed.ask('post:watch', { postId: someId });
    expect(refused.ok).to.equal(false);
    expect(refused.error).to.have.all.keys('type', 'title', 'status', 'code', 'detail', 'requestId');
    expect(refused.error).to.include({ status: 404, code: 'POST_NOT_FOUND' });
  });

  it('are answered with a problem where the payload is wrong, naming each field', async () => {
    const feed = await person.connect('/feed');
    const wrong: unknown[] = [
      {},
      null,
      [],
      'text',
      7,
      { postId: 'short' },
      { postId: { $ne: null } },
      { postId: [someId] },
      { postId: someId, extra: true },
      { postId: Buffer.from('bytes') },
    ];
    for (const payload of wrong) {
      const { ok, error } = await feed.ask('post:watch', payload);
      expect(ok, JSON.stringify(payload)).to.equal(false);
      expect(error, JSON.stringify(payload)).to.deep.include({ status: 400, code: 'VALIDATION_FAILED' });
      for (const { path, message } of error.errors)
        expect([path, message]).to.satisfy(([a, b]: unknown[]) => typeof a === 'string' && typeof b === 'string');
    }
    const { error } = await feed.ask('post:watch', { extra: true });
    expect(error.errors.map(({ path }: { path: string }) => path)).to.have.members(['postId', 'extra']);
  });

  it('carry one payload', async () => {
    const feed = await person.connect('/feed');
    const answer = await feed.socket.timeout(10_000).emitWithAck('post:watch', { postId: someId }, { more: true });
    expect(answer.error).to.include({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it('are unknown by the names that every object has, and a problem says so', async () => {
    const live = await person.connect('/notifications');
    const names = ['no:such', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'error', '', 'post:watch'];
    for (const name of names) {
      const answer = await live.ask(name, {});
      expect(answer, name).to.have.property('ok', false);
      expect(answer.error, name).to.include({ status: 400, code: 'UNKNOWN_EVENT' });
    }
  });

  it('that fail without an acknowledgement callback are answered by a problem event', async () => {
    const live = await person.connect('/notifications');
    live.socket.emit('notification:read', { id: 'nonsense' });
    live.socket.emit('toString');
    const [first, second] = await live.collect('problem', 2);
    expect(first).to.deep.include({ event: 'notification:read' });
    expect(first.error).to.include({ status: 400, code: 'VALIDATION_FAILED' });
    expect(second).to.deep.include({ event: 'toString' });
    expect(second.error).to.include({ code: 'UNKNOWN_EVENT' });
  });

  it('cannot touch what belongs to another', async () => {
    const other = await api.register();
    const postId = await person.publish();
    await other.post(`/posts/${postId}/react`, { type: 'LIKE' });
    const owner = await person.connect('/notifications');
    const notification = await owner.next('notification:new');
    const stranger = await other.connect('/notifications');
    const answer = await stranger.ask('notification:read', { id: notification.id });
    expect(answer.error).to.include({ status: 404, code: 'NOTIFICATION_NOT_FOUND' });
    const { body } = await person.get('/notifications/unread-count');
    expect(body.count).to.equal(1);
    other.disconnect();
  });

  it('of more than 64 KB close the connection they came by, and no other', async () => {
    const [loud, quiet] = [await person.connect('/feed'), await person.connect('/feed')];
    loud.socket.emit('post:watch', { postId: 'x'.repeat(70_000) });
    await loud.closed();
    const postId = await person.publish();
    expect(await quiet.ask('post:watch', { postId })).to.deep.equal({ ok: true });
  });

  it('are limited to 100 in 10 seconds: the next is told so, and the connection ends', async () => {
    const [eager, calm] = [await person.connect('/feed'), await person.connect('/feed')];
    const asked = Array.from({ length: 100 }, () => eager.ask('post:unwatch', { postId: someId }));
    for (const answer of await Promise.all(asked)) expect(answer).to.deep.equal({ ok: true });
    const last = await eager.ask('post:unwatch', { postId: someId });
    expect(last).to.have.property('ok', false);
    expect(last.error).to.include({ status: 429, code: 'RATE_LIMITED' });
    await eager.closed();
    expect(await calm.ask('post:unwatch', { postId: someId })).to.deep.equal({ ok: true });
  });

  it('that are malformed packets end the connection and harm nobody', async () => {
    const [broken, whole] = [await person.connect('/feed'), await person.connect('/feed')];
    const { engine } = broken.socket.io;
    engine.write('2/feed,["disconnect"');
    await broken.closed();
    expect(await whole.ask('post:unwatch', { postId: someId })).to.deep.equal({ ok: true });
  });
});
