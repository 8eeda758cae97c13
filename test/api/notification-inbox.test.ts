import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY } from './helpers.js';

describe('The list of notifications', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    admin = await api.admin();
  });
  after(() => campus.close());

  /** Someone with so many comments on their post, told of all of them. */
  const someoneTold = async (count: number) => {
    const [person, reader] = [await api.register(), await api.register()];
    const postId = await person.publish();
    const inbox = await person.connect('/notifications');
    const tell = async (content: string): Promise<string> => {
      await reader.post(`/posts/${postId}/comments`, { content });
      return ((await inbox.next('notification:new', ({ data }) => data.excerpt === content)) as { id: string }).id;
    };
    const newestFirst: string[] = [];
    for (let i = 0; i < count; i += 1) newestFirst.unshift(await tell(`Comment ${i}`));
    return { person, inbox, tell, newestFirst, reader, postId };
  };
  const unreadCount = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  const move = (person: Person, id: string, step: string) => person.put(`/notifications/${id}/${step}`);
  const list = async (person: Person, query = ''): Promise<Json[]> =>
    (await person.get(`/notifications${query}`)).body.data as Json[];

  it('is empty at first', async () => {
    const person = await api.register();
    expect((await person.get('/notifications')).body).to.deep.equal({ data: [], nextCursor: null });
    expect((await person.get('/notifications/unread-count')).body).to.deep.equal({ count: 0 });
    expect((await person.put('/notifications/read-all')).status).to.equal(204);
  });

  it('is newest first and pages without repeats or gaps while more arrive', async () => {
    const { person, tell, newestFirst } = await someoneTold(7);
    let arrived = 0;
    const items = await allPages(person, '/notifications', { limit: 2, between: () => tell(`Late ${arrived++}`) });
    expect(idsOf(items)).to.deep.equal(newestFirst);
    expect(arrived).to.equal(3);
    expect(await unreadCount(person)).to.equal(10);
  });

  it('can be narrowed to what is unread, to a type and to a category', async () => {
    const { person, inbox, newestFirst, reader, postId } = await someoneTold(2);
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await inbox.next('notification:new', ({ type }) => type === 'REACTION');
    await admin.post('/notifications', { userIds: [person.id], type: 'SYSTEM', title: 'T', body: 'B' });
    await inbox.next('notification:new', ({ type }) => type === 'SYSTEM');
    const typesOf = async (query: string) => (await list(person, query)).map(({ type }) => type as string);

    expect(await typesOf('')).to.deep.equal(['SYSTEM', 'REACTION', 'COMMENT', 'COMMENT']);
    expect(await typesOf('?type=COMMENT')).to.deep.equal(['COMMENT', 'COMMENT']);
    expect(await typesOf('?category=social')).to.deep.equal(['REACTION', 'COMMENT', 'COMMENT']);
    expect(await typesOf('?category=system&type=COMMENT')).to.deep.equal([]);
    await move(person, newestFirst[0]!, 'read');
    await move(person, newestFirst[1]!, 'seen');
    expect(await typesOf('?unread=true')).to.deep.equal(['SYSTEM', 'REACTION', 'COMMENT']);
    expect(await typesOf('?unread=true&type=COMMENT')).to.deep.equal(['COMMENT']);
    expect(await typesOf('?unread=false')).to.have.length(4);
    expectInvalid(await person.get('/notifications?type=MENTIONED'), 'query.type');
    expectInvalid(await person.get('/notifications?category=x&unread=maybe'), 'query.category', 'query.unread');

    const { body } = await person.get('/notifications?limit=1');
    expectProblem(await person.get(`/notifications?unread=true&cursor=${body.nextCursor}`), 400, 'INVALID_CURSOR');
  });

  it('leads from unread to seen to read to archived, and never back', async () => {
    const { person, newestFirst } = await someoneTold(1);
    const id = newestFirst[0]!;
    const steps = [
      ['seen', 'seen', 1],
      ['read', 'read', 0],
      ['seen', 'read', 0],
      ['read', 'read', 0],
      ['archive', 'archived', 0],
      ['read', 'archived', 0],
      ['seen', 'archived', 0],
    ] as const;
    for (const [step, status, unread] of steps) {
      const answer = await move(person, id, step);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.deep.include({ id, userId: person.id });
      expect(answer.body.channels.inApp, `after ${step}`).to.deep.equal({ status });
      expect(await unreadCount(person)).to.equal(unread);
    }
    expect(await list(person)).to.deep.equal([]);
  });

  it('can be put away without having been read', async () => {
    const { person, newestFirst } = await someoneTold(2);
    await move(person, newestFirst[0]!, 'archive');
    expect(idsOf(await list(person))).to.deep.equal([newestFirst[1]]);
    expect(await unreadCount(person)).to.equal(1);
  });

  it('takes many readings at once as one', async () => {
    const { person, inbox, newestFirst, tell } = await someoneTold(1);
    const answers = await Promise.all(Array.from({ length: 10 }, () => move(person, newestFirst[0]!, 'read')));
    for (const { status, body } of answers) {
      expect(status).to.equal(200);
      expect(body.channels.inApp).to.deep.equal({ status: 'read' });
    }
    const events = { type: 'notification.updated', 'entity.id': newestFirst[0] };
    expect(await campus.db.collection('events').countDocuments(events)).to.equal(1);
    await tell('after');
    await inbox.next('unread-count', ({ count }) => count === 1);
    expect(await unreadCount(person)).to.equal(1);
  });

  it('ends at the furthest of steps taken at once', async () => {
    const { person, newestFirst } = await someoneTold(1);
    const steps = ['seen', 'archive', 'read', 'seen', 'archive', 'read'];
    await Promise.all(steps.map((step) => move(person, newestFirst[0]!, step)));
    expect((await move(person, newestFirst[0]!, 'seen')).body.channels.inApp.status).to.equal('archived');
  });

  it('can be read as a whole; what arrives later stays unread', async () => {
    const { person, inbox, newestFirst, tell } = await someoneTold(3);
    await move(person, newestFirst[0]!, 'seen');
    await move(person, newestFirst[1]!, 'archive');
    const { status, body } = await person.put('/notifications/read-all');
    expect({ status, body }).to.deep.equal({ status: 204, body: '' });
    await inbox.next('unread-count', ({ count, readUpTo }) => count === 0 && readUpTo === newestFirst[0]);
    const late = await tell('Late');
    expect(idsOf(await list(person, '?unread=true'))).to.deep.equal([late]);
    expect(await unreadCount(person)).to.equal(1);
    expect((await list(person)).map(({ channels }) => channels.inApp.status)).to.deep.equal(['unread', 'read', 'read']);
    expect((await move(person, newestFirst[1]!, 'seen')).body.channels.inApp.status).to.equal('archived');
  });

  it('reads all, once, from several devices at once', async () => {
    const { person, newestFirst, tell } = await someoneTold(3);
    await Promise.all([
      ...Array.from({ length: 5 }, () => person.put('/notifications/read-all')),
      ...newestFirst.map((id) => move(person, id, 'read')),
    ]).then((answers) => {
      for (const { status } of answers) expect(status).to.be.oneOf([200, 204]);
    });
    expect(await unreadCount(person)).to.equal(0);
    await tell('Late');
    expect(await unreadCount(person)).to.equal(1);
  });

  it('is nobody else’s, not even an admin’s', async () => {
    const { person, newestFirst } = await someoneTold(1);
    const stranger = await api.register();
    for (const other of [stranger, admin]) {
      for (const step of ['seen', 'read', 'archive']) {
        expectProblem(await move(other, newestFirst[0]!, step), 404, 'NOTIFICATION_NOT_FOUND');
      }
      await other.put('/notifications/read-all');
      expect(idsOf(await list(other))).not.to.include(newestFirst[0]);
    }
    expect((await list(person))[0].channels.inApp.status).to.equal('unread');
    expectProblem(await move(person, NOBODY, 'read'), 404, 'NOTIFICATION_NOT_FOUND');
    expectInvalid(await move(person, 'first', 'read'), 'params.notificationId');
  });
});
