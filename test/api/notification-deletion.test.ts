import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem, idsOf, NOBODY } from './helpers.js';

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

describe('Deleting a notification', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    otherNode = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  /** Someone who is told of these comments on a post of theirs, oldest first, and of which mail waits. */
  const someoneTold = async (...comments: string[]) => {
    const [person, reader] = await Promise.all([api!.register({ name: 'ريم' }), api!.register()]);
    const hour = campus.clock.now().getUTCHours();
    const at = (hours: number): string => `${String((hour + hours + 24) % 24).padStart(2, '0')}:00`;
    await person.patch('/settings/notifications', {
      quietHours: { spans: [{ days: DAYS, from: at(-1), to: at(3) }] },
    });
    const postId = await person.publish('منشور');
    const inbox = await person.connect('/notifications');
    const commentIds: string[] = [];
    for (const content of comments) {
      const { body } = await reader.post(`/posts/${postId}/comments`, { content });
      commentIds.push(body.id as string);
    }
    const ids = idsOf(await inbox.collect('notification:new', comments.length));
    return { person, reader, postId, inbox, ids, commentIds };
  };
  const remove = (person: Person, id: string) => person.delete(`/notifications/${id}`);
  const listed = async (person: Person) => idsOf((await person.get('/notifications')).body.data as Json[]);
  const unreadCount = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  const stored = (id: string): Promise<Json> =>
    campus.db.collection('notifications').findOne({ _id: new ObjectId(id) });

  it('takes it from every device, and no mail of it is sent', async () => {
    const { person, inbox, ids } = await someoneTold('أهلًا', 'Two');
    const elsewhere = await person.on(otherNode!).connect('/notifications');
    const { status, body } = await remove(person, ids[0]!);
    expect({ status, body }).to.deep.equal({ status: 204, body: '' });
    for (const device of [inbox, elsewhere]) {
      expect(await device.next('notification:withdrawn')).to.deep.equal({ id: ids[0] });
      await device.next('unread-count', ({ count }) => count === 1);
    }
    expect(await listed(person)).to.deep.equal([ids[1]]);
    expect(await unreadCount(person)).to.equal(1);
    const { channels } = await stored(ids[0]!);
    expect(channels).to.deep.equal({ email: { status: 'cancelled', attempts: 0, reason: 'DELETED' } });
    expect((await stored(ids[1]!)).channels.email).to.include({ status: 'pending' });
    for (const step of ['seen', 'read', 'archive']) {
      expectProblem(await person.put(`/notifications/${ids[0]}/${step}`), 404, 'NOTIFICATION_NOT_FOUND');
    }
    person.disconnect();
  });

  it('counts once, though several devices delete and read it at once', async () => {
    const { person, inbox, ids } = await someoneTold('One', 'Two');
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, (_, index) => remove(index % 2 ? person : person.on(otherNode!), ids[0]!)),
      person.put(`/notifications/${ids[0]}/read`),
      person.put('/notifications/read-all'),
    ]);
    const removals = answers.slice(0, 6).map(({ status }) => status);
    expect(removals.filter((status) => status === 204)).to.have.length(1);
    expect(removals.filter((status) => status === 404)).to.have.length(5);
    await inbox.next('notification:withdrawn');
    const events = { type: 'notifications.withdrawn', 'entity.id': ids[0] };
    expect(await campus.db.collection('events').countDocuments(events)).to.equal(1);
    expect(await listed(person)).to.deep.equal([ids[1]]);
    expect(await unreadCount(person)).to.equal(0);
    person.disconnect();
  });

  it('can be done to what was read or put away, and changes no count then', async () => {
    const { person, ids } = await someoneTold('One', 'Two', 'Three');
    await person.put(`/notifications/${ids[0]}/read`);
    await person.put(`/notifications/${ids[1]}/archive`);
    for (const id of [ids[0]!, ids[1]!]) expect((await remove(person, id)).status).to.equal(204);
    expect(await listed(person)).to.deep.equal([ids[2]]);
    expect(await unreadCount(person)).to.equal(1);
    person.disconnect();
  });

  it('is for good, whatever becomes of what it told of', async () => {
    const { person, reader, postId, inbox, ids, commentIds } = await someoneTold('Rash');
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    const { id: reaction } = await inbox.next('notification:new', ({ type }) => type === 'REACTION');
    for (const id of [ids[0]!, reaction as string]) await remove(person, id);
    await reader.delete(`/posts/${postId}/comments/${commentIds[0]}`);
    await reader.delete(`/posts/${postId}/react`);
    await reader.post(`/posts/${postId}/react`, { type: 'LOVE' });
    await reader.post(`/posts/${postId}/comments`, { content: 'Marker' });
    await inbox.next('notification:new', ({ data }) => data.excerpt === 'Marker');
    expect(await listed(person)).to.have.length(1);
    expect(await unreadCount(person)).to.equal(1);
    expect((await stored(reaction as string)).channels.email.status).to.equal('cancelled');
    person.disconnect();
  });

  it('is for its owner alone', async () => {
    const { person, ids } = await someoneTold('One');
    for (const other of [await api!.register(), await api!.admin()]) {
      expectProblem(await remove(other, ids[0]!), 404, 'NOTIFICATION_NOT_FOUND');
    }
    expectProblem(await remove(person, NOBODY), 404, 'NOTIFICATION_NOT_FOUND');
    expectInvalid(await remove(person, 'first'), 'params.notificationId');
    expect(
      await until(
        () => listed(person),
        ({ length }) => length === 1,
      ),
    ).to.deep.equal(ids);
    person.disconnect();
  });
});
