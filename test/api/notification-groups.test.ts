import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { InboxView } from '../support/inbox-view.js';
import { LiveStream } from '../support/stream.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';

const MANY = 50;

describe('Several reactions told as one', function () {
  // Half a hundred people register.
  this.timeout(90_000);

  let campus: Campus;
  let nodes: [Api, Api];
  let crowd: Person[];
  before(async () => {
    campus = await Campus.open();
    nodes = [await campus.startNode(), await campus.startNode({ env: { ROLE: 'api' } })];
    crowd = await Promise.all(
      Array.from({ length: MANY }, (_, index) => nodes[index % 2]!.register({ name: `قارئ ${index}` })),
    );
  });
  after(() => campus.close());

  const isolated = (name: string): string => `\u2068${name}\u2069`;
  const someone = async (locale: 'en' | 'ar' = 'en'): Promise<Person> => {
    const person = await nodes[0].register({ locale });
    // Mails sent would be told live as well.
    await person.patch('/settings/notifications', { preferences: { social: { email: false } } });
    return person;
  };
  const react = (person: Person, postId: string) => person.post(`/posts/${postId}/react`, { type: 'LIKE' });
  const unreact = (person: Person, postId: string) => person.delete(`/posts/${postId}/react`);
  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications?limit=100')).body.data;
  const unreadOf = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  /** Their only line, once it stands for so many. */
  const line = async (person: Person, count: number): Promise<Json> => {
    const [shown] = await until(
      () => listOf(person),
      (list) => list.length === 1 && list[0].count === count,
    );
    return shown;
  };
  const lineCounts = (person: Person, ...counts: number[]) =>
    until(
      async () => (await listOf(person)).map(({ count }) => count as number),
      (found) => JSON.stringify(found) === JSON.stringify(counts),
    );
  const reactInTurn = async (person: Person, postId: string, reactors: Person[]): Promise<void> => {
    for (const [index, reactor] of reactors.entries()) {
      await react(reactor, postId);
      await line(person, index + 1);
    }
  };

  /** Someone with devices on both nodes, by socket, stream and polling: all have to agree with the API. */
  const watched = async () => {
    const author = await someone();
    const sockets: LiveSocket[] = [];
    for (const device of [author, author.on(nodes[1])]) sockets.push(await device.connect('/notifications'));
    const stream = await LiveStream.open(author);
    const { position } = (await author.get('/notifications?since=latest')).body;
    const postId = await author.publish();
    const agreed = async (count: number): Promise<Json> => {
      const { list } = await until(
        async () => {
          const [shown, unread] = [await listOf(author), await unreadOf(author)];
          const { data, unreadCount } = (await author.get(`/notifications?since=${position as string}&limit=100`)).body;
          const heard = [...sockets, stream].map((client) => InboxView.of(client.heard).shown);
          return { list: shown, unread, views: [{ list: data, unread: unreadCount }, ...heard] };
        },
        (now) =>
          isDeepStrictEqual(
            now.list.map((each) => each.count as number),
            count === 0 ? [] : [count],
          ) &&
          now.unread === Math.min(count, 1) &&
          now.views.every((view) => isDeepStrictEqual(view, { list: now.list, unread: now.unread })),
      );
      return list[0];
    };
    const end = (): void => {
      stream.cut();
      for (const { socket } of sockets) socket.disconnect();
    };
    return { author, postId, agreed, end };
  };

  it('is one line with the right count, whoever reacts at once on two nodes, the same by every way of hearing it', async () => {
    const { postId, agreed, end } = await watched();
    await Promise.all(crowd.map((reader) => react(reader, postId)));
    const shown = await agreed(MANY);
    const newest = crowd.find(({ id }) => id === shown.actorIds[0])!;
    expect(shown.title).to.equal(`${isolated(newest.name)} and ${MANY - 1} others reacted to your post`);
    expect(new Set(shown.actorIds).size).to.equal(3);
    const stored = await campus.db.collection('notifications').distinct('dedupeKey', { 'entity.id': postId });
    expect(stored).to.have.length(MANY);

    const others = crowd.filter((reader) => reader !== newest);
    await Promise.all([newest, ...others.slice(0, 3)].map((reader) => unreact(reader, postId)));
    const fewer = await agreed(MANY - 4);
    expect(fewer.actorIds).not.to.include(newest.id);
    expect(others.slice(3).map(({ id }) => id)).to.include(fewer.actorIds[0]);
    end();
  });

  it('is gone, live, once the last one has taken it back, and there again with whoever does it again', async () => {
    const { postId, agreed, end } = await watched();
    const [first, second, third, fourth] = crowd as [Person, Person, Person, Person];
    await Promise.all([first, second, third].map((reader) => react(reader, postId)));
    await agreed(3);
    await Promise.all([...[first, second].map((reader) => unreact(reader, postId)), react(fourth, postId)]);
    await agreed(2);
    await Promise.all([third, fourth].map((reader) => unreact(reader, postId)));
    await agreed(0);
    await Promise.all([first, third].map((reader) => react(reader, postId)));
    await agreed(2);
    end();
  });

  it('names the newest first, in Arabic with the right plural', async () => {
    const author = await someone('ar');
    const postId = await author.publish();
    const reactors = crowd.slice(0, 4);
    await reactInTurn(author, postId, reactors);
    const shown = await line(author, 4);
    expect(shown.title).to.equal(`تفاعل ${isolated(reactors[3]!.name)} و٣ أشخاص آخرين مع منشورك`);
    expect(shown.actorIds).to.deep.equal([reactors[3]!.id, reactors[2]!.id, reactors[1]!.id]);
    await unreact(reactors[1]!, postId);
    expect((await line(author, 3)).title).to.include('وشخصان آخران');
    await unreact(reactors[3]!, postId);
    const two = await line(author, 2);
    expect(two.title).to.equal(`تفاعل ${isolated(reactors[2]!.name)} وشخص آخر مع منشورك`);
    expect(two.actorIds).to.deep.equal([reactors[2]!.id, reactors[0]!.id]);
    // Whoever does it again is where they were: not new, and not twice.
    await react(reactors[1]!, postId);
    const again = await line(author, 3);
    expect(again).to.deep.include({ id: two.id, dedupeKey: two.dedupeKey });
    for (const reactor of [reactors[0]!, reactors[1]!]) await unreact(reactor, postId);
    expect((await line(author, 1)).title).to.equal(`تفاعل ${isolated(reactors[2]!.name)} مع منشورك`);
  });

  it('begins anew once it was read, also by a device that still shows an older one of it', async () => {
    const author = await someone();
    const postId = await author.publish();
    await react(crowd[0]!, postId);
    const first = await line(author, 1);
    await react(crowd[1]!, postId);
    const second = await line(author, 2);
    expect(second.id).not.to.equal(first.id);
    const { status, body } = await author.put(`/notifications/${first.id as string}/read`);
    expect({ status, id: body.id }).to.deep.equal({ status: 200, id: second.id });
    expect(await unreadOf(author)).to.equal(0);

    await react(crowd[2]!, postId);
    await react(crowd[3]!, postId);
    await lineCounts(author, 2, 2);
    expect(await unreadOf(author)).to.equal(1);
    // What is read still tells the truth, and stays read.
    await unreact(crowd[0]!, postId);
    await lineCounts(author, 2, 1);
    await react(crowd[0]!, postId);
    await lineCounts(author, 2, 2);
    expect(await unreadOf(author)).to.equal(1);
    await author.put('/notifications/read-all');
    await react(crowd[4]!, postId);
    await lineCounts(author, 1, 2, 2);
    expect(await unreadOf(author)).to.equal(1);
  });

  it('is deleted as one, for good: whoever of it comes back shows nothing, and others begin anew', async () => {
    const author = await someone();
    const postId = await author.publish();
    await reactInTurn(author, postId, crowd.slice(0, 3));
    const { id } = await line(author, 3);
    await author.delete(`/notifications/${id as string}`);
    expect(await listOf(author)).to.deep.equal([]);
    expect(await unreadOf(author)).to.equal(0);
    for (const reader of crowd.slice(1, 3)) await unreact(reader, postId);
    await react(crowd[1]!, postId);
    await react(crowd[5]!, postId);
    const shown = await line(author, 1);
    expect(shown.actorIds).to.deep.equal([crowd[5]!.id]);
    expect((await author.delete(`/notifications/${id as string}`)).status).to.equal(404);
  });

  it('leaves out whom its owner blocks, and who gives the account up until they return', async () => {
    const [author, blocked, goner] = [await someone(), await nodes[0].register(), await nodes[0].register()];
    const postId = await author.publish();
    await reactInTurn(author, postId, [crowd[0]!, goner, crowd[1]!, blocked]);
    await author.post(`/users/${blocked.id}/block`);
    const without = await line(author, 3);
    expect(without.title).to.include(crowd[1]!.name);
    expect(without.actorIds).not.to.include(blocked.id);
    expect(await unreadOf(author)).to.equal(1);

    await unreact(crowd[1]!, postId);
    expect((await line(author, 2)).title).to.include(goner.name);
    const code = await newCode(campus, goner, 'erasure');
    expect((await goner.delete('/users/me', { password: goner.password, code })).status).to.equal(202);
    const left = await line(author, 1);
    expect(left.title).to.equal(`${isolated(crowd[0]!.name)} reacted to your post`);
    await nodes[0].signIn(goner.email, goner.password);
    const back = await line(author, 2);
    expect(back.title).to.equal(`${isolated(goner.name)} and 1 other reacted to your post`);
    expect(await unreadOf(author)).to.equal(1);
  });

  it('counts without asking who they all are: what is kept decides', async () => {
    const author = await someone();
    const postId = await author.publish();
    await reactInTurn(author, postId, crowd.slice(0, 2));
    const { id } = await line(author, 2);
    await campus.db
      .collection('notifications')
      .updateOne({ _id: new ObjectId(id as string) }, { $set: { 'group.count': 10_000 } });
    await react(crowd[2]!, postId);
    expect((await line(author, 10_001)).title).to.include('and 10,000 others');
    await unreact(crowd[2]!, postId);
    await line(author, 10_000);
  });

  it('can be switched off for a category: each stands alone from then on', async () => {
    const author = await someone();
    const postId = await author.publish();
    await reactInTurn(author, postId, crowd.slice(0, 2));
    const { body: settings } = await author.patch('/settings/notifications', { grouping: { social: false } });
    expect(settings.grouping).to.deep.include({ social: false, network: true });
    await react(crowd[2]!, postId);
    await react(crowd[3]!, postId);
    await lineCounts(author, 1, 1, 2);
    expect(await unreadOf(author)).to.equal(3);
    await unreact(crowd[3]!, postId);
    await lineCounts(author, 1, 2);
    await author.patch('/settings/notifications', { grouping: { social: true } });
    await react(crowd[4]!, postId);
    await lineCounts(author, 3, 1);
    expect((await author.get('/settings/notifications')).body.grouping.social).to.equal(true);
    expect((await author.patch('/settings/notifications', { grouping: { nothing: true } })).status).to.equal(400);
  });

  it('takes in nothing that is muted, and no comments', async () => {
    const [author, loud] = [await someone(), await nodes[0].register()];
    const postId = await author.publish();
    await author.post('/settings/notifications/mutes', { kind: 'user', id: loud.id });
    await react(crowd[0]!, postId);
    await react(loud, postId);
    await lineCounts(author, 1, 1);
    await react(crowd[1]!, postId);
    await lineCounts(author, 2, 1);
    expect(await unreadOf(author)).to.equal(1);
    for (const reader of crowd.slice(0, 2)) await reader.post(`/posts/${postId}/comments`, { content: 'نعم' });
    await lineCounts(author, 1, 1, 2, 1);
  });
});
