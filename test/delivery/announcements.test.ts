import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type LiveSocket } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { gate, Scene } from './scene.js';

const CROWD = 3_500;
/** So that it takes its time to send very many, however quick the machine is; and what a test holds up is no failure. */
const PACED = { SMTP_PER_SECOND: '60', PROVIDER_TIMEOUT_SECONDS: '120' };

describe('An announcement to many', function () {
  this.timeout(60_000);

  let scene: Scene;
  let admin: Person;
  let socket: LiveSocket;
  before(async () => {
    scene = await Scene.open(PACED);
    await scene.campus.startNode({ env: { ROLE: 'worker', ...PACED } });
    await scene.crowd(CROWD);
  });
  beforeEach(async () => {
    admin = await scene.api.admin();
    socket = await admin.connect('/notifications');
  });
  afterEach(async () => {
    // Where a test has failed in the middle of one, the next is not to meet it.
    const { body } = await admin.get('/admin/announcements?status=sending');
    for (const { id } of body.data) await cancel(id);
    admin.disconnect();
    scene.edge.smtp.clear();
  });
  after(() => scene.close());

  const words = { title: { en: 'To all' }, body: { en: 'Hello' } };
  const announce = async (choices: object): Promise<string> => {
    const { status, body } = await admin.post('/admin/announcements', { ...words, ...choices });
    expect(status, JSON.stringify(body)).to.equal(202);
    return body.id as string;
  };
  const read = async (id: string): Promise<Json> => (await admin.get(`/admin/announcements/${id}`)).body;
  const is = (id: string, fits: (announcement: Json) => boolean): Promise<Json> => until(() => read(id), fits, 30_000);
  const cancel = (id: string) => admin.post(`/admin/announcements/${id}/cancel`);
  /** How many of its deliveries by mail there are of each status. */
  const mailsOf = async (id: string): Promise<Record<string, number>> => {
    const counted = await scene.campus.db
      .collection('notifications')
      .aggregate([
        { $match: { batchId: new ObjectId(id), 'channels.email': { $exists: true } } },
        { $group: { _id: '$channels.email.status', count: { $sum: 1 } } },
      ])
      .toArray();
    return Object.fromEntries(counted.map(({ _id, count }) => [_id as string, count as number]));
  };

  /** Nothing of it is waiting or in the hands of a worker. */
  const over = (id: string) =>
    until(
      () => mailsOf(id),
      ({ pending = 0, sending = 0, failed = 0 }) => pending + sending + failed === 0,
      30_000,
    );

  it('reaches each of them once, though two workers are there and several are sent at once', async () => {
    const audience = { roles: ['student'] };
    const ids = await Promise.all([1, 2].map(() => announce({ audience, channels: ['inApp'] })));
    for (const id of ids) {
      const { progress } = await is(id, ({ status }) => status === 'sent');
      expect(progress).to.deep.include({ total: CROWD, processed: CROWD, created: CROWD, channels: { inApp: CROWD } });
      const recipients = await scene.campus.db
        .collection('notifications')
        .distinct('userId', { batchId: new ObjectId(id) });
      expect(recipients).to.have.length(CROWD);
    }
    const written = await scene.campus.db.collection('notifications').countDocuments({ type: 'SYSTEM' });
    expect(written).to.equal(2 * CROWD);
  });

  it('delays nobody: what happens meanwhile is told while most of it is still to be sent', async () => {
    const [author, reader] = [await scene.register(), await scene.register()];
    const postId = await author.publish();
    const live = await author.connect('/notifications');
    const isAnnounced = ({ subject }: { subject: string | undefined }) => subject === 'To all';
    const id = await announce({ audience: { roles: ['student'] }, channels: ['inApp', 'email'] });
    await scene.edge.smtp.waitFor(isAnnounced, { count: 50 });

    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await live.next('notification:new', ({ type }) => type === 'REACTION');
    const mailed = ({ envelope, subject }: Json) => envelope.to.includes(author.email) && subject !== 'To all';
    await scene.edge.smtp.waitFor(mailed, { timeoutMs: 30_000 });

    const before = scene.edge.smtp.received.filter(isAnnounced).length;
    // Behind them it would be the last.
    expect(before).to.be.below(CROWD / 4);
    expect((await mailsOf(id))['sent']).to.be.below(CROWD);
    author.disconnect();
    await cancel(id);
    await over(id);
  });

  it('is told to nobody else once it is cancelled, and what waits is not sent', async () => {
    const { open, opened } = gate();
    scene.edge.smtp.onReceived(() => opened);
    const id = await announce({ audience: { roles: ['student'] }, channels: ['email'] });
    await socket.next('announcement:progress', (told) => told.id === id && told.progress.processed > 0);
    await scene.edge.smtp.waitFor();

    const { status, body } = await cancel(id);
    expect(status).to.equal(200);
    expect(body).to.include({ status: 'cancelled' });
    const { created, processed } = body.progress;
    expect(processed).to.be.above(0).and.below(CROWD);
    expect(created).to.equal(processed);
    await until(
      () => mailsOf(id),
      ({ pending = 0, failed = 0 }) => pending + failed === 0,
    );
    open();
    await over(id);

    const { cancelled = 0, sent = 0, ...others } = await mailsOf(id);
    expect(others).to.deep.equal({});
    expect(sent + cancelled).to.equal(created);
    expect(scene.edge.smtp.received).to.have.length(sent);
    const { progress } = await is(id, (now) => now.progress.stopped.email === cancelled);
    expect(progress).to.deep.include({
      created,
      processed,
      channels: { email: created },
      stopped: { email: cancelled },
    });
    // The last one was in nobody's hands yet.
    const cancelledMail = { batchId: new ObjectId(id), 'channels.email.status': 'cancelled' };
    const one = await scene.campus.db.collection('notifications').findOne(cancelledMail, { sort: { _id: -1 } });
    expect(one!['channels'].email).to.deep.equal({ status: 'cancelled', attempts: 0, reason: 'CANCELLED' });
  });

  it('is not tried again where it is cancelled in the hands of a worker whose attempt fails', async () => {
    const person = await scene.register();
    const { open, opened } = gate();
    scene.edge.smtp.onReceived(() => opened);
    scene.edge.smtp.faults.next({ kind: 'accept-and-reset' });
    const id = await announce({ audience: { userIds: [person.id] }, channels: ['inApp', 'email'] });
    await scene.edge.smtp.waitFor();
    await cancel(id);
    open();
    // Failed, unless it is cancelled by then.
    await scene.notification(person, ({ channels }) => channels.email.status !== 'sending');
    scene.campus.clock.advance(2 * MINUTE);
    expect(await scene.delivery(person, 'email', 'cancelled')).to.include({ reason: 'CANCELLED' });
    expect(scene.edge.smtp.received).to.have.length(1);
    expect((await read(id)).progress).to.deep.include({ channels: { inApp: 1, email: 1 }, stopped: { email: 1 } });
    expect(await scene.notification(person)).to.deep.include({ entity: { kind: 'announcement', id } });
  });

  it('that waits for the end of quiet hours is not sent after its own end', async () => {
    const person = await scene.register();
    const now = scene.campus.clock.now();
    const [from, to] = [now, new Date(now.getTime() + 4 * HOUR)].map((at) => at.toISOString().slice(11, 16));
    const days = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
    await person.patch('/settings/notifications', { quietHours: { spans: [{ days, from, to }] } });
    const expiresAt = new Date(now.getTime() + HOUR).toISOString();
    const id = await announce({ audience: { userIds: [person.id] }, channels: ['inApp', 'email'], expiresAt });
    await is(id, ({ status }) => status === 'sent');
    expect((await scene.notification(person)).channels.email).to.include({ status: 'pending', reason: 'QUIET_HOURS' });

    scene.campus.clock.advance(61 * MINUTE);
    [admin, person.token] = [await scene.api.admin(), (await scene.api.signIn(person.email, person.password)).token];
    expect(await scene.delivery(person, 'email', 'cancelled')).to.include({ reason: 'EXPIRED' });
    const { progress } = await is(
      id,
      ({ status, progress: { stopped } }) => status === 'expired' && stopped.email === 1,
    );
    expect(progress).to.deep.include({ created: 1, stopped: { email: 1 } });
    expect((await scene.notification(person)).channels.inApp).to.deep.equal({ status: 'unread' });
  });
});
