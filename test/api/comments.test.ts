import { expect } from 'chai';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY, registerAs } from './helpers.js';

describe('Comments', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const comment = async (person: Person, postId: string, content = 'Well said'): Promise<string> => {
    const { status, body } = await person.post(`/posts/${postId}/comments`, { content });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body.id as string;
  };
  const countOn = async (reader: Person, postId: string): Promise<number> =>
    (await reader.get(`/posts/${postId}`)).body.commentCount as number;

  it('are written by anyone who is signed in, and counted', async () => {
    const [author, reader] = [await api!.register(), await api!.register({ name: 'Bob' })];
    const postId = await author.publish();
    const { status, body } = await reader.post(`/posts/${postId}/comments`, { content: ' أحسنت 👏🏽\n' });
    expect(status).to.equal(201);
    const { id, createdAt, ...rest } = body;
    expect(id).to.match(/^[0-9a-f]{24}$/);
    expect(Date.parse(createdAt)).to.be.closeTo(campus.clock.now().getTime(), 10_000);
    expect(rest).to.deep.equal({
      postId,
      author: { id: reader.id, name: 'Bob', role: 'student' },
      content: 'أحسنت 👏🏽',
    });
    expect((await author.get(`/posts/${postId}/comments`)).body).to.deep.equal({ data: [body], nextCursor: null });
    expect(await countOn(author, postId)).to.equal(1);
  });

  it('have 1 to 1,000 characters', async () => {
    const author = await api!.register();
    const postId = await author.publish();
    const path = `/posts/${postId}/comments`;
    await comment(author, postId, '🎉'.repeat(1_000));
    for (const content of ['', '  \n', '🎉'.repeat(1_001), 1]) {
      expectInvalid(await author.post(path, { content }), 'body.content');
    }
    expectInvalid(await author.post(path, { content: 'x', authorId: NOBODY }), 'body.authorId');
    expect(await countOn(author, postId)).to.equal(1);
  });

  it('are listed newest first, without repeats or gaps while new ones appear', async () => {
    const [author, reader] = [await api!.register(), await api!.register()];
    const postId = await author.publish();
    const expected: string[] = [];
    for (let i = 0; i < 7; i += 1) expected.unshift(await comment(reader, postId, `Comment ${i}`));
    const items = await allPages(author, `/posts/${postId}/comments`, {
      limit: 2,
      between: () => comment(reader, postId, 'Meanwhile'),
    });
    expect(idsOf(items)).to.deep.equal(expected);
  });

  it('are counted right when thirty are written at once on two nodes', async () => {
    const [author, reader] = [await api!.register(), await api!.register()];
    const postId = await author.publish();
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, i) => comment(i % 2 === 0 ? reader : reader.on(otherNode!), postId, `No. ${i}`)),
    );
    expect(await countOn(author, postId)).to.equal(30);
    const listed = await allPages(author, `/posts/${postId}/comments`, { limit: 13 });
    expect(idsOf(listed)).to.have.members(ids);

    // Each is deleted twice at once, and counted once.
    const removals = await Promise.all(
      ids
        .slice(0, 10)
        .flatMap((id) =>
          [reader, reader.on(otherNode!)].map((person) => person.delete(`/posts/${postId}/comments/${id}`)),
        ),
    );
    for (const { status } of removals) expect(status).to.be.oneOf([204, 404]);
    expect(await countOn(author, postId)).to.equal(20);
    expect(
      await campus.db.collection('events').countDocuments({ type: 'comment.deleted', 'audience.postId': postId }),
    ).to.equal(10);
  });

  it('are deleted by their author, the post’s author, a moderator or an admin, and by nobody else', async () => {
    const [author, reader, stranger] = [await api!.register(), await api!.register(), await api!.register()];
    const moderator = await registerAs(campus, api!, 'moderator');
    const postId = await author.publish();
    for (const person of [reader, author, moderator, await api!.admin()]) {
      const path = `/posts/${postId}/comments/${await comment(reader, postId)}`;
      expectProblem(await stranger.delete(path), 403, 'NOT_YOUR_COMMENT');
      expect(await countOn(author, postId)).to.equal(1);
      const { status, body } = await person.delete(path);
      expect({ status, body }).to.deep.equal({ status: 204, body: '' });
      expectProblem(await person.delete(path), 404, 'COMMENT_NOT_FOUND');
      expect(await countOn(author, postId)).to.equal(0);
    }
    expect((await author.get(`/posts/${postId}/comments`)).body.data).to.deep.equal([]);
  });

  it('give no rights over other people’s comments elsewhere', async () => {
    const [author, reader] = [await api!.register(), await api!.register()];
    const [postId, readersOwn] = [await author.publish(), await reader.publish()];
    const id = await comment(author, postId);
    // The reader owns that post, but the comment is not on it.
    expectProblem(await reader.delete(`/posts/${readersOwn}/comments/${id}`), 404, 'COMMENT_NOT_FOUND');
    expectProblem(await reader.delete(`/posts/${postId}/comments/${id}`), 403, 'NOT_YOUR_COMMENT');
    expect(await countOn(author, postId)).to.equal(1);
  });

  it('on nothing answer 404, and what is no id 400', async () => {
    const person = await api!.register();
    const postId = await person.publish();
    expectProblem(await person.get(`/posts/${NOBODY}/comments`), 404, 'POST_NOT_FOUND');
    expectProblem(await person.post(`/posts/${NOBODY}/comments`, { content: 'x' }), 404, 'POST_NOT_FOUND');
    expectProblem(await person.delete(`/posts/${postId}/comments/${NOBODY}`), 404, 'COMMENT_NOT_FOUND');
    expectInvalid(await person.delete('/posts/a/comments/b'), 'params.postId', 'params.commentId');
  });

  it('have the name that their author has now', async () => {
    const author = await api!.register({ name: 'Before' });
    const postId = await author.publish();
    await comment(author, postId);
    await author.patch('/users/me', { name: 'After' });
    expect((await author.get(`/posts/${postId}/comments`)).body.data[0].author.name).to.equal('After');
  });
});
