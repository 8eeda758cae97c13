import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem, idsOf } from './helpers.js';

describe('Asking what has changed since', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
  });
  after(() => campus.close());

  const since = async (person: Person, position: string, query = ''): Promise<Json> => {
    const { status, body } = await person.get(`/notifications?since=${position}${query}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };
  /** Someone who is told of these comments, and from where that was. */
  const someoneTold = async (...comments: string[]) => {
    const [person, reader] = await Promise.all([api.register(), api.register()]);
    await person.patch('/settings/notifications', { preferences: { social: { email: false } } });
    const postId = await person.publish();
    const commentIds: string[] = [];
    const tell = async (content: string): Promise<void> => {
      const { body } = await reader.post(`/posts/${postId}/comments`, { content });
      commentIds.push(body.id as string);
      await until(
        async () => (await person.get('/notifications?limit=1')).body.data as Json[],
        ([newest]) => newest?.data.excerpt === content,
      );
    };
    const uncomment = (index: number) => reader.delete(`/posts/${postId}/comments/${commentIds[index]}`);
    const { position } = await since(person, 'latest');
    for (const content of comments) await tell(content);
    return { person, reader, tell, uncomment, position: position as string };
  };

  it('finds nothing at first, and begins at now', async () => {
    const person = await api.register();
    const nothing = { data: [], withdrawn: [], unreadCount: 0, hasMore: false };
    for (const start of ['latest', '0']) {
      const { position, ...rest } = await since(person, start);
      expect(rest).to.deep.equal(nothing);
      expect(position).to.match(/^0-\d+$/);
    }
  });

  it('answers what is new as the list has it, and then nothing more', async () => {
    const { person, position } = await someoneTold('مرحبًا', 'Two');
    const changes = await since(person, position);
    const { body } = await person.get('/notifications');
    expect(changes.data).to.deep.equal((body.data as Json[]).toReversed());
    expect(changes).to.include({ unreadCount: 2, hasMore: false });
    expect(await since(person, changes.position as string)).to.deep.include({ data: [], unreadCount: 2 });
  });

  it('answers what was read, put away, deleted and undone, each once and as it is now', async () => {
    const { person, tell, uncomment, position } = await someoneTold('a', 'b', 'c', 'd');
    const before = await since(person, position);
    const [undone, archived, deleted, read] = idsOf(before.data as Json[]);
    await uncomment(0);
    await person.put(`/notifications/${archived}/read`);
    await person.put(`/notifications/${archived}/archive`);
    await person.delete(`/notifications/${deleted}`);
    await person.put(`/notifications/${read}/seen`);
    await tell('e');
    const changes = await until(
      () => since(person, before.position as string),
      ({ withdrawn }) => withdrawn.length === 2,
    );
    expect(changes.withdrawn).to.have.members([undone, deleted]);
    const told = (changes.data as Json[]).map(({ data, channels }) => [data.excerpt, channels.inApp.status]);
    expect(told).to.have.deep.members([
      ['b', 'archived'],
      ['d', 'seen'],
      ['e', 'unread'],
    ]);
    expect(changes.unreadCount).to.equal(2);
    // Who asks from before all of it is told nothing of what has come and gone.
    expect((await since(person, position)).withdrawn).to.deep.equal([]);
  });

  it('answers that everything was read as one change, before what came later', async () => {
    const { person, tell, position } = await someoneTold('a', 'b');
    const before = await since(person, position);
    await person.put('/notifications/read-all');
    await tell('c');
    const changes = await since(person, before.position as string);
    expect(changes.readUpTo).to.equal(before.data[1].id);
    expect(changes.data.map(({ data }: Json) => data.excerpt)).to.deep.equal(['c']);
    expect(changes.unreadCount).to.equal(1);
    expect(await since(person, changes.position as string)).not.to.have.property('readUpTo');
  });

  it('is paged, and misses nothing that changes between pages', async () => {
    const { person, tell, position } = await someoneTold('a', 'b', 'c', 'd', 'e');
    const first = await since(person, position, '&limit=2');
    expect(first.hasMore).to.equal(true);
    // The first two are told again, since they have changed again; the last is new.
    for (const id of idsOf(first.data as Json[])) await person.put(`/notifications/${id}/read`);
    await tell('f');
    const told: string[] = [];
    let page = first;
    while (page.hasMore) {
      page = await since(person, page.position as string, '&limit=2');
      expect(page.data.length).to.be.at.most(2);
      told.push(...(page.data as Json[]).map(({ data }) => data.excerpt as string));
    }
    expect(told).to.deep.equal(['c', 'd', 'e', 'a', 'b', 'f']);
    expect(page.unreadCount).to.equal(4);
  });

  it('answers how deliveries stand that have changed, each once a page, however small the pages are', async () => {
    const [person, admin] = [await api.register(), await api.admin()];
    const titles = ['a', 'b', 'c', 'd', 'e'];
    for (const title of titles) {
      const notice = { userIds: [person.id], type: 'SYSTEM', title, body: 'x', channels: ['inApp', 'email'] };
      expect((await admin.post('/notifications', notice)).status).to.equal(202);
    }
    const { position } = await until(
      () => since(person, '0', '&limit=100'),
      ({ data }) =>
        data.length === titles.length && data.every(({ channels }: Json) => channels.email.status === 'sent'),
    );
    // All that is done to them has been heard; what became of the mails is answered again for a while.
    const told: Json[] = [];
    for (let [page, from] = [{ hasMore: true } as Json, position as string]; page.hasMore; from = page.position) {
      page = await since(person, from, '&limit=2');
      expect(page.data.length).to.be.at.most(2);
      told.push(...(page.data as Json[]));
    }
    expect(new Set(idsOf(told)).size).to.equal(told.length);
    const { body } = await person.get('/notifications?limit=100');
    const list = new Map((body.data as Json[]).map((one) => [one.id, one]));
    expect(told.map(({ title }) => title as string)).to.have.members(titles);
    for (const one of told) expect(one).to.deep.equal(list.get(one.id));
    // And no longer once that is over.
    campus.clock.advance(31_000);
    const later = await since(person, position as string);
    campus.clock.advance(31_000);
    expect((await since(person, later.position as string)).data).to.deep.equal([]);
  });

  it('refuses positions that were never given or are too old, and to be filtered', async () => {
    const { person, reader, position } = await someoneTold('a');
    for (const wrong of ['x', '-1', '1.5', '1e3', 'LATEST', '9'.repeat(16), '1-', '1-2-3', '1-2-3-4']) {
      expectInvalid(await person.get(`/notifications?since=${wrong}`), 'query.since');
    }
    expectInvalid(await person.get('/notifications?since=0&limit=101'), 'query.limit');
    for (const filter of ['unread=true', 'type=COMMENT', 'category=social', 'cursor=x']) {
      expectProblem(await person.get(`/notifications?since=0&${filter}`), 400, 'SINCE_STANDS_ALONE');
    }
    expectProblem(await person.get('/notifications?since=999999'), 410, 'POSITION_GONE');
    // What a block takes away is not told one by one.
    await person.post(`/users/${reader.id}/block`);
    await until(
      () => person.get(`/notifications?since=${position}`),
      ({ status }) => status === 410,
    );
    const { position: now } = await since(person, 'latest');
    expect(await since(person, now as string)).to.deep.include({ data: [], unreadCount: 0 });
  });

  it('shows nobody else’s', async () => {
    const { position } = await someoneTold('secret');
    const stranger = await api.register();
    expect((await since(stranger, position)).data).to.deep.equal([]);
    expectProblem(await api.request('GET', '/notifications?since=0'), 401, 'UNAUTHORIZED');
  });
});
