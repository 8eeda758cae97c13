import { expect } from 'chai';
import { type ObjectId } from 'mongodb';
import { type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { expectInvalid, expectProblem } from './helpers.js';

const CATEGORIES = ['social', 'network', 'careers', 'chat', 'community', 'system', 'security'];
const CHANNELS = ['inApp', 'email', 'webPush', 'mobilePush'];
/** What someone has who never changed anything: SMS come of nothing. */
const AT_FIRST = { ...Object.fromEntries(CHANNELS.map((channel) => [channel, true])), sms: false };
const PATH = '/settings/notifications';

describe('Notification settings', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  let admin: Person;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    otherNode = await campus.startNode();
    admin = await api.admin();
  });
  after(() => campus.close());

  const change = (person: Person, preferences: object) => person.patch(PATH, { preferences });
  const read = async (person: Person) =>
    (await person.get(PATH)).body.preferences as Record<string, Record<string, boolean>>;
  /** Someone with a browser that takes pushes. */
  const withBrowser = async (): Promise<{ person: Person; endpoint: string }> => {
    const person = await api!.register();
    const { body } = await person.get('/push/vapid-key');
    const subscription = campus.edge.webPush.subscribe(body.publicKey);
    expect((await person.post('/push/web', subscription)).status).to.equal(204);
    return { person, endpoint: subscription.endpoint };
  };
  /** Lets someone react to a new post of this person. */
  const beReactedTo = async (person: Person): Promise<void> => {
    const reader = await api!.register();
    await reader.post(`/posts/${await person.publish()}/react`, { type: 'LIKE' });
  };
  /** Of another category than everything else here, and later. */
  const marker = async (person: Person, inbox: LiveSocket): Promise<void> => {
    await admin.post('/notifications', { userIds: [person.id], type: 'SYSTEM', title: 'Marker', body: '.' });
    await inbox.next('notification:new', ({ title }) => title === 'Marker');
  };

  it('are on for every category and channel at first, but for SMS', async () => {
    const preferences = await read(await api!.register());
    expect(Object.keys(preferences)).to.have.members(CATEGORIES);
    for (const channels of Object.values(preferences)) {
      expect(channels).to.deep.equal(AT_FIRST);
    }
  });

  it('change where they are named and nowhere else', async () => {
    const [person, other] = [await api!.register(), await api!.register()];
    await change(person, { social: { email: false } });
    const { status, body } = await change(person, { social: { webPush: false }, chat: { inApp: false } });
    expect(status).to.equal(200);
    const expected = Object.fromEntries(CATEGORIES.map((category) => [category, { ...AT_FIRST }]));
    Object.assign(expected['social']!, { email: false, webPush: false });
    Object.assign(expected['chat']!, { inApp: false });
    expect(body.preferences).to.deep.equal(expected);
    expect(await read(person)).to.deep.equal(expected);
    await change(person, { chat: { inApp: true }, social: {} });
    expect((await read(person))['chat']).to.deep.include({ inApp: true });
    expect((await read(other))['social']).to.deep.include({ email: true });
  });

  it('keep what several devices change at once, from the first change on', async () => {
    const people = await Promise.all(Array.from({ length: 5 }, () => api!.register()));
    for (const person of people) {
      const answers = await Promise.all(
        CHANNELS.map((channel, index) =>
          change(index % 2 === 0 ? person : person.on(otherNode!), { social: { [channel]: false } }),
        ),
      );
      for (const { status } of answers) expect(status).to.equal(200);
      expect((await read(person))['social']).to.deep.equal(
        Object.fromEntries([...CHANNELS, 'sms'].map((channel) => [channel, false])),
      );
    }
  });

  it('cannot switch security off, and then change nothing else either', async () => {
    const person = await api!.register();
    for (const channel of CHANNELS) {
      expectProblem(
        await change(person, { social: { email: false }, security: { [channel]: false } }),
        400,
        'SECURITY_ALWAYS_ON',
      );
    }
    expect((await change(person, { security: { email: true } })).status).to.equal(200);
    const preferences = await read(person);
    expect(preferences['security']).to.deep.equal(AT_FIRST);
    // By SMS it comes only to those who want it there.
    for (const sms of [true, false]) {
      expect((await change(person, { security: { sms } })).status).to.equal(200);
      expect((await read(person))['security']).to.deep.equal({ ...AT_FIRST, sms });
    }
    expect(preferences['social']).to.deep.include({ email: true });
  });

  it('refuse what they do not know', async () => {
    const person = await api!.register();
    expectInvalid(await change(person, { gossip: { email: false } }), 'body.preferences.gossip');
    expectInvalid(await change(person, { social: { pigeon: false } }), 'body.preferences.social.pigeon');
    expectInvalid(await change(person, { social: { email: 'no' } }), 'body.preferences.social.email');
    expectInvalid(await person.patch(PATH, { preferences: null }), 'body.preferences');
  });

  const setQuiet = (person: Person, quietHours: object) => person.patch(PATH, { quietHours });
  const nights = { days: ['FRI', 'SAT'], from: '22:00', to: '07:30' };

  it('have no quiet hours at first', async () => {
    const { body } = await (await api!.register()).get(PATH);
    expect(body).to.deep.include({ quietHours: { spans: [], email: true }, timeZone: 'UTC' });
  });

  it('keep quiet hours beside the preferences, in the time zone of the user', async () => {
    const person = await api!.register();
    await change(person, { social: { email: false } });
    expect((await setQuiet(person, { spans: [nights] })).status).to.equal(200);
    const { status, body } = await setQuiet(person, { email: false });
    expect(status).to.equal(200);
    expect(body.quietHours).to.deep.equal({ spans: [nights], email: false });
    await person.patch('/settings/preferences', { timeZone: 'Asia/Amman' });
    const { body: read } = await person.get(PATH);
    expect(read).to.deep.include({ quietHours: { spans: [nights], email: false }, timeZone: 'Asia/Amman' });
    expect(read.preferences.social).to.deep.include({ email: false, inApp: true });
    expect((await setQuiet(person, { spans: [] })).body.quietHours).to.deep.equal({ spans: [], email: false });
    expect((await person.patch(PATH, {})).body.quietHours).to.deep.equal({ spans: [], email: false });
  });

  it('refuse quiet hours that are no times of the day, name no days, or never end', async () => {
    const person = await api!.register();
    const span = (changes: object) => setQuiet(person, { spans: [nights, { ...nights, ...changes }] });
    expectInvalid(
      await span({ from: '24:00', to: '7:30' }),
      'body.quietHours.spans.1.from',
      'body.quietHours.spans.1.to',
    );
    expectInvalid(await span({ from: '٢٢:٠٠' }), 'body.quietHours.spans.1.from');
    expectInvalid(await span({ days: [] }), 'body.quietHours.spans.1.days');
    expectInvalid(await span({ days: ['FRI', 'Friday'] }), 'body.quietHours.spans.1.days.1');
    expectInvalid(await span({ days: ['FRI', 'FRI'] }), 'body.quietHours.spans.1.days.1');
    expectInvalid(await span({ zone: 'UTC' }), 'body.quietHours.spans.1.zone');
    expectInvalid(await setQuiet(person, { spans: Array.from({ length: 15 }, () => nights) }), 'body.quietHours.spans');
    const days = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
    const always = [
      { days, from: '07:00', to: '22:00' },
      { days, from: '22:00', to: '07:00' },
    ];
    expectProblem(await setQuiet(person, { spans: always }), 400, 'QUIET_ALL_WEEK');
    expect((await person.get(PATH)).body.quietHours.spans).to.deep.equal([]);
  });

  it('leave a channel that is off out of the notification', async () => {
    const { person, endpoint } = await withBrowser();
    const inbox = await person.connect('/notifications');
    await change(person, { social: { email: false } });
    await beReactedTo(person);
    expect((await inbox.next('notification:new')).channels).to.have.all.keys('inApp', 'webPush');
    await campus.edge.webPush.waitFor((push) => push.endpoint === endpoint);

    await change(person, { social: { email: true, webPush: false } });
    await beReactedTo(person);
    const [, second] = await inbox.collect('notification:new', 2);
    expect(second.channels).to.have.all.keys('inApp', 'email');
    await campus.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
    await marker(person, inbox);
    await campus.edge.webPush.waitFor((push) => push.endpoint === endpoint, { count: 2 });
    const mails = campus.edge.smtp.received.filter(({ envelope }) => envelope.to.includes(person.email));
    expect(mails.filter(({ subject }) => subject?.includes('reacted'))).to.have.length(1);
    person.disconnect();
  });

  it('keep out of the app what is only wanted by e-mail', async () => {
    const person = await api!.register();
    const inbox = await person.connect('/notifications');
    await change(person, { social: { inApp: false } });
    await beReactedTo(person);
    await campus.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
    await marker(person, inbox);
    expect(inbox.all('notification:new')).to.have.length(1);
    expect((await person.get('/notifications')).body.data.map(({ title }: { title: string }) => title)).to.deep.equal([
      'Marker',
    ]);
    expect((await person.get('/notifications/unread-count')).body).to.deep.equal({ count: 1 });
    person.disconnect();
  });

  it('write nothing at all where every channel is off', async () => {
    const [person, other] = [await api!.register(), await api!.register()];
    const othersInbox = await other.connect('/notifications');
    await change(person, { social: Object.fromEntries(CHANNELS.map((channel) => [channel, false])) });
    await beReactedTo(person);
    // Events are handled in order: once the other one has been told, the first reaction has been dealt with.
    await beReactedTo(other);
    await othersInbox.next('notification:new');
    const written = await campus.db.collection('notifications').find({ type: 'REACTION' }).toArray();
    const recipients = written.map(({ userId }) => (userId as ObjectId).toHexString());
    expect(recipients).to.include(other.id).and.not.include(person.id);
    other.disconnect();
  });
});
