import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/core/observability/log.js';
import { type AtriumNode, startNode } from '../../src/node.js';
import { type Api, type Person } from '../support/api.js';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { Reachable } from '../support/everywhere.js';
import { until } from '../support/until.js';

describe('The reactor', function () {
  this.timeout(60_000);

  let campus: Campus;
  let api: Api;
  let worker: AtriumNode | undefined;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode({ env: { ROLE: 'api' } });
  });
  afterEach(() => stopWorker());
  after(() => campus.close());

  async function startWorker(): Promise<AtriumNode> {
    const { uri, clock } = campus;
    const config = readConfig({ ...campus.environment(), ROLE: 'worker' });
    worker = await startNode({ config, uri, log: createLog('silent'), version: '0', clock });
    return worker;
  }

  async function stopWorker(): Promise<void> {
    await worker?.stop();
    worker = undefined;
  }

  async function timesLost({ url }: AtriumNode): Promise<number> {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return Number(/^atrium_history_lost_total (\d+)/m.exec(metrics)?.[1]);
  }

  /** Who wants to be told of each reaction by itself. */
  async function someone(): Promise<Reachable> {
    const person = await api.register();
    await person.patch('/settings/notifications', { grouping: { social: false } });
    return Reachable.everywhere(campus, person);
  }

  const newcomers = (count: number): Promise<Person[]> =>
    Promise.all(Array.from({ length: count }, () => api.register()));

  async function react(postId: string, people: Person[]): Promise<void> {
    for (const person of people) {
      expect((await person.post(`/posts/${postId}/react`, { type: 'LIKE' })).status).to.equal(200);
    }
  }

  /** Waits until each of them has been told of once, on every channel. */
  async function expectToldOnceOf(author: Reachable, people: Person[]): Promise<void> {
    const stored = await author.sent(people.length);
    expect(stored.map(({ actorIds }) => String(actorIds[0]))).to.have.members(people.map(({ id }) => id));
    for (const received of [author.mails, author.pushes, author.messages]) {
      expect(received).to.have.length(people.length);
    }
    const { body } = await author.person.get('/notifications/unread-count');
    expect(body.count).to.equal(people.length);
  }

  it('that has never run tells of what was written before its first start', async () => {
    const author = await someone();
    const people = await newcomers(3);
    await react(await author.person.publish(), people);

    await startWorker();
    await expectToldOnceOf(author, people);
  });

  it('whose history is lost tells of everything, once, while more keeps coming, and counts that it happened', async () => {
    const author = await someone();
    const postId = await author.person.publish();
    const people = await newcomers(12);
    await startWorker();
    await react(postId, people.slice(0, 2));
    await author.sent(2);
    await stopWorker();
    await react(postId, people.slice(2, 6));
    const consumers = campus.db.collection<{ _id: string }>('consumers');
    await consumers.updateOne({ _id: 'reactor' }, { $set: { token: { _data: 'not what it was' } } });

    const coming = react(postId, people.slice(6));
    const restarted = await startWorker();
    await coming;
    await expectToldOnceOf(author, people);
    await until(
      () => timesLost(restarted),
      (times) => times === 1,
    );
  });

  it('that handles everything a second time tells nobody again', async () => {
    const author = await someone();
    const people = await newcomers(3);
    await startWorker();
    await react(await author.person.publish(), people);
    await expectToldOnceOf(author, people);
    await stopWorker();
    // Without a position it begins at the beginning.
    await campus.db.collection('consumers').deleteMany({});

    await startWorker();
    const marker = await someone();
    await react(await marker.person.publish(), people.slice(0, 1));
    await expectToldOnceOf(marker, people.slice(0, 1));
    await expectToldOnceOf(author, people);
  });

  it('sets an event aside that nothing can be made of, and tells of those before and after', async () => {
    const author = await someone();
    const [before, after] = await newcomers(2);
    const postId = await author.person.publish();
    await react(postId, [before!]);
    const events = campus.db.collection('events');
    const sound = (await events.findOne({ type: 'post.reacted', actorId: before!.id }))!;
    const spoilt = { ...sound, _id: new ObjectId(), data: { ...sound['data'], authorId: 'nobody’s id' } };
    await events.insertOne(spoilt);
    await react(postId, [after!]);

    await startWorker();
    await expectToldOnceOf(author, [before!, after!]);
    const dead = await until(
      () => campus.db.collection('deadEvents').find().toArray(),
      (rows) => rows.length > 0,
    );
    expect(dead).to.have.length(1);
    expect(dead[0]).to.deep.include({ consumer: 'reactor' });
    expect(dead[0]!['event']).to.deep.equal(spoilt);
    expect(dead[0]!['error']).to.be.a('string').and.not.to.equal('');
  });
});
