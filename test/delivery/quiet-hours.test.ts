import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, later, MINUTE } from '../../src/core/clock.js';
import { newCode } from '../api/auth-mail.js';
import { type Json } from '../support/api.js';
import { type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { OUTSIDE, type OutsideChannel, Scene } from './scene.js';

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const SETTINGS = '/settings/notifications';

describe('Quiet hours', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene.close());

  const timeOfDay = (fromNow: number): string => later(scene.campus.clock.now(), fromNow).toISOString().slice(11, 16);
  const span = (from: number, to: number) => ({ days: DAYS, from: timeOfDay(from), to: timeOfDay(to) });
  const setQuiet = async (person: Person, ...spans: object[]): Promise<void> => {
    expect((await person.patch(SETTINGS, { quietHours: { spans } })).status).to.equal(200);
  };
  /** Someone who has quiet hours until an hour from now. */
  const quietPerson = async (): Promise<Person> => {
    const person = await scene.register();
    await setQuiet(person, span(-HOUR, HOUR));
    return person;
  };
  /** Moves the clock on; access tokens run out meanwhile, so these people sign in again. */
  const pass = async (milliseconds: number, ...people: Person[]): Promise<void> => {
    scene.campus.clock.advance(milliseconds);
    for (const person of people) person.token = (await scene.api.signIn(person.email, person.password)).token;
  };
  /** A comment on a new post of this person, and the notification of it once that has been written. */
  const comment = async (person: Person, reader: Person, content = 'Hello'): Promise<Json> => {
    const { status } = await reader.post(`/posts/${await person.publish()}/comments`, { content });
    expect(status).to.equal(201);
    return scene.notification(person, ({ data }) => data.excerpt === content);
  };
  const stored = async (id: string): Promise<Json> =>
    scene.campus.db.collection('notifications').findOne({ _id: new ObjectId(id) });
  /** The state on a channel, once it is not waiting any more. */
  const settled = async (id: string, channel: OutsideChannel): Promise<Json> =>
    (
      await until(
        () => stored(id),
        ({ channels }) => !['pending', 'sending'].includes(channels[channel].status as string),
      )
    ).channels[channel];
  const mailsTo = ({ email }: Person) =>
    scene.edge.smtp.received.filter(
      ({ envelope, subject }) => envelope.to.includes(email) && subject?.includes('commented'),
    );

  it('keep pushes and mail until they end, while the app shows it at once', async () => {
    const [person, reader] = [await quietPerson(), await scene.register()];
    const [browser, phone] = [await scene.browser(person), await scene.phone(person)];
    const end = new Date(Math.floor(later(scene.campus.clock.now(), HOUR).getTime() / MINUTE) * MINUTE);
    const inbox = await person.connect('/notifications');
    await comment(person, reader);
    const { channels } = await inbox.next('notification:new');
    const waiting = {
      status: 'pending',
      attempts: 0,
      nextAttemptAt: channels.email.nextAttemptAt,
      reason: 'QUIET_HOURS',
    };
    expect(channels).to.deep.equal({
      inApp: { status: 'unread' },
      email: waiting,
      webPush: waiting,
      mobilePush: waiting,
    });
    expect(Math.abs(Date.parse(waiting.nextAttemptAt as string) - end.getTime())).to.be.at.most(MINUTE);
    person.disconnect();

    // Someone else's, written later, has been sent: these were not forgotten but left alone.
    await comment(reader, person);
    await scene.delivery(reader, 'email', 'sent');
    expect(mailsTo(person)).to.deep.equal([]);

    await pass(HOUR, person);
    for (const channel of OUTSIDE) {
      expect(await scene.delivery(person, channel, 'sent'))
        .to.include({ attempts: 1 })
        .and.not.have.property('reason');
    }
    expect(mailsTo(person)).to.have.length(1);
    expect(scene.edge.webPush.received.filter(({ endpoint }) => endpoint === browser.endpoint)).to.have.length(1);
    expect(scene.edge.fcm.received.filter(({ message }) => message.token === phone)).to.have.length(1);
  });

  it('let mail through where its recipient wants that, and always what concerns security', async () => {
    const [person, reader] = [await quietPerson(), await scene.register()];
    await scene.browser(person);
    await person.patch(SETTINGS, { quietHours: { email: false } });
    await comment(person, reader);
    await scene.delivery(person, 'email', 'sent');
    await scene.delivery(person, 'webPush', 'pending');

    await person.patch(SETTINGS, { quietHours: { email: true } });
    await newCode(scene.campus, person, 'export');
  });

  it('end in what is right by then: what is out of date is not sent', async () => {
    const people: Record<string, [person: Person, id: string, channel: OutsideChannel]> = {};
    const reader = await scene.register({ name: 'Reader' });
    const add = async (name: string, act: (person: Person, told: Json) => Promise<unknown>): Promise<void> => {
      const person = await quietPerson();
      const browser = await scene.browser(person);
      const channel = name === 'NO_DEVICE' ? 'webPush' : 'email';
      const told = await comment(person, reader, 'Good morning');
      people[name] = [person, told.id as string, channel];
      await act(person, { ...told, browser });
    };
    await add('nothing', () => Promise.resolve());
    await add('READ', (person, { id }) => person.put(`/notifications/${id as string}/read`));
    await add('READ, put away', (person, { id }) => person.put(`/notifications/${id as string}/archive`));
    await add('PREFERENCE_OFF', (person) => person.patch(SETTINGS, { preferences: { social: { email: false } } }));
    await add('MUTED', (person, { deepLink }) =>
      person.post(`${SETTINGS}/mutes`, { kind: 'post', id: /posts\/(\w+)/.exec(deepLink as string)![1] }),
    );
    await add('MUTED, the user', (person) => person.post(`${SETTINGS}/mutes`, { kind: 'user', id: reader.id }));
    await add('NO_DEVICE', (person, { browser }) => person.delete('/push/web', { endpoint: browser.endpoint }));
    await add('RECIPIENT_GONE', async (person) => {
      const code = await newCode(scene.campus, person, 'erasure');
      const { status } = await person.delete('/users/me', { password: person.password, code });
      expect(status).to.be.within(200, 299);
    });
    await add('blocked', (person) => person.post(`/users/${reader.id}/block`));

    await pass(HOUR);
    for (const [name, [, id, channel]] of Object.entries(people)) {
      const { status, reason } = await settled(id, channel);
      if (name === 'nothing') expect({ status }).to.deep.equal({ status: 'sent' });
      else if (name === 'blocked') expect(status).to.equal('cancelled');
      else {
        const wanted = /READ|GONE/.test(name) ? 'cancelled' : 'skipped';
        expect({ name, status, reason }).to.deep.equal({ name, status: wanted, reason: name.split(',')[0] });
      }
    }
    await settled(people['NO_DEVICE']![1], 'email');
    const mailed = Object.entries(people).filter(([, [person]]) => mailsTo(person).length > 0);
    // The device that has gone does not keep the mail.
    expect(mailed.map(([name]) => name)).to.have.members(['nothing', 'NO_DEVICE']);
  }).timeout(60_000);

  it('are kept again where it is quiet again by the time it comes to it', async () => {
    const [person, reader] = [await scene.register(), await scene.register()];
    await setQuiet(person, span(-HOUR, HOUR), span(2 * HOUR, 4 * HOUR));
    const { id, channels } = await comment(person, reader);
    await pass(3 * HOUR);
    const first = channels.email.nextAttemptAt as string;
    const { channels: again } = await until(
      () => stored(id as string),
      ({ channels: { email } }) => email.nextAttemptAt > new Date(first) && email.status === 'pending' && !email.claim,
    );
    expect(again.email).to.include({ status: 'pending', attempts: 0, reason: 'QUIET_HOURS' });
    expect(again.email.nextAttemptAt.getTime() - Date.parse(first)).to.equal(3 * HOUR);
    await pass(HOUR);
    expect(await settled(id as string, 'email')).to.include({ status: 'sent', attempts: 1 });
  });

  it('hold a second attempt, too', async () => {
    const [person, reader] = [await scene.register(), await scene.register()];
    scene.edge.smtp.faults.next({ kind: 'status', status: 450 });
    const { id } = await comment(person, reader);
    await scene.delivery(person, 'email', 'failed');
    await setQuiet(person, span(-HOUR, HOUR));
    await pass(2 * MINUTE);
    const waiting = await until(
      () => stored(id as string),
      ({ channels }) => channels.email.status === 'pending',
    );
    expect(waiting.channels.email).to.include({ attempts: 1, reason: 'QUIET_HOURS' });
    await pass(HOUR);
    expect(await settled(id as string, 'email')).to.include({ status: 'sent', attempts: 2 });
  });

  it('are over at once for what waits when their owner ends them, or moves to where it is day', async () => {
    const [one, other, reader] = [await quietPerson(), await quietPerson(), await scene.register()];
    const [first, second] = [await comment(one, reader), await comment(other, reader)];
    await one.patch(SETTINGS, { quietHours: { spans: [] } });
    expect(await settled(first.id as string, 'email')).to.include({ status: 'sent' });
    expect((await stored(second.id as string)).channels.email.status).to.equal('pending');
    await other.patch('/settings/preferences', { timeZone: 'Asia/Tokyo' });
    expect(await settled(second.id as string, 'email')).to.include({ status: 'sent' });
  });

  it('outlive the node that has seen them begin', async () => {
    const [person, reader] = [await quietPerson(), await scene.register()];
    const { id } = await comment(person, reader);
    await scene.campus.stopNodes();
    await scene.campus.startNode({ env: SWEPT_OFTEN });
    expect((await stored(id as string)).channels.email).to.include({ status: 'pending', reason: 'QUIET_HOURS' });
    scene.campus.clock.advance(HOUR);
    expect(await settled(id as string, 'email')).to.include({ status: 'sent' });
  });
});
