import { expect } from 'chai';
import { DAY } from '../../src/core/clock.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { expectInvalid, expectProblem, idsOf } from './helpers.js';

describe('An Idempotency-Key', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const withKey = (person: Person, path: string, key: string, body: object): Promise<Answer<Json>> =>
    person.post(path, body, { headers: { 'idempotency-key': key } });

  it('makes ten posts at once on two nodes one post', async () => {
    const author = await api!.register();
    const elsewhere = author.on(otherNode!);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        withKey(i % 2 === 0 ? author : elsewhere, '/posts', 'k1', { content: 'One' }),
      ),
    );
    for (const { status, body } of answers) {
      expect(status).to.equal(201);
      expect(body).to.deep.equal(answers[0]?.body);
    }
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).to.have.length(9);
    const { body } = await author.get(`/users/${author.id}/posts`);
    expect(idsOf(body.data)).to.deep.equal([answers[0]?.body.id]);
    expect(await campus.db.collection('events').countDocuments({ type: 'post.created', actorId: author.id })).to.equal(
      1,
    );
  });

  it('makes ten comments at once on two nodes one comment, counted once', async () => {
    const [author, reader] = [await api!.register(), await api!.register()];
    const elsewhere = reader.on(otherNode!);
    const path = `/posts/${await author.publish()}`;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        withKey(i % 2 === 0 ? reader : elsewhere, `${path}/comments`, 'k1', { content: 'Me too' }),
      ),
    );
    for (const { status, body } of answers) {
      expect(status).to.equal(201);
      expect(body).to.deep.equal(answers[0]?.body);
    }
    expect(idsOf((await reader.get(`${path}/comments`)).body.data)).to.deep.equal([answers[0]?.body.id]);
    expect((await reader.get(path)).body.commentCount).to.equal(1);
  });

  it('lets eight comments with keys of their own onto one post at once', async () => {
    const [author, reader] = [await api!.register(), await api!.register()];
    const path = `/posts/${await author.publish()}`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => withKey(reader, `${path}/comments`, `own-${i}`, { content: `Comment ${i}` })),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(new Array(8).fill(201));
    expect((await reader.get(path)).body.commentCount).to.equal(8);
  });

  it('is refused with another body, and taken with the same one in another order', async () => {
    const author = await api!.register();
    const first = await withKey(author, '/posts', 'k1', { content: 'One', textDirection: 'ltr' });
    expectProblem(await withKey(author, '/posts', 'k1', { content: 'Two' }), 409, 'IDEMPOTENCY_KEY_REUSED');
    const again = await withKey(author, '/posts', 'k1', { textDirection: 'ltr', content: 'One' });
    expect(again.body.id).to.equal(first.body.id);

    const comments = `/posts/${first.body.id}/comments`;
    await withKey(author, comments, 'k2', { content: 'One' });
    expectProblem(await withKey(author, comments, 'k2', { content: 'Two' }), 409, 'IDEMPOTENCY_KEY_REUSED');
  });

  it('belongs to one user and one address of the API', async () => {
    const [amal, bob] = [await api!.register(), await api!.register()];
    const first = await withKey(amal, '/posts', 'shared', { content: 'Mine' });
    const second = await withKey(bob, '/posts', 'shared', { content: 'Mine' });
    expect(second.status).to.equal(201);
    expect(second.body.id).not.to.equal(first.body.id);
    for (const id of idsOf([first.body, second.body])) {
      const comment = await withKey(amal, `/posts/${id}/comments`, 'shared', { content: 'Mine' });
      expect(comment.body.postId).to.equal(id);
    }
  });

  it('stays unused where the request was refused', async () => {
    const author = await api!.register();
    expectInvalid(await withKey(author, '/posts', 'k1', { content: '' }), 'body.content');
    expect((await withKey(author, '/posts', 'k1', { content: 'Now' })).status).to.equal(201);
  });

  it('gives a new account once, and its tokens again to whoever asked', async () => {
    const body = { name: 'Amal', email: 'keyed@campus.test', password: 'a password of the tests', role: 'student' };
    const send = (changes: object = {}) =>
      api!.request('POST', '/auth/register', { ...body, ...changes }, { headers: { 'idempotency-key': 'r1' } });
    const [first, second] = await Promise.all([send(), send()]);
    expect(first.status).to.equal(201);
    expect(second.body).to.deep.equal(first.body);
    expectProblem(await send({ name: 'Bob' }), 409, 'IDEMPOTENCY_KEY_REUSED');
    // Neither the answer nor a trace of the password may lie about in the meantime.
    const rows = JSON.stringify(await campus.db.collection('idempotencyKeys').find().toArray());
    for (const secret of [first.body.accessToken, first.body.refreshToken, body.password, body.email]) {
      expect(rows).not.to.include(secret);
    }
  });

  it('is 1 to 255 visible ASCII characters', async () => {
    const author = await api!.register();
    for (const key of ['', 'with space', 'x'.repeat(256)]) {
      expectProblem(await withKey(author, '/posts', key, { content: 'x' }), 400, 'INVALID_IDEMPOTENCY_KEY');
    }
  });

  it('may be used anew after a day', async () => {
    const author = await api!.register();
    const first = await withKey(author, '/posts', 'daily', { content: 'Good morning' });
    campus.clock.advance(DAY + 1_000);
    const tomorrow = await api!.signIn(author.email, author.password);
    const second = await withKey(tomorrow, '/posts', 'daily', { content: 'Good morning, again' });
    expect(second.status).to.equal(201);
    expect(second.body.id).not.to.equal(first.body.id);
  });
});
