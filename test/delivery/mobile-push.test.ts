import { expect } from 'chai';
import { gate, Scene } from './scene.js';

describe('A notification on phones', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.fcm.clear());
  after(() => scene.close());

  it('reaches Android and iOS with everything their systems want to know', async () => {
    const [author, reader] = await Promise.all([scene.register(), scene.register({ name: 'Bob' })]);
    const tokens = await Promise.all([scene.phone(author, 'ANDROID'), scene.phone(author, 'IOS')]);
    const postId = await author.publish('Hello');

    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });

    const received = await scene.edge.fcm.waitFor(undefined, { count: 2 });
    const { id, title, body, createdAt } = await scene.notification(author);
    for (const { message, projectId, authorization } of received) {
      const { token, ...rest } = message;
      expect(tokens).to.include(token);
      expect(rest).to.deep.equal({
        notification: { title, body },
        data: { notificationId: id, type: 'REACTION', deepLink: `/posts/${postId}` },
        android: { collapse_key: id, priority: 'normal', ttl: '86400s', notification: { tag: id } },
        apns: {
          headers: {
            'apns-push-type': 'alert',
            'apns-collapse-id': id,
            'apns-priority': '10',
            'apns-expiration': String(Math.floor(Date.parse(createdAt) / 1_000) + 86_400),
          },
          payload: { aps: { sound: 'default', badge: 1, 'thread-id': `reaction:${postId}` } },
        },
      });
      expect(projectId).to.equal('atrium-local');
      expect(authorization).to.match(/^Bearer \S+$/);
    }
    expect(new Set(received.map(({ message }) => message.token))).to.deep.equal(new Set(tokens));
    const sent = await scene.delivery(author, 'mobilePush', 'sent');
    expect(sent.providerMessageId).to.match(/^projects\/atrium-local\/messages\//);
  });

  it('shows the number of unread ones on the badge', async () => {
    const person = await scene.register();
    await scene.phone(person, 'IOS');
    const badge = async (title: string): Promise<unknown> => {
      await scene.notify([person], { channels: ['mobilePush'], title });
      const [push] = await scene.edge.fcm.waitFor(({ message }) => message.notification!.title === title);
      await scene.delivery(person, 'mobilePush', 'sent');
      return (push!.message['apns'] as { payload: { aps: { badge: number } } }).payload.aps.badge;
    };

    expect(await badge('One')).to.equal(1);
    expect(await badge('Two')).to.equal(2);
    const { id } = await scene.notification(person);
    await person.put(`/notifications/${id}/seen`);
    expect(await badge('Three')).to.equal(3);
    await person.put('/notifications/read-all');
    expect(await badge('Four')).to.equal(1);
  });

  it('is cut to what a push may hold where its text is long, with its title on one line', async () => {
    const person = await scene.register({ locale: 'ar' });
    await scene.phone(person);
    const body = 'مرحبا 🎓'.padEnd(1_000, '🎓');
    await scene.notify([person], {
      channels: ['mobilePush'],
      title: 'إعلان\nمهم',
      body: body.slice(0, 14) + '𞺀'.repeat(980),
    });

    const [push] = await scene.edge.fcm.waitFor();
    expect(push!.message.notification!.title).to.equal('إعلان مهم');
    expect(push!.message.notification!.body).to.match(/^مرحبا .*…$/u);
    expect(Array.from(push!.message.notification!.body!).length).to.be.greaterThan(800);
    await scene.delivery(person, 'mobilePush', 'sent');
  });

  it('reaches 1,200 phones in calls of at most 500, each phone once', async () => {
    // All of one notification, which one sender claims. Two calls are made at once: while a push of each is not answered,
    // both hold up the third.
    const [person] = await scene.crowd(1, { phones: 1_200 });
    const [other] = await scene.crowd(1, { browsers: 1 });
    const { open, opened } = gate();
    const held = new Set([person!.tokens[0], person!.tokens[600]]);
    scene.edge.fcm.onReceived(({ message }) => (held.has(message.token) ? opened : undefined));

    const batchId = await scene.notify([person!], { channels: ['mobilePush'] });
    await scene.edge.fcm.waitFor(undefined, { count: 1_000 });
    await scene.notify([other!], { channels: ['webPush'], title: 'Meanwhile' });
    await scene.edge.webPush.waitFor(({ endpoint }) => endpoint === other!.endpoints[0]);
    expect(scene.edge.fcm.received).to.have.length(1_000);
    open();
    await scene.allSent(batchId, ['mobilePush']);

    const { received } = scene.edge.fcm;
    expect(received).to.have.length(1_200);
    expect(new Set(received.map(({ message }) => message.token))).to.deep.equal(new Set(person!.tokens));
    expect(received[1_199]!.at.getTime() - received[999]!.at.getTime()).to.be.lessThan(10_000);
  });
});
