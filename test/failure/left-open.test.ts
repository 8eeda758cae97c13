import { expect } from 'chai';
import { type Api, Campus, type Person } from '../support/campus.js';
import { type ProcessNode, spawnNode } from '../support/process-node.js';

/** Far less than the minute after which the server would end it. */
const SOON_MS = 30_000;

describe('A process that dies in a transaction', function () {
  this.timeout(SOON_MS);

  let campus: Campus;
  let api: Api;
  let sara: Person;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    sara = await api.register();
  });
  after(() => campus.close());

  /** A process that keeps a post locked. */
  async function holding(postId: string): Promise<ProcessNode> {
    const env = { MONGODB_URI: campus.uri, LOCKED_IN: 'posts', LOCKED_ID: postId };
    return spawnNode(env, 'test/support/lock-holder.ts');
  }

  it('keeps nobody waiting, whatever it has locked, and one that lives is left alone', async () => {
    const [held, left] = [await sara.publish('Held'), await sara.publish('Left')];
    const [living, dying, paused] = await Promise.all([
      holding(held),
      holding(left),
      holding(await sara.publish('Paused')),
    ]);
    paused.signal('SIGSTOP');
    await dying.kill();
    const { status } = await sara.post(`/posts/${left}/react`, { type: 'LIKE' });
    expect(status).to.equal(200);
    paused.signal('SIGCONT');
    expect([await living.terminate(), await paused.terminate()]).to.deep.equal([0, 0]);
    const kept = await campus.db.collection('posts').distinct('content', { lockHolder: true });
    expect(kept.sort()).to.deep.equal(['Held', 'Paused']);
  });
});
