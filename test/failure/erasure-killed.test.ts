import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { newCode } from '../api/auth-mail.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { startWorker } from '../support/processes.js';
import { until } from '../support/until.js';

const POSTS = 150;

describe('A worker that is killed while it erases an account', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(120_000);

  let campus: Campus;
  let [api, goner, friend, code]: [Api, Person, Person, string] = [] as never;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    // The mail with the code takes a worker, which must not be there any more when the erasure is due.
    const whole = await campus.startNode();
    goner = await whole.register();
    code = await newCode(campus, goner, 'erasure');
    await campus.stopNodes();
    api = await campus.startNode({ env: { ROLE: 'api' } });
    [goner, friend] = [goner.on(api), await api.register()];
  });
  after(() => campus.close());

  it('is followed by another, which finishes it: nothing is left, and no count is wrong', async () => {
    const [authorId, friendId] = [new ObjectId(goner.id), new ObjectId(friend.id)];
    const { db } = campus;
    const at = new Date();
    // More than could be published in a test, written as publishing and reacting would have.
    const postsOf = (author: ObjectId, likes: number) =>
      Array.from({ length: POSTS }, (_, i) => ({
        _id: new ObjectId(),
        authorId: author,
        kind: 'text',
        content: `Number ${i}`,
        textDirection: 'auto',
        visibility: 'public',
        reactionCounts: { LIKE: likes },
        commentCount: 0,
        createdAt: at,
        updatedAt: at,
      }));
    const [own, others] = [postsOf(authorId, 0), postsOf(friendId, 2)];
    await db.collection('posts').insertMany([...own, ...others]);
    const liked = others.flatMap(({ _id: postId }) =>
      [authorId, friendId].map((userId) => ({ postId, userId, type: 'LIKE', createdAt: at })),
    );
    await db.collection('reactions').insertMany(liked);
    expect((await goner.delete('/users/me', { password: goner.password, code })).status).to.equal(202);
    await db.collection('users').updateOne({ _id: authorId }, { $set: { 'deletion.dueAt': at } });

    const left = async (): Promise<number> =>
      (await db.collection('reactions').countDocuments({ userId: authorId })) +
      (await db.collection('posts').countDocuments({ authorId }));
    /** Kills one when so much is left. */
    const killedAt = async (most: number): Promise<void> => {
      const victim = await startWorker(campus);
      await until(left, (count) => count <= most, 30_000);
      await victim.kill();
      // The server would keep what the dead transaction has locked for a minute.
      await campus.forgetTheDead();
      expect(await left()).to.be.greaterThan(0);
      expect(await db.collection('users').countDocuments({ _id: authorId })).to.equal(1);
    };
    // Once among the reactions and once among the posts.
    await killedAt(2 * POSTS - 20);
    await killedAt(POSTS - 20);
    await startWorker(campus);
    await until(
      () => db.collection('users').countDocuments({ _id: authorId }),
      (count) => count === 0,
      30_000,
    );
    expect(await left()).to.equal(0);
    const { body: post } = await friend.get(`/posts/${others[0]!._id.toHexString()}`);
    expect(post.reactionCounts).to.deep.equal({ LIKE: 1 });
    const wrong = { authorId: friendId, 'reactionCounts.LIKE': { $ne: 1 } };
    expect(await db.collection('posts').countDocuments(wrong)).to.equal(0);
    expect(await db.collection('events').countDocuments({ type: 'user.erased', 'entity.id': goner.id })).to.equal(1);
  });
});
