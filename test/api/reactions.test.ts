import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { allPages, expectInvalid } from './helpers.js';

const TYPES = ['LIKE', 'CELEBRATE', 'SUPPORT', 'LOVE', 'INSIGHTFUL', 'FUNNY'] as const;

describe('Reactions', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const react = (person: Person, postId: string, type: string) => person.post(`/posts/${postId}/react`, { type });
  const unreact = (person: Person, postId: string) => person.delete(`/posts/${postId}/react`);
  const newcomers = (count: number) => Promise.all(Array.from({ length: count }, () => api!.register()));

  /** What the `reactions` collection says, counted by type. */
  const truth = async (postId: string): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { type } of await campus.db
      .collection('reactions')
      .find({ postId: new ObjectId(postId) })
      .toArray()) {
      counts[type] = (counts[type] ?? 0) + 1;
    }
    return counts;
  };
  const eventsOf = (postId: string): Promise<Json[]> =>
    campus.db
      .collection('events')
      .find({ type: { $in: ['post.reacted', 'post.unreacted'] }, 'entity.id': postId })
      .toArray();
  /** The counts that follow from the events alone: what came, less what was changed or taken back. */
  const replay = (events: Json[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    const add = (type: string | undefined, by: number): void => {
      if (type !== undefined) counts[type] = (counts[type] ?? 0) + by;
    };
    for (const { type, data } of events) {
      add(data.type, type === 'post.reacted' ? 1 : -1);
      add(data.previousType, -1);
    }
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
  };

  it('of each kind can be set, replaces the one before, and is one’s own', async () => {
    const [author, reader, other] = await newcomers(3);
    const postId = await author!.publish();
    for (const type of TYPES) {
      const { status, body } = await react(reader!, postId, type);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ reacted: true, type, reactionCounts: { [type]: 1 } });
      expect((await reader!.get(`/posts/${postId}`)).body).to.deep.include({
        myReaction: type,
        reactionCounts: { [type]: 1 },
      });
    }
    const seenByOther = (await other!.get(`/users/${author!.id}/posts`)).body.data[0];
    expect(seenByOther)
      .to.deep.include({ reactionCounts: { FUNNY: 1 } })
      .and.not.have.property('myReaction');
  });

  it('can be taken back, and taking back nothing changes nothing', async () => {
    const [author, reader, other] = await newcomers(3);
    const postId = await author!.publish();
    await react(other!, postId, 'LOVE');
    await react(reader!, postId, 'LOVE');
    for (let i = 0; i < 2; i += 1) {
      const { status, body } = await unreact(reader!, postId);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ reacted: false, reactionCounts: { LOVE: 1 } });
    }
    expect((await reader!.get(`/posts/${postId}`)).body).not.to.have.property('myReaction');
    expect((await eventsOf(postId)).map(({ type }) => type)).to.deep.equal([
      'post.reacted',
      'post.reacted',
      'post.unreacted',
    ]);
  });

  it('refuse a kind there is not', async () => {
    const [author] = await newcomers(1);
    const postId = await author!.publish();
    for (const type of ['like', 'ANGRY', undefined, 'LIKE,LOVE']) {
      expectInvalid(await author!.post(`/posts/${postId}/react`, { type }), 'body.type');
    }
  });

  it('set a second time tell nobody: no event, no notification, no live count', async () => {
    const [author, reader, other] = await newcomers(3);
    const postId = await author!.publish();
    const [inbox, feed] = [await author!.connect('/notifications'), await author!.connect('/feed')];
    await feed.ask('post:watch', { postId });
    for (let i = 0; i < 3; i += 1) await react(reader!, postId, 'LIKE');
    const last = await react(reader!, postId, 'LIKE');
    expect(last.body).to.deep.equal({ reacted: true, type: 'LIKE', reactionCounts: { LIKE: 1 } });
    expect(await eventsOf(postId)).to.have.length(1);

    // Whatever the repeats had caused would come before this.
    await react(other!, postId, 'LIKE');
    await inbox.next('notification:new', ({ actorIds }) => actorIds[0] === other!.id);
    await feed.next('post:counts', ({ reactionCounts }) => reactionCounts.LIKE === 2);
    expect(inbox.all('notification:new').map(({ actorIds }) => actorIds[0])).to.deep.equal([reader!.id, other!.id]);
    expect(feed.all('post:counts')).to.have.length(2);
    author!.disconnect();
  });

  it('changed or set anew after being taken back do not notify the author again', async () => {
    const [author, reader, other] = await newcomers(3);
    const postId = await author!.publish();
    const inbox = await author!.connect('/notifications');
    await react(reader!, postId, 'LIKE');
    await react(reader!, postId, 'LOVE');
    await unreact(reader!, postId);
    await react(reader!, postId, 'FUNNY');
    await react(other!, postId, 'LIKE');
    await inbox.next('notification:new', ({ actorIds }) => actorIds[0] === other!.id);
    expect(inbox.all('notification:new').map(({ actorIds }) => actorIds[0])).to.deep.equal([reader!.id, other!.id]);
    author!.disconnect();
  });

  it('are counted right while forty people set, change and take back on two nodes', async () => {
    const people = await newcomers(40);
    const postId = await people[0]!.publish();
    let changes = 0;
    await Promise.all(
      people.map(async (person, index) => {
        const [here, there] = index % 2 === 0 ? [person, person.on(otherNode!)] : [person.on(otherNode!), person];
        const [first, second] = [TYPES[index % 6]!, TYPES[(index + 1) % 6]!];
        const steps = [() => react(here, postId, first)];
        if (index % 4 === 1) steps.push(() => react(there, postId, second));
        if (index % 4 === 2) steps.push(() => unreact(there, postId));
        for (const step of steps) {
          const { status, body } = await step();
          expect(status, JSON.stringify(body)).to.equal(200);
          for (const count of Object.values<number>(body.reactionCounts)) expect(count).to.be.greaterThan(0);
          changes += 1;
        }
        // What is repeated changes nothing, on whichever node.
        const repeated =
          index % 4 === 2 ? unreact(here, postId) : react(there, postId, index % 4 === 1 ? second : first);
        expect((await repeated).status).to.equal(200);
      }),
    );
    const counts = await truth(postId);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).to.equal(30);
    for (const reader of [people[0]!, people[0]!.on(otherNode!)]) {
      expect((await reader.get(`/posts/${postId}`)).body.reactionCounts).to.deep.equal(counts);
    }
    const events = await eventsOf(postId);
    expect(events).to.have.length(changes);
    expect(replay(events)).to.deep.equal(counts);
  }).timeout(60_000);

  it('of one person on several devices at once leave one reaction, counted once', async () => {
    const people = await newcomers(4);
    const postId = await people[0]!.publish();
    const answers = await Promise.all(
      people.flatMap((person) =>
        [person, person.on(otherNode!)].flatMap((device, index) => [
          react(device, postId, TYPES[index]!),
          react(device, postId, TYPES[index + 2]!),
          unreact(device, postId),
          react(device, postId, TYPES[index + 4]!),
        ]),
      ),
    );
    for (const { status, body } of answers) expect(status, JSON.stringify(body)).to.equal(200);
    const counts = await truth(postId);
    expect((await people[0]!.get(`/posts/${postId}`)).body.reactionCounts).to.deep.equal(counts);
    expect(replay(await eventsOf(postId))).to.deep.equal(counts);
    const stored = campus.db.collection('posts').findOne({ _id: new ObjectId(postId) });
    for (const count of Object.values<number>((await stored)?.['reactionCounts'])) expect(count).to.be.at.least(0);
  });

  it('are listed newest first, all or of one kind, page by page, while more arrive', async () => {
    const [author, late, ...people] = await newcomers(9);
    const postId = await author!.publish();
    for (const [index, person] of people.entries()) await react(person, postId, index % 2 === 0 ? 'LIKE' : 'FUNNY');
    const newestFirst = people.map(({ id }) => id).reverse();
    const usersOf = (items: Json[]) => items.map(({ user }) => user.id as string);

    const all = await allPages(author!, `/posts/${postId}/reactions`, {
      limit: 3,
      between: () => react(late!, postId, 'LIKE'),
    });
    expect(usersOf(all)).to.deep.equal(newestFirst);
    expect(all[0]).to.have.all.keys('id', 'user', 'type', 'createdAt');

    await unreact(late!, postId);
    const likes = await allPages(author!, `/posts/${postId}/reactions?type=LIKE`, { limit: 2 });
    expect(usersOf(likes)).to.deep.equal(newestFirst.filter((_id, index) => (people.length - 1 - index) % 2 === 0));
    expect((await author!.get(`/posts/${postId}/reactions?type=LOVE`)).body).to.deep.equal({
      data: [],
      nextCursor: null,
    });
    expectInvalid(await author!.get(`/posts/${postId}/reactions?type=ANGRY`), 'query.type');
  });
});
