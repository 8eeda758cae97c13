import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type Api, Campus } from '../support/campus.js';

const OLD_KEY = `old:${'o'.repeat(40)}`;
const NEW_KEY = `new:${'n'.repeat(40)}`;

describe('Answers kept for an Idempotency-Key', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { JWT_KEYS: OLD_KEY } });
  });
  after(() => campus.close());

  const body = () => ({
    name: 'Nour',
    email: `nour-${randomUUID()}@campus.test`,
    password: 'a secret of twelve and more',
    role: 'student',
  });
  const register = (node: Api, key: string, person: object) =>
    node.request('POST', '/auth/register', person, { headers: { 'Idempotency-Key': key } });
  const stored = async () => JSON.stringify(await campus.db.collection('idempotencyKeys').find().toArray());

  it('cannot be read in the database, though who has the key gets the same tokens again', async () => {
    const [key, person] = [randomUUID(), body()];
    const first = await register(api, key, person);
    const second = await register(api, key, person);

    expect(first.status).to.equal(201);
    expect(second.body).to.deep.equal(first.body);
    expect(second.headers.get('Idempotency-Replayed')).to.equal('true');

    const atRest = await stored();
    const decoded = [...atRest.matchAll(/[\w-]{40,}/g)].map(([text]) =>
      Buffer.from(text, 'base64url').toString('latin1'),
    );
    const { accessToken, refreshToken, user } = first.body;
    expect(decoded, 'nothing is kept at all').not.to.be.empty;
    for (const secret of [key, person.password, person.email, accessToken, refreshToken, user.id, 'accessToken']) {
      expect(atRest).not.to.include(secret);
      expect(decoded.join('\n')).not.to.include(secret);
    }
  });

  it('hold no fast hash of the request that a password could be guessed by', async () => {
    const [key, person] = [randomUUID(), body()];
    await register(api, key, person);
    const rows = await campus.db.collection('idempotencyKeys').find().toArray();
    for (const row of rows) expect(row).to.have.all.keys('_id', 'expiresAt', 'sealed');
  });

  it('are still given after the server’s keys were rotated, and never carried out again after they were withdrawn', async () => {
    const [key, person] = [randomUUID(), body()];
    const first = await register(api, key, person);

    const rotated = await campus.startNode({ env: { ROLE: 'api', JWT_KEYS: `${NEW_KEY},${OLD_KEY}` } });
    expect((await register(rotated, key, person)).body).to.deep.equal(first.body);

    const withdrawn = await campus.startNode({ env: { ROLE: 'api', JWT_KEYS: NEW_KEY } });
    const lost = await register(withdrawn, key, person);
    expect(lost.status).to.equal(409);
    expect(lost.body.code).to.equal('IDEMPOTENT_ANSWER_LOST');
    expect(await campus.db.collection('users').countDocuments({ email: person.email })).to.equal(1);
  });

  it('are refused to who has the key but another request', async () => {
    const key = randomUUID();
    await register(api, key, body());
    const other = await register(api, key, body());
    expect(other.status).to.equal(409);
    expect(other.body.code).to.equal('IDEMPOTENCY_KEY_REUSED');
  });
});
