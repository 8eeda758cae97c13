import { expect } from 'chai';
import { type ReceivedMail } from '../edge/index.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { gate, Scene } from './scene.js';

const isTo =
  ({ email }: Person) =>
  ({ envelope }: ReceivedMail) =>
    envelope.to.includes(email);

describe('The status of a delivery', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  /** Holds the mail server's answer to each of these back; the answer lets them go. */
  function holdMailTo(...people: Person[]): () => void {
    const { open, opened } = gate();
    scene.edge.smtp.onReceived((mail) => (people.some((person) => isTo(person)(mail)) ? opened : undefined));
    return open;
  }

  it('is sending while the provider has not answered, and then sent', async () => {
    const person = await scene.register();
    const release = holdMailTo(person);
    const before = scene.campus.clock.now();
    await scene.notify([person], { channels: ['email'] });

    await scene.edge.smtp.waitFor(isTo(person));
    const sending = await scene.delivery(person, 'email', 'sending');
    expect(sending).to.have.all.keys('status', 'attempts', 'nextAttemptAt').and.to.include({ attempts: 1 });

    release();
    const sent = await scene.delivery(person, 'email', 'sent');
    const { id } = await scene.notification(person);
    expect(sent).to.have.all.keys('status', 'attempts', 'sentAt', 'providerMessageId');
    expect(sent).to.include({ attempts: 1, providerMessageId: `<${id}@campus.test>` });
    expect(new Date(sent.sentAt)).to.be.within(before, scene.campus.clock.now());
  });

  it('is pending while every worker is busy', async () => {
    // Two batches that were handed to it directly, and two that it has looked for.
    const busy = await Promise.all(Array.from({ length: 4 }, () => scene.register()));
    const waiting = await scene.register();
    const release = holdMailTo(...busy);
    for (const person of busy) {
      await scene.notify([person], { channels: ['email'] });
      await scene.edge.smtp.waitFor(isTo(person));
    }

    await scene.notify([waiting], { channels: ['email'] });
    expect(await scene.delivery(waiting, 'email', 'pending')).to.include({ attempts: 0 });

    release();
    await scene.delivery(waiting, 'email', 'sent');
  });

  it('is told to the owner’s sockets each time it has been recorded', async () => {
    const person = await scene.register();
    const socket = await person.connect('/notifications');
    scene.edge.smtp.faults.next({ kind: 'status', status: 450 });
    await scene.notify([person], { channels: ['email'] });

    const isEmail = (status: string) => (notification: Json) => notification.channels.email?.status === status;
    const created = await socket.next('notification:new');
    expect(created.channels.email.status).to.equal('pending');
    const failed = await socket.next('notification:updated', isEmail('failed'));
    expect(failed).to.deep.equal(await scene.notification(person));
    expect(failed.channels.email).to.include({ attempts: 1, error: 'SMTP_450' });

    // The second attempt is held until the person, signed in again, listens again.
    const release = holdMailTo(person);
    await scene.advance(1.25, person);
    const again = await person.connect('/notifications');
    release();
    const sent = await again.next('notification:updated', isEmail('sent'));
    expect(sent.channels.email).to.include({ attempts: 2 }).and.to.not.have.any.keys('error', 'nextAttemptAt');
    person.disconnect();
  });

  it('is told when an attempt begins, too', async () => {
    const person = await scene.register();
    const socket = await person.connect('/notifications');
    const release = holdMailTo(person);
    await scene.notify([person], { channels: ['email'] });

    const sending = await socket.next(
      'notification:updated',
      ({ channels }: Json) => channels.email?.status === 'sending',
    );
    expect(sending.channels.email).to.include({ attempts: 1 });
    release();
    await socket.next('notification:updated', ({ channels }: Json) => channels.email?.status === 'sent');
    person.disconnect();
  });

  it('is dead, and told so, where the provider refuses for good', async () => {
    const person = await scene.register();
    const socket = await person.connect('/notifications');
    scene.edge.smtp.refuse(person.email);
    await scene.notify([person], { channels: ['email'] });

    const updated = await socket.next('notification:updated', ({ channels }) => channels.email.status === 'dead');
    expect(updated.channels.email).to.deep.equal({ status: 'dead', attempts: 1, error: 'SMTP_550' });
    person.disconnect();
  });

  it('is skipped where the last device went before its turn came', async () => {
    const person = await scene.register();
    const browser = await scene.browser(person);
    scene.edge.webPush.faults.next({ kind: 'status', status: 503 });
    await scene.notify([person], { channels: ['webPush'] });
    await scene.delivery(person, 'webPush', 'failed');
    await person.delete('/push/web', { endpoint: browser.endpoint });

    await scene.advance(1.25, person);
    const skipped = await scene.delivery(person, 'webPush', 'skipped');
    expect(skipped).to.deep.equal({ status: 'skipped', attempts: 2, reason: 'NO_DEVICE' });
  });
});
