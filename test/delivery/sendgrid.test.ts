import { expect } from 'chai';
import { recipientsOf } from '../edge/index.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

describe('Mail by SendGrid', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.withSendGrid();
  });
  afterEach(() => {
    scene.edge.sendgrid.clear();
    scene.edge.smtp.clear();
  });
  after(() => scene.close());

  it('goes to a thousand people in a call or two, each alone on their mail', async () => {
    const people = await scene.crowd(999);
    const reader = await scene.register();
    const batchId = await scene.notify([reader, ...people], {
      channels: ['email'],
      title: 'إعلان\nمهم',
      body: 'مرحبا',
    });

    await scene.allSent(batchId, ['email']);
    // The two loops of a worker may have shared them.
    const calls = scene.edge.sendgrid.received;
    expect(calls.length).to.be.at.most(2);
    const personalizations = calls.flatMap(({ mail }) => mail.personalizations);
    expect(personalizations.every(({ to }) => to.length === 1)).to.equal(true);
    expect(scene.edge.sendgrid.recipients).to.have.members([reader, ...people].map(({ email }) => email));
    const { mail, messageId } = calls.find((call) => recipientsOf(call.mail).includes(reader.email))!;
    expect(mail.from).to.deep.equal({ email: 'no-reply@campus.test', name: 'Atrium' });
    expect(mail.categories).to.deep.equal(['system', 'SYSTEM']);
    expect(mail.content.map(({ type }) => type)).to.deep.equal(['text/plain', 'text/html']);
    expect(mail.content[0]!.value).to.contain('مرحبا');
    expect(mail['tracking_settings']).to.deep.include({ click_tracking: { enable: false, enable_text: false } });

    const { id } = await scene.notification(reader);
    const own = mail.personalizations.find(({ to }) => to[0]!.email === reader.email);
    expect(own).to.deep.equal({
      to: [{ email: reader.email, name: reader.name }],
      subject: 'إعلان مهم',
      headers: {
        ...own!.headers,
        'Message-ID': `<${id}@campus.test>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
      custom_args: { notificationId: id },
    });
    const links = personalizations.map(({ headers }) => headers!['List-Unsubscribe']!);
    expect(own!.headers!['List-Unsubscribe']).to.match(
      new RegExp(`^<https://campus\\.test/.*=${reader.id}\\.system\\.`),
    );
    expect(new Set(links).size).to.equal(1_000);
    expect(await scene.delivery(reader, 'email', 'sent')).to.include({ attempts: 1, providerMessageId: messageId });
    expect(scene.edge.smtp.received).to.deep.equal([]);
  }).timeout(60_000);

  it('goes in a call for each content', async () => {
    const [english, arabic] = await Promise.all([scene.register(), scene.register({ locale: 'ar' })]);
    const batchId = await scene.notify([english, arabic], { channels: ['email'] });

    await scene.allSent(batchId, ['email']);
    const contents = scene.edge.sendgrid.received.map(({ mail }) => mail.content[1]!.value);
    expect(contents).to.have.length(2);
    expect(contents.map((html) => /dir="(\w+)"/.exec(html)![1])).to.have.members(['ltr', 'rtl']);
  });

  it('is one thread in a mailbox where it tells of the same', async () => {
    const [author, ...readers] = await Promise.all([scene.register(), scene.register(), scene.register()]);
    const postId = await author.publish();
    const own = () =>
      scene.edge.sendgrid.received
        .flatMap(({ mail }) => mail.personalizations)
        .filter(({ to }) => to[0]!.email === author.email)
        .map(({ headers = {} }) => headers);
    for (const reader of readers) {
      await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
      await scene.notification(author, ({ actorIds }) => actorIds[0] === reader.id);
      await scene.delivery(author, 'email', 'sent');
    }
    const [first, second, ...more] = own();
    expect(more).to.deep.equal([]);
    expect(first).not.to.have.any.keys('References', 'In-Reply-To');
    const messageId = first!['Message-ID']!;
    expect(second).to.deep.include({ References: messageId, 'In-Reply-To': messageId });
    expect(second!['Message-ID']).not.to.equal(messageId);
  });

  it('costs only the bad address its mail where a call holds one', async () => {
    const [bad, ...good] = await Promise.all([scene.register(), scene.register(), scene.register()]);
    scene.edge.sendgrid.refuse(bad.email);
    await scene.notify([bad, ...good], { channels: ['email'] });

    const dead = await scene.delivery(bad, 'email', 'dead');
    expect(dead).to.deep.equal({ status: 'dead', attempts: 1, error: 'SENDGRID_400' });
    for (const person of good) await scene.delivery(person, 'email', 'sent', 1);
    expect(scene.edge.sendgrid.recipients).to.have.members(good.map(({ email }) => email));
    expect(scene.edge.smtp.received).to.deep.equal([]);
    expect(await scene.breaker('sendgrid')).to.equal(0);
  });

  it('is divided where a call is too large', async () => {
    const people = await scene.crowd(8);
    scene.edge.sendgrid.faults.when(({ mail }) => mail.personalizations.length > 2, { kind: 'status', status: 413 });
    await scene.allSent(await scene.notify(people, { channels: ['email'] }), ['email']);

    expect(scene.edge.sendgrid.received.map(({ mail }) => mail.personalizations.length)).to.deep.equal([2, 2, 2, 2]);
    expect(scene.edge.sendgrid.recipients).to.have.members(people.map(({ email }) => email));
  });
});

describe('Mail that SendGrid does not take', () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await Scene.withSendGrid();
  });
  afterEach(() => scene.close());

  it('is handed to the mail server at once, in the same attempt', async () => {
    for (const status of [401, 403, 429, 500, 503]) {
      const person = await scene.register();
      scene.edge.sendgrid.faults.next({ kind: 'status', status });
      await scene.notify([person], { channels: ['email'], title: `After ${status}` });

      await scene.delivery(person, 'email', 'sent', 1);
      const [mail] = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
      expect(mail!.subject).to.equal(`After ${status}`);
      // So that it does not go out of order.
      await scene.delivery(await notified(), 'email', 'sent', 1);
    }
    expect(scene.edge.sendgrid.rejected).to.have.length(5);
  });

  it('for all that is known, is no business of the mail server’s: it comes again as the same message', async () => {
    const person = await scene.register();
    scene.edge.sendgrid.faults.next({ kind: 'accept-and-reset' });
    await scene.notify([person], { channels: ['email'] });
    expect(await scene.delivery(person, 'email', 'failed')).to.include({ attempts: 1, error: 'ECONNRESET' });

    await scene.advance(1.25, person);
    await scene.delivery(person, 'email', 'sent', 2);
    const [first, second] = scene.edge.sendgrid.received.map(({ mail }) => mail.personalizations[0]!.headers);
    expect(second).to.deep.equal(first);
    expect(scene.edge.smtp.received).to.deep.equal([]);
  });

  it('again and again goes by the mail server without asking, until SendGrid is back', async () => {
    const people = await Promise.all(Array.from({ length: 7 }, () => scene.register()));
    const repair = scene.edge.sendgrid.faults.when(() => true, { kind: 'status', status: 503 });
    for (const person of people.slice(0, 5)) {
      await scene.notify([person], { channels: ['email'] });
      await scene.delivery(person, 'email', 'sent', 1);
    }
    expect(await scene.breaker('sendgrid')).to.equal(2);

    await scene.notify([people[5]!], { channels: ['email'] });
    await scene.delivery(people[5]!, 'email', 'sent', 1);
    expect(scene.edge.sendgrid.rejected).to.have.length(5);
    expect(scene.edge.smtp.received).to.have.length(6);

    repair();
    await scene.advance(0.6, people[6]!);
    await scene.notify([people[6]!], { channels: ['email'] });
    await scene.delivery(people[6]!, 'email', 'sent', 1);
    expect(scene.edge.sendgrid.recipients).to.deep.equal([people[6]!.email]);
    expect(
      await until(
        () => scene.breaker('sendgrid'),
        (level) => level === 0,
      ),
    ).to.equal(0);
  });

  /** Someone who has just been sent a mail. */
  async function notified() {
    const person = await scene.register();
    await scene.notify([person], { channels: ['email'] });
    return person;
  }
});
