import { expect } from 'chai';
import { expectProblem, NOBODY } from '../api/helpers.js';
import { type Report, deliveryReport } from '../edge/delivery-report.js';
import { type Answer, type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { Scene } from './scene.js';

const PATH = '/webhooks/mail';
const TYPE = { 'content-type': 'message/rfc822' };

describe('Mail that comes back', () => {
  let scene: Scene;
  let admin: Person;
  let key: string;
  before(async () => {
    scene = await Scene.open();
    admin = await scene.api.admin();
    const issued = await admin.post('/api-keys', { name: 'Mail server', scopes: ['feedback:write'] });
    key = issued.body.key as string;
  });
  after(() => scene.close());

  const send = (mail: string, token: string | undefined = key, headers: Record<string, string> = TYPE) =>
    scene.api.request('POST', PATH, mail, { token, headers });
  const report = async (what: Report): Promise<void> => {
    const { status, body }: Answer<Json> = await send(deliveryReport(what));
    expect(status, JSON.stringify(body)).to.equal(204);
  };
  /** Someone to whom a mail was sent, and how that is named. */
  async function mailed(): Promise<{ person: Person; messageId: string; recipient: string }> {
    const person = await scene.register();
    await scene.notify([person], { channels: ['email'], title: 'خبر' });
    const { providerMessageId } = await scene.delivery(person, 'email', 'sent');
    return { person, messageId: providerMessageId as string, recipient: person.email };
  }
  const email = async (person: Person): Promise<Json> => (await scene.notification(person)).channels.email;
  const suppressions = async (address: string): Promise<Json[]> =>
    (await admin.get(`/admin/suppressions?address=${address}`)).body.data as Json[];

  it('for good is dead, told so live, and suppresses the address', async () => {
    const { person, messageId, recipient } = await mailed();
    const socket = await person.connect('/notifications');
    await report({ messageId, recipient: recipient.toUpperCase() });
    const { channels } = await socket.next('notification:updated', (one) => one.channels.email.status === 'dead');
    expect(channels.email).to.include({ error: 'BOUNCED_5.1.1', attempts: 1 }).and.have.property('bouncedAt');
    person.disconnect();
    const [suppression] = await suppressions(recipient);
    const facts = { address: recipient, userId: person.id, reason: 'bounce', source: 'smtp', error: '5.1.1' };
    expect(suppression).to.deep.include(facts);
    await scene.notify([person], { channels: ['email'] });
    expect(await scene.delivery(person, 'email', 'skipped')).to.include({ reason: 'SUPPRESSED' });
  });

  it('because a server gave up is dead, but the address is good', async () => {
    const { person, messageId, recipient } = await mailed();
    await report({ messageId, recipient, action: 'delayed', status: '4.4.1' });
    expect(await email(person)).to.include({ status: 'sent' });
    await report({ messageId, recipient, status: '4.4.7', headersOnly: true });
    expect(await email(person)).to.include({ status: 'dead', error: 'BOUNCED_4.4.7' });
    expect(await suppressions(recipient)).to.deep.equal([]);
  });

  it('to say that it arrived is told as well', async () => {
    const { person, messageId, recipient } = await mailed();
    await report({ messageId, recipient, action: 'relayed', status: '2.0.0' });
    expect(await email(person)).to.include({ status: 'sent' });
    await report({ messageId, recipient, action: 'delivered', status: '2.0.0' });
    expect(await email(person)).to.include({ status: 'delivered' });
  });

  it('after it was forwarded counts for the address that we wrote to', async () => {
    const { person, messageId, recipient } = await mailed();
    await report({ messageId, recipient, forwardedTo: 'home@elsewhere.test' });
    expect(await email(person)).to.include({ status: 'dead' });
    expect(await suppressions(recipient)).to.have.length(1);
    expect(await suppressions('home@elsewhere.test')).to.deep.equal([]);
  });

  it('counts once, though it is handed on several times at once', async () => {
    const { person, messageId, recipient } = await mailed();
    const mail = deliveryReport({ messageId, recipient });
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(mail)));
    expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 204));
    expect(await suppressions(recipient)).to.have.length(1);

    const [{ id }] = (await suppressions(recipient)) as [Json];
    await admin.delete(`/admin/suppressions/${id as string}`);
    await admin.post('/admin/dead-letters/requeue', { error: 'BOUNCED_5.1.1' });
    const again = await scene.delivery(person, 'email', 'sent');
    expect((await send(mail)).status).to.equal(204);
    expect(await email(person)).to.deep.equal(again);
    expect(await suppressions(recipient)).to.deep.equal([]);
  });

  it('in a forged report changes nothing', async () => {
    const [{ person, messageId, recipient }, victim] = [await mailed(), await mailed()];
    await report({ messageId: `<${NOBODY}@campus.test>`, recipient: victim.recipient });
    await report({ messageId: messageId.replace('campus.test', 'elsewhere.test'), recipient });
    await report({ messageId: '<made-up@campus.test>', recipient });
    // Its own mail is known to a recipient, but not one to somebody else.
    await report({ messageId, recipient: victim.recipient });
    for (const one of [person, victim.person]) expect(await email(one)).to.include({ status: 'sent' });
    for (const address of [recipient, victim.recipient]) expect(await suppressions(address)).to.deep.equal([]);
  });

  it('is no report where it is an answer, or no mail at all', async () => {
    const { person, messageId } = await mailed();
    const answer = `From: ${person.email}\r\nIn-Reply-To: ${messageId}\r\nSubject: إجازة\r\n\r\nI am away.`;
    for (const mail of [answer, 'x', '\r\n\r\n', '\u0000']) expect((await send(mail)).status).to.equal(204);
    expect(await email(person)).to.include({ status: 'sent' });
    const depth = Array.from(
      { length: 20 },
      (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`,
    );
    expectProblem(await send(depth.join('')), 400, 'MALFORMED_MAIL');
    expectProblem(await send('x'.repeat(1_100_000)), 413, 'BODY_TOO_LARGE');
    expectProblem(await send('{}', key, { 'content-type': 'application/json' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('is taken from mail servers that have a key for it, and from nobody else', async () => {
    const { person, messageId, recipient } = await mailed();
    const mail = deliveryReport({ messageId, recipient });
    const other = await admin.post('/api-keys', { name: 'Partner', scopes: ['notifications:write'] });
    expectProblem(await send(mail, other.body.key as string), 403, 'SCOPE_MISSING');
    expectProblem(await send(mail, person.token), 403, 'FORBIDDEN');
    expectProblem(await scene.api.request('POST', PATH, mail, { headers: TYPE }), 401, 'UNAUTHORIZED');
    expect(await email(person)).to.include({ status: 'sent' });
  });
});
