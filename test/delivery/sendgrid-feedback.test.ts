import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, MINUTE } from '../../src/core/clock.js';
import { expectProblem } from '../api/helpers.js';
import { recipientsOf } from '../edge/index.js';
import { type SendGridEvent, sendGridEvent, SendGridWebhook } from '../edge/sendgrid-webhook.js';
import { type Answer, type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { gate, Scene } from './scene.js';

const PATH = '/webhooks/sendgrid';

describe('What SendGrid tells of mails', () => {
  const webhook = new SendGridWebhook();
  let scene: Scene;
  let admin: Person;
  before(async () => {
    scene = await Scene.withSendGrid({ SENDGRID_WEBHOOK_KEY: webhook.publicKey });
    admin = await scene.api.admin();
  });
  afterEach(() => scene.edge.sendgrid.clear());
  after(() => scene.close());

  const now = () => scene.campus.clock.now();
  const send = (body: string, headers: Record<string, string>): Promise<Answer<Json>> =>
    scene.api.request('POST', PATH, body, { headers });
  const tell = async (...events: unknown[]): Promise<void> => {
    const body = JSON.stringify(events);
    const { status, body: answer } = await send(body, webhook.headers(body, now()));
    expect(status, JSON.stringify(answer)).to.equal(204);
  };
  /** Someone to whom a mail was sent, and what is told of that. */
  async function mailed() {
    const person = await scene.register();
    await scene.notify([person], { channels: ['email'] });
    await scene.delivery(person, 'email', 'sent');
    const { id } = await scene.notification(person);
    const about = (event: string, more: object = {}): SendGridEvent =>
      sendGridEvent(event, person.email, now(), { notificationId: id, ...more });
    return { person, id: id as string, about };
  }
  const email = async (person: Person): Promise<Json> => (await scene.notification(person)).channels.email;
  const suppressions = async (person: Person): Promise<Json[]> =>
    (await admin.get(`/admin/suppressions?address=${person.email}`)).body.data as Json[];
  const letters = async (person: Person): Promise<Json[]> =>
    ((await admin.get('/admin/dead-letters?limit=100')).body.data as Json[]).filter(
      ({ userId }) => userId === person.id,
    );
  const seconds = (at: number): string => new Date(at * 1_000).toISOString();

  it('is shown in the delivery, and told to its owner live', async () => {
    const { person, about } = await mailed();
    const before = await email(person);
    const socket = await person.connect('/notifications');
    const [delivered, open] = [about('delivered'), about('open')];
    await tell(about('processed'), about('deferred', { attempt: '1' }), delivered);
    const { channels } = await socket.next('notification:updated', (one) => one.channels.email.status === 'delivered');
    const deliveredAt = seconds(delivered.timestamp);
    expect(channels.email).to.deep.equal({ ...before, status: 'delivered', deliveredAt });

    await tell(open);
    const opened = await socket.next('notification:updated', (one) => one.channels.email.openedAt !== undefined);
    expect(opened).to.deep.equal(await scene.notification(person));
    expect(opened.channels.email).to.include({ deliveredAt, openedAt: seconds(open.timestamp) });
    person.disconnect();
  });

  it('is heard however often SendGrid calls', async () => {
    const env = { ROLE: 'api', SENDGRID_WEBHOOK_KEY: webhook.publicKey, REQUESTS_PER_MINUTE: '5' };
    const strict = await scene.campus.startNode({ env });
    const headers = webhook.headers('[]', now());
    const call = () => strict.request('POST', PATH, '[]', { headers });
    const answers = await Promise.all(Array.from({ length: 12 }, call));
    expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 12 }, () => 204));
  });

  it('may come in any order: what was opened was delivered, and what bounced was not', async () => {
    const [one, other] = [await mailed(), await mailed()];
    const open = one.about('open');
    await tell(open);
    expect(await email(one.person)).to.include({ status: 'delivered', openedAt: seconds(open.timestamp) });
    await tell({ ...one.about('delivered'), timestamp: open.timestamp - 60 });
    expect(await email(one.person)).to.include({
      deliveredAt: seconds(open.timestamp - 60),
      openedAt: seconds(open.timestamp),
    });

    await tell(other.about('bounce', { type: 'bounce', status: '5.1.1' }));
    await tell(other.about('delivered'));
    expect(await email(other.person)).to.include({ status: 'dead', error: 'BOUNCED_5.1.1' });
    expect(await letters(one.person)).to.deep.equal([]);
  });

  it('of a hard bounce suppresses the address, for mail about the account as well', async () => {
    const { person, id, about } = await mailed();
    const socket = await person.connect('/notifications');
    const words = `550 5.1.1 <${person.email}>: no such user`;
    await tell(about('delivered'), about('bounce', { type: 'bounce', status: '5.1.1', reason: words }));
    await socket.next('notification:updated', ({ channels }) => channels.email.status === 'dead');
    person.disconnect();
    expect(await letters(person)).to.have.length(1);
    expect((await letters(person))[0]).to.include({ notificationId: id, error: 'BOUNCED_5.1.1', attempts: 1 });
    const [suppression] = await suppressions(person);
    const facts = { address: person.email, userId: person.id, reason: 'bounce', source: 'sendgrid', error: '5.1.1' };
    expect(suppression).to.deep.include(facts);
    const [row] = await until(
      async () => (await admin.get(`/audit?targetId=${person.id}&action=address.suppressed`)).body.data as Json[],
      ({ length }) => length > 0,
    );
    expect(row).to.include({ reason: 'bounce' }).and.not.have.any.keys('actorId', 'origin');

    await scene.notify([person], { channels: ['email'] });
    expect(await scene.delivery(person, 'email', 'skipped')).to.include({ reason: 'SUPPRESSED' });
    expect(await passwordReset(person)).to.include({ status: 'skipped', reason: 'SUPPRESSED' });
  });

  it('of a complaint keeps news from the address, but not a new password', async () => {
    const { person, about } = await mailed();
    await tell(about('spamreport'));
    expect(await email(person)).to.include({ status: 'sent' });
    expect((await suppressions(person)).map(({ reason }) => reason as string)).to.deep.equal(['complaint']);

    await scene.notify([person], { channels: ['email'] });
    expect(await scene.delivery(person, 'email', 'skipped')).to.include({ reason: 'SUPPRESSED' });
    scene.edge.sendgrid.clear();
    expect(await passwordReset(person)).to.include({ status: 'sent' });
    await scene.edge.sendgrid.waitFor(({ mail }) => recipientsOf(mail).includes(person.email));
  });

  it('of a mail that was refused or dropped says why, and suppresses only what it should', async () => {
    const cases: [event: string, more: object, error: string | undefined, reason: string | undefined][] = [
      ['bounce', { type: 'blocked', status: '5.7.1' }, 'BOUNCED_5.7.1', undefined],
      ['bounce', { type: 'bounce', status: '4.4.1' }, 'BOUNCED_4.4.1', undefined],
      ['bounce', { type: 'bounce' }, 'BOUNCED', 'bounce'],
      ['dropped', { reason: 'Bounced Address' }, 'DROPPED_BOUNCE', 'bounce'],
      ['dropped', { reason: 'Spam Reporting Address' }, 'DROPPED_COMPLAINT', 'complaint'],
      ['dropped', { reason: 'Unsubscribed Address' }, 'DROPPED_UNSUBSCRIBE', 'unsubscribe'],
      ['dropped', { reason: 'Invalid SMTPAPI header' }, 'DROPPED', undefined],
      ['unsubscribe', {}, undefined, 'unsubscribe'],
    ];
    await Promise.all(
      cases.map(async ([event, more, error, reason]) => {
        const { person, about } = await mailed();
        await tell(about(event, more));
        const { status, error: told } = await email(person);
        const name = `${event} ${JSON.stringify(more)}`;
        expect([status, told], name).to.deep.equal(error === undefined ? ['sent', undefined] : ['dead', error]);
        const reasons = (await suppressions(person)).map((one) => one.reason as string);
        expect(reasons, name).to.deep.equal(reason === undefined ? [] : [reason]);
      }),
    );
  });

  it('counts once, though it comes many times and at once, even after an admin had it sent again', async () => {
    const { person, about } = await mailed();
    const bounce = about('bounce', { type: 'blocked' });
    const open = about('open');
    const tellings = (): Promise<number> =>
      scene.campus.db.collection('events').countDocuments({ type: 'deliveries.recorded' });
    const before = await tellings();
    await Promise.all(Array.from({ length: 6 }, () => tell(open, bounce, bounce)));
    expect(await tellings()).to.equal(before + 1);
    expect(await letters(person)).to.have.length(1);
    expect(await email(person)).to.include({ status: 'dead', error: 'BOUNCED' });

    expect((await admin.post('/admin/dead-letters/requeue', { error: 'BOUNCED' })).status).to.equal(200);
    const sentAgain = await scene.delivery(person, 'email', 'sent');
    await tell(bounce);
    expect(await email(person)).to.deep.equal(sentAgain);
    expect(await letters(person)).to.deep.equal([]);
  });

  it('before its call was answered is not lost', async () => {
    const person = await scene.register();
    const { open, opened } = gate();
    scene.edge.sendgrid.onReceived(() => opened);
    await scene.notify([person], { channels: ['email'] });
    const [call] = await scene.edge.sendgrid.waitFor(({ mail }) => recipientsOf(mail).includes(person.email));
    const { notificationId } = call!.mail.personalizations[0]!.custom_args!;
    const delivered = sendGridEvent('delivered', person.email, now(), { notificationId });
    await tell(delivered);
    expect(await email(person)).to.include({ status: 'sending', deliveredAt: seconds(delivered.timestamp) });

    open();
    const ended = await scene.delivery(person, 'email', 'delivered');
    expect(ended).to.have.all.keys('status', 'attempts', 'sentAt', 'deliveredAt', 'providerMessageId');
  });

  it('of a mail that seemed to have failed keeps it from being sent again', async () => {
    const person = await scene.register();
    scene.edge.sendgrid.faults.next({ kind: 'accept-and-reset' });
    await scene.notify([person], { channels: ['email'] });
    await scene.delivery(person, 'email', 'failed');
    const { id } = await scene.notification(person);
    await tell(sendGridEvent('delivered', person.email, now(), { notificationId: id }));
    expect(await email(person)).to.have.all.keys('status', 'attempts', 'deliveredAt');
  });

  it('is taken in by the thousand', async () => {
    const people = await scene.crowd(600);
    const batchId = await scene.notify(people, { channels: ['email'] });
    await scene.allSent(batchId, ['email']);
    const filter = { batchId: new ObjectId(batchId) };
    const sent = await scene.campus.db.collection('notifications').find(filter).toArray();
    const events = sent.flatMap(({ _id }, index) =>
      ['delivered', 'open'].map((event) =>
        sendGridEvent(event, people[index]!.email, now(), { notificationId: _id.toHexString() }),
      ),
    );
    await tell(...events);
    const { channels } = await scene.progress(batchId);
    expect(channels.email).to.deep.equal({ delivered: 600 });
  }).timeout(60_000);

  it('of mails that are not ours, or in a way that nobody knows, changes nothing and holds nothing up', async () => {
    const { person, about } = await mailed();
    const bounce = { type: 'bounce', status: '5.1.1' };
    const foreign = sendGridEvent('bounce', person.email, now(), bounce);
    const unknown = { ...about('bounce', bounce), notificationId: 'f'.repeat(24) };
    await tell(foreign, unknown, { ...about('bounce', bounce), notificationId: { $ne: null } }, about('beamed'));
    await tell(null, 7, 'bounce', [], {}, { ...about('bounce', bounce), timestamp: 'soon' }, about('delivered'));
    await tell();
    expect(await email(person)).to.include({ status: 'delivered' });
    expect(await suppressions(person)).to.deep.equal([]);
  });

  it('is not believed where it was not signed so, or long ago', async () => {
    const { person, about } = await mailed();
    const body = JSON.stringify([about('bounce', { type: 'bounce', status: '5.1.1' })]);
    const good = webhook.headers(body, now());
    const [signature, timestamp] = Object.keys(good) as [string, string];
    const forged: Record<string, Record<string, string>> = {
      'by another key': new SendGridWebhook().headers(body, now()),
      'over another body': webhook.headers(`${body} `, now()),
      'with another time': { ...good, [timestamp]: String(Number(good[timestamp]) - 1) },
      'with no time': { [signature]: good[signature]! },
      'with no signature': { [timestamp]: good[timestamp]! },
      'with something else': { ...good, [signature]: 'not base64!' },
      'with a time that is none': { ...good, [timestamp]: 'now' },
    };
    for (const headers of Object.values(forged)) expectProblem(await send(body, headers), 403, 'SIGNATURE_INVALID');
    for (const off of [-HOUR, -11 * MINUTE, 11 * MINUTE]) {
      const headers = webhook.headers(body, new Date(now().getTime() + off));
      expectProblem(await send(body, headers), 403, 'SIGNATURE_EXPIRED');
    }
    expect(await email(person)).to.include({ status: 'sent' });
    expect(await suppressions(person)).to.deep.equal([]);
    expect((await send(body, good)).status).to.equal(204);
    expect(await email(person)).to.include({ status: 'dead' });
  });

  it('is refused where it is no list, no JSON or too large', async () => {
    const signed = (body: string) => send(body, webhook.headers(body, now()));
    expectProblem(await signed('{"event":"open"}'), 400, 'NO_LIST');
    expectProblem(await signed('[{]'), 400, 'MALFORMED_JSON');
    expectProblem(await signed(`["${'x'.repeat(1_100_000)}"]`), 413, 'BODY_TOO_LARGE');
    const asText = { ...webhook.headers('[]', now()), 'content-type': 'text/plain' };
    expectProblem(await send('[]', asText), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('finds no door where no key is set', async () => {
    const keyless = await scene.campus.startNode({ env: { ROLE: 'api' } });
    const answer = await keyless.request('POST', PATH, '[]', { headers: webhook.headers('[]', now()) });
    expectProblem(answer, 404, 'WEBHOOK_NOT_CONFIGURED');
  });

  /** How the mail stands that brings someone a new password. */
  async function passwordReset(person: Person): Promise<Json> {
    await scene.api.request('POST', '/auth/password/forgot', { email: person.email });
    const filter = { userId: new ObjectId(person.id), 'entity.kind': 'passwordReset' };
    const found = await until(
      () => scene.campus.db.collection('notifications').findOne(filter),
      (one) => one !== null && !['pending', 'sending'].includes(one['channels'].email.status as string),
    );
    return found!['channels'].email;
  }
});
