import { expect } from 'chai';
import { io } from 'socket.io-client';
import { MINUTE } from '../../src/core/clock.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';

const NAMESPACES = ['/notifications', '/feed', '/presence'];

describe('Connecting a socket', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  after(() => campus.close());

  /** Tries to connect; answers with what the server refuses it by. */
  async function refusal(namespace: string, auth: object): Promise<Error & { data?: Record<string, unknown> }> {
    const socket = io(api.url + namespace, { auth, transports: ['websocket'], forceNew: true, reconnection: false });
    try {
      return await new Promise((resolve, reject) => {
        socket.once('connect_error', resolve);
        socket.once('connect', () => reject(new Error(`${namespace} let in ${JSON.stringify(auth)}`)));
      });
    } finally {
      socket.disconnect();
    }
  }

  for (const namespace of NAMESPACES) {
    it(`needs a valid access token on ${namespace}, and says in a problem what is wrong with another`, async () => {
      const person = await api.register();
      const cases: [string, object][] = [
        ['TOKEN_MISSING', {}],
        ['TOKEN_MISSING', { token: '' }],
        ['TOKEN_MISSING', { token: { $ne: null } }],
        ['TOKEN_MISSING', { token: [person.token] }],
        ['TOKEN_INVALID', { token: 'nonsense' }],
        ['TOKEN_INVALID', { token: `${person.token}x` }],
        ['TOKEN_INVALID', { token: person.refreshToken }],
        ['TOKEN_INVALID', { token: 'x'.repeat(20_000) }],
      ];
      for (const [code, auth] of cases) {
        const { message, data } = await refusal(namespace, auth);
        expect(message).to.equal('Unauthorized');
        expect(data).to.have.all.keys('type', 'title', 'status', 'code', 'detail', 'requestId');
        expect(data).to.include({ status: 401, code });
      }
    });
  }

  it('is refused with a token that has expired or whose session has ended', async () => {
    const [late, gone] = [await api.register(), await api.register()];
    await gone.post('/auth/logout');
    expect((await refusal('/feed', { token: gone.token })).data).to.include({ code: 'SESSION_ENDED' });
    campus.clock.advance(16 * MINUTE);
    expect((await refusal('/feed', { token: late.token })).data).to.include({ code: 'TOKEN_EXPIRED' });
  });

  it('is refused on namespaces that do not exist, whatever they are called', async () => {
    const { token } = await api.register();
    for (const name of ['/', '/admin', '/__proto__', '/constructor', '/notifications/../feed', '/NOTIFICATIONS']) {
      const { message } = await refusal(name, { token });
      expect(message, name).to.equal('Invalid namespace');
    }
  });

  it('works by long polling for as long as it lasts, where nothing else passes', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const postId = await author.publish();
    const polling = { auth: { token: author.token }, transports: ['polling'], forceNew: true, reconnection: false };
    const socket = io(`${api.url}/notifications`, polling);
    const heard = new Promise<Record<string, unknown>>((resolve) => socket.once('notification:new', resolve));
    await new Promise((resolve, reject) => socket.once('connect', () => resolve(true)).once('connect_error', reject));
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    expect(await heard).to.include({ type: 'REACTION', userId: author.id });
    socket.disconnect();
  });

  it('is refused to scripts of foreign origins that poll', async () => {
    const answer = await fetch(`${api.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { Origin: 'https://evil.test' },
    });
    expect(answer.headers.get('access-control-allow-origin')).to.equal(null);
  });
});
