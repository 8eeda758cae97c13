import { expect } from 'chai';
import { createServer } from 'node:net';
import { listen } from '../edge/loopback.js';
import { type ReceivedMail } from '../edge/index.js';
import { Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { minutesUntil, Scene } from './scene.js';

const isTo =
  ({ email }: Person) =>
  ({ envelope }: ReceivedMail) =>
    envelope.to.includes(email);

describe('An e-mail that the mail server does not take', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  it('is tried after 1, 5 and 30 minutes and then given up', async () => {
    const person = await scene.register();
    scene.edge.smtp.faults.when(isTo(person), { kind: 'status', status: 451 });
    let before = scene.campus.clock.now();
    await scene.notify([person], { channels: ['email'] });

    for (const [index, minutes] of [1, 5, 30].entries()) {
      const failed = await scene.delivery(person, 'email', 'failed', index + 1);
      // A second or two pass while the test looks on; a fifth of the delay is jitter.
      expect(minutesUntil(failed, before)).to.be.within(minutes, minutes * 1.2 + 0.1);
      await scene.advance(minutes * 1.2 + 0.1, person);
      before = scene.campus.clock.now();
    }

    const dead = await scene.delivery(person, 'email', 'dead');
    expect(dead).to.deep.equal({ status: 'dead', attempts: 4, error: 'SMTP_451' });
    expect(scene.edge.smtp.rejected).to.have.length(4);
  });

  it('is given up at once where the recipient or the message is refused for good', async () => {
    const [unknown, refused, marker] = await Promise.all([scene.register(), scene.register(), scene.register()]);
    scene.edge.smtp.refuse(unknown.email);
    scene.edge.smtp.faults.when(isTo(refused), { kind: 'status', status: 554 });

    await scene.notify([unknown, refused, marker], { channels: ['email'] });

    expect(await scene.delivery(unknown, 'email', 'dead')).to.deep.include({ attempts: 1, error: 'SMTP_550' });
    expect(await scene.delivery(refused, 'email', 'dead')).to.deep.include({ attempts: 1, error: 'SMTP_554' });
    await scene.delivery(marker, 'email', 'sent');

    await scene.advance(40, marker);
    await scene.notify([marker], { channels: ['email'], title: 'Later' });
    await scene.edge.smtp.waitFor(({ subject }) => subject === 'Later');
    expect(scene.edge.smtp.rejected).to.have.length(2);
  });

  it('delays nobody on other channels while the server is down, and goes out when it is back', async () => {
    const [author, reader] = await Promise.all([scene.register(), scene.register()]);
    const [postId] = await Promise.all([author.publish(), scene.browser(author), scene.phone(author)]);
    const { port } = scene.edge.smtp;
    await scene.edge.smtp.stop();
    const socket = await author.connect('/notifications');

    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });

    const { id } = await socket.next('notification:new');
    await scene.edge.webPush.waitFor(({ topic }) => topic === id);
    await scene.edge.fcm.waitFor(({ message }) => message.data!['notificationId'] === id);
    expect(await scene.delivery(author, 'email', 'failed')).to.deep.include({ attempts: 1, error: 'ECONNREFUSED' });

    await scene.edge.smtp.start(port);
    author.disconnect();
    await scene.advance(1.25, author);
    await scene.edge.smtp.waitFor(isTo(author));
    expect(await scene.delivery(author, 'email', 'sent')).to.include({ attempts: 2 });
  });
});

describe('A mail server that nothing can be had from', () => {
  let campus: Campus;
  beforeEach(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
  });
  afterEach(() => campus.close());

  it('costs no mail its life when it turns everybody away at the door', async () => {
    const door = createServer((socket) => socket.end('554 no mail from this address today\r\n'));
    const port = await listen(door, 0);
    const scene = new Scene(campus, await campus.startNode({ env: { SMTP_URL: `smtp://127.0.0.1:${port}` } }));
    const person = await scene.register();
    await scene.notify([person], { channels: ['email'] });

    expect(await scene.delivery(person, 'email', 'failed')).to.deep.include({ attempts: 1, error: 'SMTP_554' });
    door.close();
  });
});
