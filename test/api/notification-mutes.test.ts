import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY } from './helpers.js';

const PATH = '/settings/notifications/mutes';

describe('Mutes', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    otherNode = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  const mute = (person: Person, kind: string, id: string, until?: Date) =>
    person.post(PATH, { kind, id, ...(until && { until: until.toISOString() }) });
  const muted = async (person: Person): Promise<string[]> => idsOf((await person.get(PATH)).body.data as Json[]);
  const unreadCount = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  const pair = () => Promise.all([api!.register(), api!.register()]);

  it('of a post let it be seen in the app alone, where it counts as read', async () => {
    const [author, reader] = await pair();
    const inbox = await author.connect('/notifications');
    const [quiet, loud] = [await author.publish('Hot'), await author.publish('Cool')];
    const { status, body } = await mute(author, 'post', quiet);
    expect(status).to.equal(201);
    expect(body).to.deep.equal({ kind: 'post', id: quiet, createdAt: body.createdAt });

    await reader.post(`/posts/${quiet}/comments`, { content: 'Quiet' });
    await reader.post(`/posts/${quiet}/react`, { type: 'LIKE' });
    await reader.post(`/posts/${loud}/comments`, { content: 'Loud' });
    const told = await inbox.collect('notification:new', 3);
    const skipped = { inApp: { status: 'read' }, email: { status: 'skipped', attempts: 0, reason: 'MUTED' } };
    expect(told.slice(0, 2).map(({ channels }) => channels)).to.deep.equal([skipped, skipped]);
    expect(told[2].channels.inApp).to.deep.equal({ status: 'unread' });
    expect(await unreadCount(author)).to.equal(1);
    expect((await author.get('/notifications')).body.data).to.have.length(3);

    await campus.edge.smtp.waitFor(
      ({ envelope, text }) => envelope.to.includes(author.email) && !!text?.includes('Loud'),
    );
    const mails = campus.edge.smtp.received.filter(({ envelope }) => envelope.to.includes(author.email));
    expect(mails.filter(({ text }) => text?.includes('Quiet'))).to.deep.equal([]);
    author.disconnect();
  });

  it('of a user are for what that user causes, and for nobody else', async () => {
    const [author, loud] = await pair();
    const other = await api!.register();
    const inbox = await author.connect('/notifications');
    const postId = await author.publish();
    await mute(author, 'user', loud.id);
    await loud.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await loud.post('/follow', { userId: author.id });
    await other.post('/follow', { userId: author.id });
    const told = await inbox.collect('notification:new', 3);
    expect(told.map(({ actorIds, channels }) => [actorIds[0], channels.inApp.status])).to.deep.equal([
      [loud.id, 'read'],
      [loud.id, 'read'],
      [other.id, 'unread'],
    ]);
    author.disconnect();
  });

  it('end when they are ended, at the time that was set, or are prolonged by muting again', async () => {
    const [author, reader] = await pair();
    const postId = await author.publish();
    let comments = 0;
    const statusOfComment = async (): Promise<string> => {
      const inbox = await author.connect('/notifications');
      const content = `Comment ${comments++}`;
      await reader.post(`/posts/${postId}/comments`, { content });
      const { channels } = await inbox.next('notification:new', ({ data }) => data.excerpt === content);
      author.disconnect();
      return channels.inApp.status as string;
    };
    await mute(author, 'post', postId);
    expect(await statusOfComment()).to.equal('read');
    expect((await author.delete(PATH, { kind: 'post', id: postId })).status).to.equal(204);
    expect((await author.delete(PATH, { kind: 'post', id: postId })).status).to.equal(204);
    expect(await statusOfComment()).to.equal('unread');

    const soon = new Date(campus.clock.now().getTime() + HOUR);
    await mute(author, 'post', postId, new Date(soon.getTime() - HOUR / 2));
    const { body } = await mute(author, 'post', postId, soon);
    expect(body.until).to.equal(soon.toISOString());
    expect(await muted(author)).to.deep.equal([postId]);
    expect(await statusOfComment()).to.equal('read');
    campus.clock.advance(HOUR);
    for (const person of [author, reader]) person.token = (await api!.signIn(person.email, person.password)).token;
    expect(await muted(author)).to.deep.equal([]);
    expect(await statusOfComment()).to.equal('unread');
  });

  it('are one, however often the same is muted at once', async () => {
    const [person, other] = await pair();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => mute(index % 2 ? person : person.on(otherNode!), 'user', other.id)),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 201));
    expect(await muted(person)).to.deep.equal([other.id]);
  });

  it('are a thousand at most, however many are asked for at once; what has ended does not count', async () => {
    const [person, author] = await pair();
    const posts = await Promise.all(Array.from({ length: 8 }, () => author.publish()));
    const [userId, createdAt] = [new ObjectId(person.id), campus.clock.now()];
    const row = () => ({ userId, key: `post:${new ObjectId().toHexString()}`, createdAt });
    // More than a test could mute through the API.
    await campus.db
      .collection('notificationMutes')
      .insertMany([
        ...Array.from({ length: 997 }, row),
        ...Array.from({ length: 50 }, () => ({ ...row(), until: createdAt })),
      ]);
    const answers = await Promise.all(
      posts.map((postId, index) => mute(index % 2 ? person : person.on(otherNode!), 'post', postId)),
    );
    expect(answers.filter(({ status }) => status === 201)).to.have.length(3);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectProblem(answer, 409, 'TOO_MANY_MUTES');
    }

    const refused = posts[answers.findIndex(({ status }) => status === 409)]!;
    const one = posts[answers.findIndex(({ status }) => status === 201)]!;
    // Muting the same again adds nothing, and ending one makes room.
    expect((await mute(person, 'post', one)).status).to.equal(201);
    expectProblem(await mute(person, 'post', refused), 409, 'TOO_MANY_MUTES');
    await person.delete(PATH, { kind: 'post', id: one });
    expect((await mute(person, 'post', refused)).status).to.equal(201);
    expectProblem(await mute(person, 'post', one), 409, 'TOO_MANY_MUTES');
  });

  it('are listed to their owner, newest first, page by page', async () => {
    const [person, author] = await pair();
    const posts: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const postId = await author.publish(`Post ${index}`);
      posts.unshift(postId);
      await mute(person, 'post', postId);
    }
    expect(idsOf(await allPages(person, PATH, { limit: 2 }))).to.deep.equal(posts);
    expect(await muted(author)).to.deep.equal([]);
  });

  it('of what does not exist, is hidden, is oneself or has ended are refused', async () => {
    const [person, blocker] = await pair();
    const postId = await blocker.publish();
    await mute(person, 'user', blocker.id);
    await blocker.post(`/users/${person.id}/block`);
    expect(await muted(person)).to.deep.equal([]);
    for (const [kind, id] of [
      ['post', NOBODY],
      ['user', NOBODY],
      ['post', postId],
      ['user', blocker.id],
    ] as const) {
      expectProblem(await mute(person, kind, id), 404, 'NOTHING_TO_MUTE');
    }
    expectProblem(await mute(person, 'user', person.id), 400, 'CANNOT_MUTE_YOURSELF');
    const own = await person.publish();
    const past = new Date(campus.clock.now().getTime() - 1);
    expectProblem(await mute(person, 'post', own, past), 400, 'MUTE_HAS_ENDED');
    expectInvalid(await mute(person, 'planet', own), 'body.kind');
    expectInvalid(await mute(person, 'post', 'mine'), 'body.id');
    expectInvalid(await person.post(PATH, { kind: 'post', id: own, until: 'tomorrow' }), 'body.until');
    expect(await muted(person)).to.deep.equal([]);
  });
});
