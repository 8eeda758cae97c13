import { expect } from 'chai';
import { io } from 'socket.io-client';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { expectProblem, NOBODY } from './helpers.js';

describe('An API key', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  let admin: Person;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    otherNode = await campus.startNode();
    [admin, person] = [await api.admin(), await api.register()];
  });
  after(() => campus.close());

  const issue = async (choices: object = {}): Promise<Json> => {
    const answer = await admin.post('/api-keys', { name: 'Library', scopes: ['notifications:write'], ...choices });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body;
  };
  const notice = (title = 'Your book is due') => ({ userIds: [person.id], type: 'SYSTEM', title, body: 'Tomorrow.' });
  const notify = (key: string, node = api) => node.request('POST', '/notifications', notice(), { token: key });

  it('lets a partner system do what its scopes say, and nothing else', async () => {
    const { key } = await issue();
    const inbox = await person.connect('/notifications');
    const { status, body } = await notify(key);
    expect(status).to.equal(202);
    expect((await inbox.next('notification:new')).title).to.equal('Your book is due');
    person.disconnect();

    const others: [string, string][] = [
      ['GET', `/notifications/batches/${body.batchId as string}`],
      ['GET', '/users/me'],
      ['GET', '/notifications'],
      ['GET', '/api-keys'],
      ['POST', '/auth/logout'],
    ];
    for (const [method, path] of others) {
      expectProblem(await api.request(method, path, undefined, { token: key }), 403, 'SCOPE_MISSING');
    }
    const reading = await issue({ scopes: ['notifications:read'] });
    const batch = await api.request('GET', `/notifications/batches/${body.batchId as string}`, undefined, {
      token: reading.key,
    });
    expect(batch.status).to.equal(200);
    expectProblem(await notify(reading.key), 403, 'SCOPE_MISSING');
  });

  it('opens no socket', async () => {
    const { key } = await issue();
    const socket = io(`${api.url}/notifications`, { auth: { token: key as string }, transports: ['websocket'] });
    const error = await new Promise<Error>((resolve) => socket.once('connect_error', resolve));
    socket.disconnect();
    expect((error as unknown as { data: Json }).data.code).to.equal('TOKEN_INVALID');
  });

  it('is shown once, kept as a hash only, and listed with when it was last used', async () => {
    const { key, ...issued } = await issue({ name: 'مكتبة الجامعة' });
    expect(key).to.match(/^atrium_[0-9a-f]{24}_[\w-]{43}$/);
    const secret = (key as string).slice(-43);
    const kept = await Promise.all(
      ['apiKeys', 'events', 'idempotencyKeys'].map((name) => campus.db.collection(name).find().toArray()),
    );
    expect(JSON.stringify(kept)).not.to.include(secret);

    const listed = async (): Promise<Json> => {
      const { body } = await admin.get('/api-keys');
      expect(JSON.stringify(body)).not.to.include(secret);
      return body.data.find(({ id }: Json) => id === issued.id);
    };
    expect(await listed()).to.deep.equal({ ...issued, name: 'مكتبة الجامعة', lastUsedAt: null, revokedAt: null });
    await notify(key);
    const { lastUsedAt } = await listed();
    expect(lastUsedAt).to.be.a('string');
    campus.clock.advance(30_000);
    await notify(key);
    expect((await listed()).lastUsedAt, 'it is noted to the minute').to.equal(lastUsedAt);
    campus.clock.advance(31_000);
    await notify(key);
    expect((await listed()).lastUsedAt > lastUsedAt).to.equal(true);
  });

  it('is good for nothing from the moment it is revoked, on every node', async () => {
    const { key, id } = await issue();
    expect((await notify(key, otherNode)).status).to.equal(202);
    const answers = await Promise.all(Array.from({ length: 5 }, () => admin.delete(`/api-keys/${id as string}`)));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 404, 404, 404, 404]);
    for (const node of [api, otherNode]) expectProblem(await notify(key, node), 401, 'TOKEN_INVALID');
    const { body } = await admin.get('/api-keys');
    expect(body.data.find((each: Json) => each.id === id).revokedAt).to.be.a('string');
  });

  it('ends when it was said to', async () => {
    const expiresAt = new Date(campus.clock.now().getTime() + 60_000).toISOString();
    const { key } = await issue({ expiresAt });
    expect((await notify(key)).status).to.equal(202);
    campus.clock.advance(60_000);
    expectProblem(await notify(key), 401, 'TOKEN_INVALID');
    const past = { name: 'Late', scopes: ['notifications:read'], expiresAt };
    expectProblem(await admin.post('/api-keys', past), 400, 'ALREADY_EXPIRED');
  });

  it('is refused where it is malformed, unknown or changed', async () => {
    const { key } = await issue();
    const changed = `${(key as string).slice(0, -1)}${(key as string).endsWith('A') ? 'B' : 'A'}`;
    const unknown = (key as string).replace(/[0-9a-f]{24}/, NOBODY);
    for (const bad of [changed, unknown, 'atrium_', `${key as string}x`, 'atrium_x_y']) {
      expectProblem(await notify(bad), 401, 'TOKEN_INVALID');
    }
  });

  it('is issued with known scopes only', async () => {
    for (const scopes of [[], ['everything'], 'notifications:write', [{ $ne: null }]]) {
      expectProblem(await admin.post('/api-keys', { name: 'x', scopes }), 400, 'VALIDATION_FAILED');
    }
    expectProblem(await admin.delete(`/api-keys/${NOBODY}`), 404, 'API_KEY_NOT_FOUND');
  });
});
