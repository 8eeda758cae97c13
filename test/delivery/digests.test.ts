import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY, HOUR, MINUTE } from '../../src/core/clock.js';
import { connectDatabase } from '../../src/core/database/database.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { expectProblem } from '../api/helpers.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

const SETTINGS = '/settings/notifications';
const subjectOf = /notifications? you have not read|لم تقرأ/;

describe('A digest', () => {
  let scene: Scene;
  let friend: Person;
  before(async () => {
    scene = await Scene.open();
    friend = await scene.register({ name: 'Fatima Friend' });
  });
  after(() => scene.close());

  const clock = () => scene.campus.clock;
  /** Someone who has this digest. */
  const reader = async (digest: string, choices: { locale?: 'en' | 'ar' } = {}): Promise<Person> => {
    const person = await scene.register(choices);
    expect((await person.patch(SETTINGS, { digest })).body).to.include({ digest });
    return person;
  };
  /** A comment on a new post of theirs, told of and kept for the digest. */
  const comment = async (person: Person, content: string): Promise<string> => {
    await signInAgain(friend, person);
    const postId = await person.publish();
    expect((await friend.post(`/posts/${postId}/comments`, { content })).status).to.equal(201);
    const { id, channels } = await scene.notification(person, ({ data }) => data.excerpt === content);
    expect(channels.email).to.include({ status: 'pending', attempts: 0, reason: 'DIGEST' });
    return id as string;
  };
  /** Access tokens run out as the clock is moved. */
  const signInAgain = async (...people: Person[]): Promise<void> => {
    for (const person of people) person.token = (await scene.api.signIn(person.email, person.password)).token;
  };
  const mailsTo = ({ email }: Person) =>
    scene.edge.smtp.received.filter(
      ({ envelope, subject }) => envelope.to.includes(email) && subjectOf.test(subject ?? ''),
    );
  const deliveryOf = async (id: string): Promise<Json> =>
    ((await scene.campus.db.collection('notifications').findOne({ _id: new ObjectId(id) })) as Json).channels.email;
  const ended = (id: string): Promise<Json> =>
    until(
      () => deliveryOf(id),
      ({ status }) => !['pending', 'sending', 'failed'].includes(status as string),
    );
  const digestsOf = ({ id }: Person) =>
    scene.campus.db
      .collection('digests')
      .find({ userId: new ObjectId(id) })
      .toArray();
  /** Until every digest of theirs that is not gathering is done with. */
  const settled = (person: Person) =>
    until(
      () => digestsOf(person),
      (digests) =>
        digests.every(({ isOpen, endedAt }) => isOpen === true || endedAt) && digests.some(({ endedAt }) => endedAt),
    );

  it('puts what gathered in one mail, at its time where the reader lives, while pushes go out at once', async () => {
    const person = await reader('daily', { locale: 'ar' });
    await person.patch('/settings/preferences', { timeZone: 'Asia/Amman' });
    const browser = await scene.browser(person);
    const ids = [await comment(person, 'مبروك'), await comment(person, 'Well done & <b>good</b>')];
    await scene.edge.webPush.waitFor(({ endpoint }) => endpoint === browser.endpoint, { count: 2 });
    const [digest] = await digestsOf(person);
    expect(digest!['dueAt'].toISOString()).to.match(/T05:00:00.000Z$/);
    expect(mailsTo(person)).to.deep.equal([]);

    clock().advance(digest!['dueAt'].getTime() - clock().now().getTime());
    for (const id of ids) expect(await ended(id)).to.include({ status: 'sent', attempts: 1 });
    const [mail, ...others] = mailsTo(person);
    expect(others).to.deep.equal([]);
    expect(mail!.subject).to.equal('إشعاران لم تقرأهما');
    expect(mail!.html)
      .to.contain('dir="rtl"')
      .and.to.contain('مبروك')
      .and.to.contain('Well done &amp; &lt;b&gt;good&lt;/b&gt;');
    expect(mail!.html!.indexOf('Well done')).to.be.below(mail!.html!.indexOf('مبروك'));
    expect(mail!.text).to.contain('Well done & <b>good</b>').and.to.contain('/posts/');
    await settled(person);
  });

  it('leaves out what was read, undone, muted or switched off meanwhile, and is not sent where nothing is left', async () => {
    const [some, none] = [await reader('hourly'), await reader('hourly')];
    const kept = await comment(some, 'Kept');
    const read = await comment(some, 'Read meanwhile');
    await some.put(`/notifications/${read}/read`);
    const deleted = await comment(some, 'Deleted');
    await some.delete(`/notifications/${deleted}`);
    const only = await comment(none, 'Only one');
    await none.put('/notifications/read-all');

    clock().advance(HOUR);
    expect(await ended(kept)).to.include({ status: 'sent' });
    expect(await ended(read)).to.include({ status: 'cancelled', reason: 'READ' });
    expect(await ended(deleted)).to.include({ status: 'cancelled', reason: 'DELETED' });
    expect(await ended(only)).to.include({ status: 'cancelled', reason: 'READ' });
    expect(mailsTo(some).map(({ subject }) => subject)).to.deep.equal(['One notification you have not read']);
    const [empty] = await settled(none);
    expect(empty!['delivery']).to.include({ status: 'skipped', reason: 'NOTHING_LEFT' });
    expect(mailsTo(none)).to.deep.equal([]);

    const muted = await comment(some, 'About a post that is muted then');
    await some.post(`${SETTINGS}/mutes`, { kind: 'user', id: friend.id });
    clock().advance(HOUR);
    expect(await ended(muted)).to.include({ status: 'skipped', reason: 'MUTED' });
    expect(mailsTo(some)).to.have.length(1);
  });

  it('is one a period: what comes after it goes with the next one', async () => {
    const person = await reader('daily');
    const first = await comment(person, 'Today');
    clock().advance(DAY);
    await ended(first);
    const second = await comment(person, 'Tomorrow');
    clock().advance(HOUR);
    expect(await deliveryOf(second)).to.include({ status: 'pending', reason: 'DIGEST' });
    clock().advance(DAY);
    await ended(second);
    const mails = mailsTo(person);
    expect(mails.map(({ text }) => [text!.includes('Today'), text!.includes('Tomorrow')])).to.deep.equal([
      [true, false],
      [false, true],
    ]);
    const dueAt = (await settled(person)).map((digest) => (digest['dueAt'] as Date).getTime());
    expect(new Set(dueAt).size).to.equal(2);
  });

  it('that fails is tried again about the same, under the same Message-ID; what came meanwhile waits for the next', async () => {
    const person = await reader('hourly');
    const first = await comment(person, 'Before it failed');
    const isTheirs = ({ envelope }: { envelope: { to: string[] } }) => envelope.to.includes(person.email);
    const mend = scene.edge.smtp.faults.when(isTheirs, { kind: 'status', status: 451 });
    clock().advance(HOUR);
    await until(
      () => deliveryOf(first),
      ({ status }) => status === 'failed',
    );
    const later = await comment(person, 'While it was failing');
    mend();
    clock().advance(2 * MINUTE);
    expect(await ended(first)).to.include({ status: 'sent', attempts: 2 });
    expect(await deliveryOf(later)).to.include({ status: 'pending', reason: 'DIGEST' });
    const [mail, ...others] = mailsTo(person);
    expect(others).to.deep.equal([]);
    expect(mail!.text).to.contain('Before it failed').and.not.to.contain('While it was failing');
    clock().advance(HOUR);
    expect(await ended(later)).to.include({ status: 'sent', attempts: 1 });
  });

  it('is sent soon where it is switched off, and at the new time where that is changed', async () => {
    const [off, changed] = [await reader('weekly'), await reader('weekly')];
    expectProblem(await off.patch(SETTINGS, { digest: 'yearly' }), 400, 'VALIDATION_FAILED');
    const [one, other] = [await comment(off, 'Not so long'), await comment(changed, 'Sooner')];
    await off.patch(SETTINGS, { digest: 'off' });
    expect(await ended(one)).to.include({ status: 'sent' });
    await changed.patch(SETTINGS, { digest: 'hourly' });
    const [digest] = await digestsOf(changed);
    expect(digest!['dueAt'].getTime() - clock().now().getTime()).to.be.within(0, HOUR);
    clock().advance(HOUR);
    expect(await ended(other)).to.include({ status: 'sent' });
  });

  it('that was mailed by a worker which died before it was done is told so by the next one, and not mailed again', async () => {
    const person = await reader('hourly');
    const ids = [await comment(person, 'One'), await comment(person, 'Two')];
    clock().advance(HOUR);
    for (const id of ids) await ended(id);
    const [digest] = await settled(person);
    // As it stands after the mail has been recorded and one of the two notifications.
    await scene.campus.db
      .collection('notifications')
      .updateOne({ _id: new ObjectId(ids[1]) }, { $set: { 'channels.email.status': 'pending' } });
    await scene.campus.db
      .collection('digests')
      .updateOne({ _id: digest!._id }, { $set: { 'delivery.nextAttemptAt': clock().now() }, $unset: { endedAt: 1 } });
    expect(await ended(ids[1]!)).to.include({ status: 'sent', attempts: 1 });
    await settled(person);
    expect(mailsTo(person)).to.have.length(1);
  });

  it('that a dead worker’s open transaction keeps locked holds up no other', async () => {
    const [gathering, claimed, other] = [await reader('hourly'), await reader('hourly'), await reader('hourly')];
    const locked = [await comment(gathering, 'More was about to join'), await comment(claimed, 'It was in hand')];
    const third = await comment(other, 'In time');
    const theirs = { userId: { $in: [gathering, claimed].map(({ id }) => new ObjectId(id)) } };
    await scene.campus.db
      .collection('digests')
      .updateOne({ userId: new ObjectId(claimed.id) }, { $set: { 'delivery.claim': 'a dead worker' } });
    const database = await connectDatabase(scene.campus.uri);
    const session = await database.connection.startSession();
    try {
      session.startTransaction();
      await database.collection('digests').updateMany(theirs, { $inc: { joined: 1 } }, { session });
      clock().advance(HOUR);
      expect(await ended(third)).to.include({ status: 'sent' });
      for (const id of locked) expect(await deliveryOf(id)).to.include({ status: 'pending', reason: 'DIGEST' });
      await session.abortTransaction();
      for (const id of locked) expect(await ended(id)).to.include({ status: 'sent', attempts: 1 });
    } finally {
      await session.endSession();
      await database.close();
    }
  });

  it('waits for the end of quiet hours, and never keeps what concerns security', async () => {
    const person = await reader('hourly');
    await signInAgain(person);
    const time = (from: number): string => new Date(clock().now().getTime() + from).toISOString().slice(11, 16);
    const days = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
    await person.patch(SETTINGS, { quietHours: { spans: [{ days, from: time(-HOUR), to: time(5 * HOUR) }] } });
    const id = await comment(person, 'In the night');
    const [{ dueAt: first }] = (await digestsOf(person)) as [Json];
    clock().advance(HOUR);
    const [postponed] = await until(
      () => digestsOf(person),
      ([digest]) => digest!['dueAt'] > first,
    );
    expect(postponed!['dueAt'].getTime() - clock().now().getTime()).to.be.within(3 * HOUR, 5 * HOUR);
    expect(await deliveryOf(id)).to.include({ status: 'pending', reason: 'DIGEST' });
    clock().advance(5 * HOUR);
    expect(await ended(id)).to.include({ status: 'sent' });
  });

  it('is mailed once by two nodes that find it due at the same time, whatever gathers for whom meanwhile', async () => {
    await scene.campus.startNode();
    const people = await scene.crowd(30);
    await scene.campus.db
      .collection<{ _id: ObjectId; digest: string }>('notificationSettings')
      .insertMany(people.map(({ id }) => ({ _id: new ObjectId(id), digest: 'hourly' })));
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(
        ['a', 'b'].map((part) => scene.notify(people, { title: `News ${round} ${part}`, channels: ['email'] })),
      );
    }
    const due = { 'channels.email.reason': 'DIGEST', type: 'SYSTEM' };
    const waiting = () => scene.campus.db.collection('notifications').countDocuments(due);
    await until(waiting, (count) => count === 180);
    expect(await scene.campus.db.collection('digests').countDocuments({ isOpen: true, joined: 6 })).to.equal(30);
    clock().advance(HOUR);
    await until(waiting, (count) => count === 0);
    for (const { email } of people) {
      const mails = scene.edge.smtp.received.filter(({ envelope }) => envelope.to.includes(email));
      expect(mails.map(({ subject }) => subject)).to.deep.equal(['6 notifications you have not read']);
    }
  });
}).timeout(60_000);
