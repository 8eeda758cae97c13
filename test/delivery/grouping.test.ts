import { expect } from 'chai';
import { HOUR, later } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { Scene } from './scene.js';

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const SETTINGS = '/settings/notifications';

describe('Reactions that are told as one, outside the app', () => {
  let scene: Scene;
  let readers: Person[];
  before(async () => {
    scene = await Scene.open();
    readers = await Promise.all(['Amal', 'Bob', 'ليلى'].map((name) => scene.register({ name })));
  });
  // The clock is moved on beyond their access tokens.
  beforeEach(async () => {
    for (const reader of readers) reader.token = (await scene.api.signIn(reader.email, reader.password)).token;
  });
  afterEach(() => {
    for (const edge of [scene.edge.smtp, scene.edge.fcm, scene.edge.webPush]) edge.clear();
  });
  after(() => scene.close());

  const isolated = (name: string): string => `\u2068${name}\u2069`;
  const timeOfDay = (fromNow: number): string => later(scene.campus.clock.now(), fromNow).toISOString().slice(11, 16);
  const beQuiet = (person: Person) =>
    person.patch(SETTINGS, { quietHours: { spans: [{ days: DAYS, from: timeOfDay(-HOUR), to: timeOfDay(HOUR) }] } });
  const react = async (person: Person, postId: string, ...reactors: Person[]): Promise<void> => {
    for (const reactor of reactors) {
      await reactor.post(`/posts/${postId}/react`, { type: 'LIKE' });
      await scene.notification(person, ({ actorIds }) => actorIds[0] === reactor.id);
    }
  };
  const count = (person: Person, wanted: number) => scene.notification(person, (newest) => newest.count === wanted);
  const mailsTo = ({ email }: Person): Json[] =>
    scene.edge.smtp.received.filter(({ envelope }) => envelope.to.includes(email));

  it('replace on a device what was pushed of the line before', async () => {
    const person = await scene.register();
    const token = await scene.phone(person);
    const browser = await scene.browser(person);
    const postId = await person.publish();
    const [first, second] = readers as [Person, Person];
    await react(person, postId, first);
    const { id } = await scene.notification(person);
    const isTo = ({ message }: { message: { token?: string } }): boolean => message.token === token;
    await scene.edge.fcm.waitFor(isTo);
    await scene.delivery(person, 'mobilePush', 'sent');
    await react(person, postId, second);
    const pushed = await scene.edge.fcm.waitFor(isTo, { count: 2 });
    const { android, apns, notification } = pushed[1]!.message as Json;
    expect(notification.title).to.equal(`${isolated('Bob')} and 1 other reacted to your post`);
    expect([android.collapse_key, android.notification.tag, apns.headers['apns-collapse-id']]).to.deep.equal(
      Array(3).fill(id),
    );
    const toBrowser = await scene.edge.webPush.waitFor(({ endpoint }) => endpoint === browser.endpoint, { count: 2 });
    expect(toBrowser.map(({ topic, payload }) => [topic, (payload as Json).tag])).to.deep.equal(
      Array(2).fill([id, id]),
    );
  });

  it('are one thread in a mailbox, until they are read: what comes then begins a new one', async () => {
    const person = await scene.register();
    const postId = await person.publish();
    const mailed: { messageId: string; answers: (string | undefined)[] }[] = [];
    const reactAndMail = async (reader: Person): Promise<void> => {
      await react(person, postId, reader);
      await scene.delivery(person, 'email', 'sent');
      const mail = mailsTo(person)[mailed.length];
      const { messageId, headers } = mail;
      mailed.push({ messageId, answers: ['in-reply-to', 'references'].map((name) => headers.get(name)) });
    };
    for (const reader of readers) await reactAndMail(reader);
    await person.put('/notifications/read-all');
    const newcomers = [await scene.register({ name: 'New' }), await scene.register({ name: 'Newer' })];
    for (const reader of newcomers) await reactAndMail(reader);

    const [first, , , afterwards] = mailed.map(({ messageId }) => messageId);
    const none = [undefined, undefined];
    const expected = [none, [first, first], [first, first], none, [afterwards, afterwards]];
    expect(mailed.map(({ answers }) => answers)).to.deep.equal(expected);
    expect(new Set(mailed.map(({ messageId }) => messageId)).size).to.equal(5);
  });

  it('are sent once at the end of quiet hours, in the words for all of them', async () => {
    const person = await scene.register({ locale: 'ar' });
    await beQuiet(person);
    const token = await scene.phone(person);
    const postId = await person.publish();
    await react(person, postId, ...readers);
    const { channels } = await count(person, 3);
    expect(channels.email).to.include({ status: 'pending', reason: 'QUIET_HOURS' });
    await readers[0]!.delete(`/posts/${postId}/react`);
    await count(person, 2);
    scene.campus.clock.advance(HOUR);
    const [mail] = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
    expect(mail!.subject).to.equal(`تفاعل ${isolated('ليلى')} وشخص آخر مع منشورك`);
    await scene.edge.fcm.waitFor(({ message }) => message.token === token);
    await scene.settled();
    expect(mailsTo(person)).to.have.length(1);
    expect(scene.edge.fcm.received.filter(({ message }) => message.token === token)).to.have.length(1);
    const states = await scene.campus.db
      .collection('notifications')
      .distinct('channels.email', { groupKey: `reaction:${postId}`, 'channels.email.status': 'cancelled' });
    expect(states.map(({ reason }: Json) => reason as string)).to.have.members(['GROUPED']);
  });

  it('are sent by the one before where the newest is taken back before it was sent', async () => {
    const person = await scene.register();
    await beQuiet(person);
    const postId = await person.publish();
    const [first, second] = readers as [Person, Person];
    await react(person, postId, first, second);
    await second.delete(`/posts/${postId}/react`);
    const { channels } = await scene.notification(
      person,
      ({ actorIds, channels: { email } }) => actorIds[0] === first.id && email.reason === 'QUIET_HOURS',
    );
    expect(channels.email.status).to.equal('pending');
    scene.campus.clock.advance(HOUR);
    const [mail] = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
    expect(mail!.subject).to.equal(`${isolated('Amal')} reacted to your post`);
    await scene.settled();
    expect(mailsTo(person)).to.have.length(1);
  });

  it('are one entry of a digest', async () => {
    const person = await scene.register();
    await person.patch(SETTINGS, { digest: 'hourly' });
    const postId = await person.publish();
    await react(person, postId, ...readers);
    await count(person, 3);
    scene.campus.clock.advance(HOUR);
    const [mail] = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
    expect(mail!.subject).to.equal('One notification you have not read');
    expect(mail!.text).to.include(`${isolated('ليلى')} and 2 others reacted to your post`);
    await scene.settled();
    expect(mailsTo(person)).to.have.length(1);
  });
});
