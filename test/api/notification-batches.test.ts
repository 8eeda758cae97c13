import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, MINUTE } from '../../src/core/clock.js';
import { Scene } from '../delivery/scene.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem, NOBODY, registerAs } from './helpers.js';

describe('Notifications from an admin', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode();
  });
  beforeEach(async () => {
    // The clock moves: a token of before may have expired.
    admin = await api.admin();
  });
  after(() => campus.close());

  const words = { type: 'SYSTEM', title: 'Library', body: 'Closed on Sunday' };
  const send = (userIds: string[], choices: object = {}, headers: Record<string, string> = {}) =>
    admin.post('/notifications', { userIds, ...words, ...choices }, { headers });
  const progress = async (batchId: string): Promise<Json> =>
    (await admin.get(`/notifications/batches/${batchId}`)).body;
  const notificationsOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications')).body.data;

  it('are accepted and reach everyone named', async () => {
    const people = await Promise.all(Array.from({ length: 5 }, () => api.register()));
    const stranger = await api.register();
    const { status, body } = await send(people.map(({ id }) => id));
    expect(status).to.equal(202);
    expect(body).to.have.all.keys('batchId');
    for (const person of people) {
      const [notification, ...more] = await until(
        () => notificationsOf(person),
        (found) => found.length > 0,
      );
      expect(notification).to.deep.include({ userId: person.id, title: words.title, body: words.body });
      expect(more).to.be.empty;
      await campus.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
    }
    expect(await notificationsOf(stranger)).to.be.empty;
  });

  it('can be followed until they have gone out, per channel and status', async () => {
    const people = await Promise.all(Array.from({ length: 3 }, () => api.register()));
    const { body } = await send(people.map(({ id }) => id));
    const done = await until(
      () => progress(body.batchId),
      ({ channels }) => channels.email?.sent === 3,
    );
    expect(done).to.deep.include({
      id: body.batchId,
      status: 'done',
      recipients: 3,
      created: 3,
      channels: { inApp: { unread: 3 }, email: { sent: 3 } },
    });
    const [{ id }] = (await notificationsOf(people[0]!)) as [Json];
    await people[0]!.put(`/notifications/${id}/read`);
    expect((await progress(body.batchId)).channels.inApp).to.deep.equal({ unread: 2, read: 1 });
    expectProblem(await admin.get(`/notifications/batches/${NOBODY}`), 404, 'BATCH_NOT_FOUND');
  });

  it('go out on the chosen channels only', async () => {
    const [person, other] = [await api.register(), await api.register()];
    const [first, second] = [
      await send([person.id], { channels: ['email'] }),
      await send([other.id], { channels: ['inApp'] }),
    ];
    const mailed = await until(
      () => progress(first.body.batchId),
      ({ channels }) => channels.email?.sent === 1,
    );
    expect(mailed.channels).to.deep.equal({ email: { sent: 1 } });
    expect(await notificationsOf(person)).to.be.empty;
    const shown = await until(
      () => progress(second.body.batchId),
      ({ status }) => status === 'done',
    );
    expect(shown.channels).to.deep.equal({ inApp: { unread: 1 } });
  });

  it('name 1 to 1,000 different users who all exist', async () => {
    const person = await api.register();
    const id = person.id;
    expectInvalid(await send([]), 'body.userIds');
    expectInvalid(await send([id, id.toUpperCase()]), 'body.userIds.1');
    expectInvalid(await send([id, 'someone']), 'body.userIds.1');
    const many = Array.from({ length: 1_001 }, () => new ObjectId().toHexString());
    expectInvalid(await send(many), 'body.userIds');
    // Within the limit, so that it is the users who are looked at.
    expectProblem(await send(many.slice(0, 1_000)), 400, 'UNKNOWN_USERS');
    const unknown = await send([id, NOBODY]);
    expectProblem(unknown, 400, 'UNKNOWN_USERS');
    expect(unknown.body.detail).to.include(NOBODY).and.not.include(id);

    const { body } = await send([id], { title: 'Marker' });
    await until(
      () => progress(body.batchId),
      ({ status }) => status === 'done',
    );
    expect((await notificationsOf(person)).map(({ title }) => title)).to.deep.equal(['Marker']);
  });

  it('reach a thousand people at once', async () => {
    const now = new Date();
    const people = Array.from({ length: 1_000 }, (_, index) => ({
      _id: new ObjectId(),
      name: `Person ${index}`,
      email: `crowd-${index}@campus.test`,
      role: 'student',
      locale: 'en',
      createdAt: now,
      updatedAt: now,
    }));
    await campus.db.collection('users').insertMany(people);
    const { status, body } = await send(
      people.map(({ _id }) => _id.toHexString()),
      { channels: ['inApp'] },
    );
    expect(status).to.equal(202);
    const done = await until(
      () => progress(body.batchId),
      (state) => state.status === 'done',
    );
    expect(done).to.deep.include({ recipients: 1_000, created: 1_000, channels: { inApp: { unread: 1_000 } } });
  });

  it('go to an audience as well, of any size, and can be cancelled like an announcement', async () => {
    const people = await Promise.all(Array.from({ length: 3 }, () => api.register()));
    for (const person of people) await person.patch('/profiles/me', { department: 'علم الأحياء' });
    const audience = { departments: ['علم الاحياء'], exclude: { userIds: [people[2]!.id] } };
    const scopes = ['notifications:write', 'notifications:read'];
    const { body: issued } = await admin.post('/api-keys', { name: 'Library', scopes });
    const token = issued.key as string;
    const { status, body } = await api.request('POST', '/notifications', { audience, ...words }, { token });
    expect(status).to.equal(202);
    const read = async (): Promise<Json> =>
      (await api.request('GET', `/notifications/batches/${body.batchId as string}`, undefined, { token })).body;
    const done = await until(read, ({ channels }) => channels.email?.sent === 2);
    const channels = { inApp: { unread: 2 }, email: { sent: 2 } };
    expect(done).to.deep.include({ id: body.batchId, status: 'done', recipients: 2, created: 2, channels });
    for (const person of people.slice(0, 2)) {
      expect((await notificationsOf(person))[0]).to.deep.include({ title: words.title, body: words.body });
    }
    expect(await notificationsOf(people[2]!)).to.be.empty;

    const sendAt = new Date(campus.clock.now().getTime() + HOUR).toISOString();
    const { body: later } = await admin.post('/notifications', { audience, ...words, sendAt });
    expect(await progress(later.batchId)).to.deep.include({ status: 'pending', created: 0, channels: {} });
    expect((await admin.post(`/admin/announcements/${later.batchId as string}/cancel`)).status).to.equal(200);
    expect(await progress(later.batchId)).to.deep.include({ status: 'done', created: 0, channels: {} });
  });

  it('to a large audience are not counted whenever someone asks how far they are: the announcement knows', async () => {
    const people = await new Scene(campus, api).crowd(1_001);
    const ids = people.map(({ id }) => new ObjectId(id));
    const large = { 'keys.campus': 'large', campus: 'Large' };
    await campus.db.collection('users').updateMany({ _id: { $in: ids } }, { $set: large });
    const audience = { campuses: ['Large'] };
    const { body } = await admin.post('/notifications', { audience, ...words, channels: ['inApp', 'webPush'] });
    const done = await until(
      () => progress(body.batchId),
      ({ created }) => created === 1_001,
    );
    const channels = { inApp: { reached: 1_001, cancelled: 0 } };
    expect(done).to.deep.include({ id: body.batchId, status: 'done', recipients: 1_001, created: 1_001, channels });
    // None of them is looked at.
    await campus.db.collection('notifications').deleteMany({ batchId: new ObjectId(body.batchId as string) });
    expect(await progress(body.batchId)).to.deep.equal(done);
  });

  it('are for named users or for an audience, not for both', async () => {
    const { id } = await api.register();
    expectInvalid(await admin.post('/notifications', words), 'body');
    expectInvalid(await send([id], { audience: { everyone: true } }), 'body');
    expectInvalid(await admin.post('/notifications', { ...words, audience: {} }), 'body.audience');
  });

  it('want a type, words and channels that exist', async () => {
    const { id } = await api.register();
    expectInvalid(await send([id], { type: 'REACTION' }), 'body.type');
    expectInvalid(await send([id], { title: ' ', body: '' }), 'body.title', 'body.body');
    expectInvalid(await send([id], { title: 'x'.repeat(121), body: 'x'.repeat(1_001) }), 'body.title', 'body.body');
    expectInvalid(await send([id], { channels: [] }), 'body.channels');
    expectInvalid(await send([id], { channels: ['pigeon'] }), 'body.channels.0');
    expectInvalid(await send([id], { sendAt: 'tomorrow' }), 'body.sendAt');
  });

  it('are made once for one Idempotency-Key, though asked for five times at once', async () => {
    const person = await api.register();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => send([person.id], {}, { 'idempotency-key': 'once' })),
    );
    for (const { status, body } of answers) {
      expect(status).to.equal(202);
      expect(body).to.deep.equal(answers[0]?.body);
    }
    expectProblem(
      await send([person.id], { title: 'Other' }, { 'idempotency-key': 'once' }),
      409,
      'IDEMPOTENCY_KEY_REUSED',
    );
    const marker = await send([person.id], { title: 'Marker' });
    await until(
      () => Promise.all([progress(answers[0]?.body.batchId), progress(marker.body.batchId)]),
      (states) => states.every(({ status }) => status === 'done'),
    );
    const titles = (await notificationsOf(person)).map(({ title }) => title);
    expect(titles).to.have.members(['Library', 'Marker']);
  });

  it('are for admins to send and to follow', async () => {
    const [student, moderator] = [await api.register(), await registerAs(campus, api, 'moderator')];
    const { body } = await send([student.id]);
    for (const person of [student, moderator]) {
      expectProblem(await person.post('/notifications', { userIds: [student.id], ...words }), 403, 'FORBIDDEN');
      expectProblem(await person.get(`/notifications/batches/${body.batchId}`), 403, 'FORBIDDEN');
    }
  });

  it('arrive at the time that was set, and not before', async () => {
    const [person, other] = [await api.register(), await api.register()];
    const sendAt = new Date(campus.clock.now().getTime() + 2 * HOUR);
    const { status, body } = await send([person.id], { sendAt: sendAt.toISOString() });
    expect(status).to.equal(202);

    campus.clock.advance(2 * HOUR - 5 * MINUTE);
    admin = await api.admin();
    const marker = await send([other.id], { title: 'Marker' });
    await until(
      () => progress(marker.body.batchId),
      (state) => state.status === 'done',
    );
    expect(await progress(body.batchId)).to.deep.include({ status: 'pending', created: 0, channels: {} });

    campus.clock.advance(5 * MINUTE);
    await until(
      () => progress(body.batchId),
      (state) => state.status === 'done',
    );
    const [notification] = (await notificationsOf(await api.signIn(person.email, person.password))) as [Json];
    expect(notification.title).to.equal('Library');
    expect(Date.parse(notification.createdAt)).to.be.at.least(sendAt.getTime());
  });
});
