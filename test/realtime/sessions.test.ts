import { expect } from 'chai';
import { MINUTE, SECOND } from '../../src/core/clock.js';
import { type Person } from '../support/api.js';
import { type Api, Campus } from '../support/campus.js';

describe('A socket’s session', () => {
  let campus: Campus;
  let api: Api;
  let elsewhere: Api;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    elsewhere = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  async function freshToken(person: Person): Promise<string> {
    const { status, body } = await person.api.request('POST', '/auth/refresh', { refreshToken: person.refreshToken });
    expect(status).to.equal(200);
    person.refreshToken = body.refreshToken;
    person.token = body.accessToken;
    return body.accessToken;
  }

  it('ends with its access token: the client is told, and the connection is closed', async () => {
    const person = await api.register();
    const socket = await person.connect('/feed');
    campus.clock.advance(16 * MINUTE);
    expect(await socket.next('session:expired')).to.deep.equal({});
    await socket.closed();
  });

  it('goes on past the end of its first token where it was renewed in time', async () => {
    const [renewing, idle] = [await api.register(), await api.register()];
    const socket = await renewing.connect('/feed');
    const other = await idle.connect('/feed');

    campus.clock.advance(10 * MINUTE);
    const before = campus.clock.now();
    const answer = await socket.ask('session:renew', { token: await freshToken(renewing) });
    expect(answer.ok).to.equal(true);
    const life = new Date(answer.expiresAt).getTime() - before.getTime();
    expect(life).to.be.within(15 * MINUTE - 2 * SECOND, 15 * MINUTE + 10 * SECOND);

    campus.clock.advance(6 * MINUTE);
    await other.next('session:expired');
    const postId = await renewing.publish();
    expect(await socket.ask('post:watch', { postId })).to.deep.equal({ ok: true });
    renewing.disconnect();
  });

  it('can do nothing but be renewed once the token has ended', async () => {
    const [early, person] = [await api.register(), await api.register()];
    const marker = await early.connect('/feed');
    campus.clock.advance(MINUTE);
    await freshToken(person);
    const socket = await person.connect('/feed');
    campus.clock.advance(14 * MINUTE + 30 * SECOND);
    const next = await freshToken(person);
    // The node looks for expired sockets once a second: just after one look there is time until the next.
    await marker.next('session:expired');
    campus.clock.advance(MINUTE);

    const watch = await socket.ask('post:unwatch', { postId: 'f'.repeat(24) });
    expect(watch.error).to.include({ status: 401, code: 'TOKEN_EXPIRED' });
    expect(await socket.ask('session:renew', { token: next })).to.have.property('ok', true);
    expect(await socket.ask('post:unwatch', { postId: 'f'.repeat(24) })).to.deep.equal({ ok: true });
    person.disconnect();
  });

  it('cannot be renewed with another’s token, a bad one or an ended one', async () => {
    const [person, other, gone] = [await api.register(), await api.register(), await api.register()];
    await gone.post('/auth/logout');
    const socket = await person.connect('/feed');
    const attempts: [string, unknown][] = [
      ['OTHER_USER', other.token],
      ['SESSION_ENDED', gone.token],
      ['TOKEN_INVALID', 'nonsense'],
      ['TOKEN_INVALID', person.refreshToken],
      ['VALIDATION_FAILED', { $ne: null }],
      ['VALIDATION_FAILED', 'x'.repeat(5_000)],
    ];
    for (const [code, token] of attempts) {
      const answer = await socket.ask('session:renew', { token });
      expect(answer.ok, code).to.equal(false);
      expect(answer.error.code).to.equal(code);
    }
    // It still is who it was.
    const postId = await person.publish();
    expect(await socket.ask('post:watch', { postId })).to.deep.equal({ ok: true });
    person.disconnect();
  });

  it('that signs out closes its sockets on every node within a second, and only its own', async () => {
    const phone = await api.register();
    const laptop = await api.signIn(phone.email, phone.password);
    const ended = [
      await phone.connect('/feed'),
      await phone.connect('/notifications'),
      await phone.on(elsewhere).connect('/notifications'),
    ];
    const kept = [await laptop.connect('/notifications'), await laptop.on(elsewhere).connect('/notifications')];

    const start = Date.now();
    expect((await phone.post('/auth/logout')).status).to.equal(204);
    await Promise.all(ended.map((socket) => socket.closed()));
    expect(Date.now() - start).to.be.below(SECOND);

    // Had the other session's sockets been closed too, they could not hear of this.
    const postId = await laptop.publish();
    const reader = await api.register();
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    for (const socket of kept) expect(await socket.next('notification:new')).to.include({ type: 'REACTION' });
    laptop.disconnect();
  });

  it('that ends because a refresh token was stolen closes its sockets as well', async () => {
    const person = await api.register();
    const stolen = person.refreshToken;
    const socket = await person.on(elsewhere).connect('/notifications');
    await freshToken(person);
    campus.clock.advance(MINUTE);
    const reuse = await api.request('POST', '/auth/refresh', { refreshToken: stolen });
    expect(reuse.body.code).to.equal('REFRESH_TOKEN_REUSED');
    await socket.closed();
  });
});
