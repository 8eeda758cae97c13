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
  const holders: ProcessNode[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    // Both look for what was left open, at the same time.
    await campus.startNode();
    sara = await api.register();
  });
  afterEach(() => Promise.all(holders.splice(0).map((holder) => holder.kill())));
  after(() => campus.close());

  /** A process that keeps a post locked. */
  async function holding(postId: string): Promise<ProcessNode> {
    const env = { MONGODB_URI: campus.uri, LOCKED_IN: 'posts', LOCKED_ID: postId };
    const holder = await spawnNode(env, 'test/support/lock-holder.ts');
    holders.push(holder);
    return holder;
  }

  it('keeps nobody waiting, whatever it has locked, and one that lives is left alone', async () => {
    const [held, paused] = [await sara.publish('Held'), await sara.publish('Paused')];
    const left = await sara.publish('Left');
    const [living, sleeping] = await Promise.all([holding(held), holding(paused)]);
    // The last to begin: once it is ended, the others were looked at as well.
    const dying = await holding(left);
    sleeping.signal('SIGSTOP');
    await dying.kill();
    const { status } = await sara.post(`/posts/${left}/react`, { type: 'LIKE' });
    expect(status).to.equal(200);
    sleeping.signal('SIGCONT');
    expect([await living.terminate(), await sleeping.terminate()]).to.deep.equal([0, 0]);
    const kept = await campus.db.collection('posts').distinct('content', { lockHolder: true });
    expect(kept.sort()).to.deep.equal(['Held', 'Paused']);
  });
});
