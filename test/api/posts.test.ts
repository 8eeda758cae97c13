import { expect } from 'chai';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY, registerAs } from './helpers.js';

// fetch sends `no-cache` along, as every browser does.
const conditional = (etag: string) => ({ headers: { 'if-none-match': etag } });

const FAMILY = '👨‍👩‍👧‍👦';

describe('Posts', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
  });
  after(() => campus.close());

  it('are published and read by anyone who is signed in', async () => {
    const [author, reader] = [await api.register({ name: 'Amal' }), await api.register()];
    const { status, body } = await author.post('/posts', { content: 'Hello' });
    expect(status).to.equal(201);
    const { id, createdAt, ...rest } = body;
    expect(id).to.match(/^[0-9a-f]{24}$/);
    expect(Date.parse(createdAt)).to.be.closeTo(campus.clock.now().getTime(), 10_000);
    expect(rest).to.deep.equal({
      author: { id: author.id, name: 'Amal', role: 'student' },
      kind: 'text',
      content: 'Hello',
      textDirection: 'auto',
      visibility: 'public',
      reactionCounts: {},
      commentCount: 0,
      repostCount: 0,
    });
    expect((await reader.get(`/posts/${id}`)).body).to.deep.equal(body);
  });

  it('keep Arabic, emoji and line breaks as they were written', async () => {
    const author = await api.register();
    const content = `مُرَحَّبًا بالجميع 👋🏽\n\nعائلتي: ${FAMILY} — “quoted” <b>not bold</b> & 𝒻𝒶𝓃𝒸𝓎\tend`;
    const id = await author.publish(`  ${content}\r\nlast line \n`);
    const { body } = await author.get(`/posts/${id}`);
    expect(body.content).to.equal(`${content.normalize('NFC')}\nlast line`);
  });

  it('say in which direction they are to be read', async () => {
    const author = await api.register();
    for (const textDirection of ['rtl', 'ltr', 'auto']) {
      const { body } = await author.post('/posts', { content: 'مرحبا', textDirection });
      expect((await author.get(`/posts/${body.id}`)).body.textDirection).to.equal(textDirection);
    }
    expectInvalid(await author.post('/posts', { content: 'x', textDirection: 'up' }), 'body.textDirection');
  });

  it('have 1 to 3,000 characters, an emoji counting as the characters it is made of', async () => {
    const author = await api.register();
    const longest = '🎓'.repeat(3_000);
    const { status, body } = await author.post('/posts', { content: longest });
    expect(status).to.equal(201);
    expect(body.content).to.equal(longest);
    expect((await author.post('/posts', { content: `   ${'م'.repeat(3_000)}\n` })).status).to.equal(201);
    for (const content of [`${longest}!`, '', ' \n\t ', 7, null, ['x'], '\u0000', 'lone \ud83c']) {
      expectInvalid(await author.post('/posts', { content }), 'body.content');
    }
  });

  it('refuse fields they do not have', async () => {
    const author = await api.register();
    const body = { content: 'x', kind: 'poll', visibility: 'friends', authorId: NOBODY, reactionCounts: { LIKE: 9 } };
    expectInvalid(
      await author.post('/posts', body),
      'body.kind',
      'body.visibility',
      'body.authorId',
      'body.reactionCounts',
    );
  });

  it('are listed per user, newest first, without repeats or gaps while new ones appear', async () => {
    const [author, other, reader] = [await api.register(), await api.register(), await api.register()];
    const expected: string[] = [];
    for (let i = 0; i < 7; i += 1) expected.unshift(await author.publish(`Post ${i}`));
    await other.publish('Not in the list');

    const items = await allPages(reader, `/users/${author.id}/posts`, {
      limit: 3,
      between: () => author.publish('Meanwhile'),
    });
    expect(idsOf(items)).to.deep.equal(expected);
    expect((await reader.get(`/users/${author.id}/posts?limit=1`)).body.data[0].content).to.equal('Meanwhile');
  });

  it('refuse a cursor that was changed or belongs to another list, and limits out of range', async () => {
    const [author, other] = [await api.register(), await api.register()];
    for (let i = 0; i < 3; i += 1) await author.publish();
    const path = `/users/${author.id}/posts`;
    const { body } = await author.get(`${path}?limit=1`);
    const changed = body.nextCursor.replace(/^./, (first: string) => (first === 'A' ? 'B' : 'A'));
    expectProblem(await author.get(`${path}?cursor=${changed}`), 400, 'INVALID_CURSOR');
    expectProblem(await author.get(`/users/${other.id}/posts?cursor=${body.nextCursor}`), 400, 'INVALID_CURSOR');
    for (const limit of ['0', '101', 'many', '1.5'])
      expectInvalid(await author.get(`${path}?limit=${limit}`), 'query.limit');
  });

  it('are deleted by their author or a moderator, and by nobody else', async () => {
    const [author, stranger] = [await api.register(), await api.register()];
    const moderator = await registerAs(campus, api, 'moderator');
    const [first, second, third] = [await author.publish(), await author.publish(), await author.publish()];
    expectProblem(await stranger.delete(`/posts/${first}`), 403, 'NOT_YOUR_POST');
    expect((await stranger.get(`/posts/${first}`)).status).to.equal(200);
    for (const [person, id] of [
      [author, first],
      [moderator, second],
      [await api.admin(), third],
    ] as const) {
      const { status, body } = await person.delete(`/posts/${id}`);
      expect({ status, body }).to.deep.equal({ status: 204, body: '' });
      expectProblem(await person.delete(`/posts/${id}`), 404, 'POST_NOT_FOUND');
    }
  });

  it('are gone everywhere once deleted', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const [kept, id] = [await author.publish('Kept'), await author.publish('Deleted')];
    await reader.post(`/posts/${id}/react`, { type: 'LIKE' });
    const comment = await reader.post(`/posts/${id}/comments`, { content: 'Nice' });
    await author.delete(`/posts/${id}`);

    for (const person of [author, reader]) {
      const answers = await Promise.all([
        person.get(`/posts/${id}`),
        person.get(`/posts/${id}/reactions`),
        person.post(`/posts/${id}/react`, { type: 'LOVE' }),
        person.delete(`/posts/${id}/react`),
        person.get(`/posts/${id}/comments`),
        person.post(`/posts/${id}/comments`, { content: 'Too late' }),
      ]);
      for (const answer of answers) expectProblem(answer, 404, 'POST_NOT_FOUND');
      expectProblem(await person.delete(`/posts/${id}/comments/${comment.body.id}`), 404, 'COMMENT_NOT_FOUND');
      const { body } = await person.get(`/users/${author.id}/posts`);
      expect(idsOf(body.data)).to.deep.equal([kept]);
    }
    const socket = await reader.connect('/feed');
    expect((await socket.ask('post:watch', { postId: id })).error).to.include({ status: 404, code: 'POST_NOT_FOUND' });
    reader.disconnect();
  });

  it('that never were answer 404, and what is no id 400', async () => {
    const person = await api.register();
    expectProblem(await person.get(`/posts/${NOBODY}`), 404, 'POST_NOT_FOUND');
    expectProblem(await person.delete(`/posts/${NOBODY}`), 404, 'POST_NOT_FOUND');
    expectInvalid(await person.get('/posts/first'), 'params.postId');
  });

  it('carry an ETag, and cost nothing to whoever has the newest state', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const path = `/posts/${await author.publish()}`;
    const first = await reader.get(path);
    const etag = first.headers.get('etag')!;
    const again = await reader.get(path, conditional(etag));
    expect({ status: again.status, body: again.body }).to.deep.equal({ status: 304, body: '' });

    await author.post(`${path}/comments`, { content: 'News' });
    const changed = await reader.get(path, conditional(etag));
    expect(changed.status).to.equal(200);
    expect(changed.body.commentCount).to.equal(1);
    expect(changed.headers.get('etag')).not.to.equal(etag);

    const list = await reader.get(`/users/${author.id}/posts`);
    const sameList = await reader.get(`/users/${author.id}/posts`, conditional(list.headers.get('etag')!));
    expect(sameList.status).to.equal(304);
  });
});
