import { expect } from 'chai';
import { type Document } from 'mongodb';
import { type Person } from '../support/api.js';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { notificationsOf } from '../support/everywhere.js';
import { Load } from '../support/load.js';
import { type ProcessNode } from '../support/process-node.js';
import { until } from '../support/until.js';

const CLIENTS = 20;
const POSTS = 5;

describe('A node that goes down while twenty people react and comment', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(120_000);

  let campus: Campus;
  let node: ProcessNode;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    node = await campus.startProcess();
  });
  after(() => campus.close());

  interface Scene {
    author: Person;
    postIds: string[];
    load: Load;
  }

  async function underLoad(): Promise<Scene> {
    if (node.ended !== undefined) node = await campus.startProcess();
    const { api } = node;
    const author = await api.register();
    await author.patch('/settings/notifications', { preferences: { social: { email: false } } });
    const postIds = await Promise.all(Array.from({ length: POSTS }, () => author.publish()));
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => api.register()));
    const load = new Load(clients, postIds);
    await until(() => load.acknowledged.some(({ kind }) => kind === 'comment'), Boolean, 40_000);
    return { author, postIds, load };
  }

  /** What is stored of one kind: by whom or with which content, and what its events and the post's count say. */
  async function expectNothingLostNorHalf({ author, postIds, load }: Scene): Promise<void> {
    const { db } = campus;
    const posts = await Promise.all(postIds.map((id) => author.on(node.api).get(`/posts/${id}`)));
    const found = new Set<string>();
    let events = 0;
    for (const { status, body } of posts) {
      expect(status).to.equal(200);
      const ofPost = (type: string) => db.collection('events').find({ type, 'data.postId': body.id }).toArray();
      const [reacted, commented] = [await ofPost('post.reacted'), await ofPost('comment.created')];
      const [reactions, comments] = [await allOf('reactions', body.id), await allOf('comments', body.id)];
      const reactedBy = reactions.map(({ userId }) => String(userId));
      expect(reacted.map(({ data }) => data.userId)).to.have.members(reactedBy);
      expect(commented.map(({ entity }) => entity.id)).to.have.members(comments.map(({ _id }) => String(_id)));
      expect(body.reactionCounts.LIKE ?? 0).to.equal(reactions.length);
      expect(body.commentCount).to.equal(comments.length);
      for (const userId of reactedBy) found.add(`reaction ${body.id} ${userId}`);
      for (const { content } of comments) found.add(`comment ${body.id} ${String(content)}`);
      events += reacted.length + commented.length;
    }
    const lost = load.acknowledged.filter(
      ({ kind, postId, by, content = by.id }) => !found.has(`${kind} ${postId} ${content}`),
    );
    expect(lost).to.be.empty;
    expect(found.size).to.equal(events).and.to.be.at.most(load.attempts.length);

    const notifications = await until(
      () => notificationsOf(campus, author),
      ({ length }) => length >= events,
    );
    expect(notifications).to.have.length(events);
  }

  async function allOf(collection: string, postId: string): Promise<Document[]> {
    const found = await campus.db.collection(collection).find().toArray();
    return found.filter((each) => String(each['postId']) === postId);
  }

  it('in good order: it ends by itself in time, loses nothing, and people can come back to the next one', async () => {
    const scene = await underLoad();
    const socket = await scene.author.connect('/notifications');
    const begun = Date.now();

    expect(await node.terminate()).to.equal(0);
    expect(Date.now() - begun).to.be.below(15_000);
    await socket.closed();
    expect(socket.all('server:closing')).to.have.length(1);
    await scene.load.end();

    node = await campus.startProcess();
    const reader = await node.api.register();
    const again = await scene.author.on(node.api).connect('/notifications');
    await expectNothingLostNorHalf(scene);
    await reader.post(`/posts/${scene.postIds[0]!}/comments`, { content: 'after the restart' });
    await again.next('notification:new', ({ actorIds }) => actorIds.includes(reader.id));
    again.socket.disconnect();
  });

  it('by a power cut: what was acknowledged exists, and everything else is there whole or not at all', async () => {
    const scene = await underLoad();

    await node.kill();
    await scene.load.end();

    node = await campus.startProcess();
    await expectNothingLostNorHalf(scene);
  });
});
