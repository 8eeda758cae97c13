import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type Express } from 'express';
import { ObjectId } from 'mongodb';
import request from 'supertest';
import { DAY, later } from '../../src/core/clock.js';
import { type Database } from '../../src/core/database/database.js';
import { createIdempotency, idempotencyCollection } from '../../src/core/http/idempotency.js';
import { conflict } from '../../src/core/http/problem.js';
import { anyone, route } from '../../src/core/http/route.js';
import { objectId, shape, text } from '../../src/core/http/schema.js';
import { appOf, bodyOf, dropDatabase, freshDatabase } from './http-app.js';

describe('http idempotency keys', () => {
  let database: Database;
  let app: Express;
  const keys = [{ secret: randomBytes(32) }];
  let now = new Date();
  let during: () => Promise<void>;
  const posts = () => database.collection<{ _id: ObjectId; content: string }>('posts');

  before(async () => {
    database = await freshDatabase([
      idempotencyCollection,
      { name: 'posts', indexes: [{ key: { content: 1 }, options: { unique: true } }] },
    ]);
    const createPost = route({
      method: 'post',
      path: '/posts',
      tag: 'x',
      summary: 'x',
      access: anyone,
      idempotent: true,
      body: shape({ content: text({ max: 50 }) }, { note: text({ max: 50 }) }),
      answer: { status: 201, body: shape({ id: objectId() }) },
      handle: ({ body }) =>
        // As a service would: it neither knows nor minds that it joins the transaction of the key.
        database.inTransaction(async (session) => {
          const { insertedId } = await posts().insertOne({ _id: new ObjectId(), content: body.content }, { session });
          await during();
          return { id: insertedId.toHexString() };
        }),
    });
    app = appOf([createPost], { idempotency: createIdempotency({ database, clock: { now: () => now }, keys }) });
  });
  beforeEach(async () => {
    now = new Date();
    during = () => Promise.resolve();
    await posts().deleteMany({});
    await database.collection('idempotencyKeys').deleteMany({});
  });
  after(() => dropDatabase(database));

  const create = (key: string, body: object, user = 'amal') =>
    request(app).post('/api/v1/posts').set('Authorization', `Bearer ${user}`).set('Idempotency-Key', key).send(body);

  it('answer the same request as the first time', async () => {
    const first = await create('k', { content: 'a', note: 'n' }).expect(201);
    const second = await create('k', { note: 'n', content: 'a' }).expect(201);
    expect(second.body).to.deep.equal(first.body);
    expect(first.headers).not.to.have.property('idempotency-replayed');
    expect(second.headers['idempotency-replayed']).to.equal('true');
    expect(await posts().countDocuments()).to.equal(1);
  });

  it('refuse another request with the same key', async () => {
    await create('k', { content: 'a' }).expect(201);
    const body = bodyOf(await create('k', { content: 'b' }).expect(409));
    expect(body).to.include({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('belong to one user, and to one address where nobody is signed in', async () => {
    await create('k', { content: 'a' }).expect(201);
    await create('k', { content: 'b' }, 'omar').expect(201);
    const anonymous = () => request(app).post('/api/v1/posts').set('Idempotency-Key', 'k').send({ content: 'c' });
    const first = await anonymous().expect(201);
    expect((await anonymous().expect(201)).body).to.deep.equal(first.body);
    expect(await posts().countDocuments()).to.equal(3);
  });

  it('let ten requests at once run once', async () => {
    // Long enough in the making that the others come meanwhile.
    during = () =>
      posts()
        .countDocuments()
        .then(() => undefined);
    const answers = await Promise.all(Array.from({ length: 10 }, () => create('k', { content: 'a' })));
    expect(answers.map(({ status }) => status)).to.deep.equal(Array(10).fill(201));
    expect(new Set(answers.map(({ body }) => (body as { id: string }).id)).size).to.equal(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).to.have.length(1);
    expect(await posts().countDocuments()).to.equal(1);
  });

  it('stay unused where the handler fails, and undo what it did', async () => {
    during = () => Promise.reject(conflict('TOO_LATE', 'Too late.'));
    await create('k', { content: 'a' }).expect(409);
    expect(await posts().countDocuments()).to.equal(0);
    during = () => Promise.resolve();
    await create('k', { content: 'b' }).expect(201);
  });

  it('do not mistake a duplicate of the handler for one of theirs', async () => {
    await create('k1', { content: 'a' }).expect(201);
    await create('k2', { content: 'a' }).expect(500);
    await create('k2', { content: 'b' }).expect(201);
  });

  it('are forgotten after a day', async () => {
    await create('k', { content: 'a' }).expect(201);
    now = later(now, DAY + 1);
    const { headers } = await create('k', { content: 'b' }).expect(201);
    expect(headers).not.to.have.property('idempotency-replayed');
  });

  it('have 1 to 255 visible characters', async () => {
    for (const key of ['a b', 'x'.repeat(256), 'é']) {
      const body = bodyOf(await create(key, { content: 'a' }).expect(400));
      expect(body).to.include({ code: 'INVALID_IDEMPOTENCY_KEY' });
    }
    await create('x'.repeat(255), { content: 'a' }).expect(201);
  });
});
