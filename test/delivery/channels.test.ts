import { expect } from 'chai';
import { OUTSIDE, Scene, type UsualChannel } from './scene.js';

describe('The channels of a notification', () => {
  describe('that its recipient chose', () => {
    let scene: Scene;
    before(async () => {
      scene = await Scene.open();
    });
    after(() => scene.close());

    const arrivals = (): Record<UsualChannel, unknown[]> => ({
      email: scene.edge.smtp.received,
      webPush: scene.edge.webPush.received,
      mobilePush: scene.edge.fcm.received,
    });

    for (const off of OUTSIDE) {
      it(`do not include ${off} once it is switched off for the category`, async () => {
        for (const arrived of Object.values(arrivals())) arrived.length = 0;
        const [author, reader] = await Promise.all([scene.register(), scene.register()]);
        await Promise.all([scene.browser(author), scene.phone(author)]);
        await author.patch('/settings/notifications', { preferences: { social: { [off]: false } } });
        const postId = await author.publish();
        await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });

        const others = OUTSIDE.filter((channel) => channel !== off);
        const about = await scene.notification(author, ({ channels }) =>
          others.every((channel) => channels[channel].status === 'sent'),
        );
        expect(about.channels).to.have.all.keys('inApp', ...others);

        // Another category still goes there; what had been sent before it would have arrived before it.
        await scene.notify([author], { channels: [off], title: 'Marker' });
        await scene.delivery(author, off, 'sent');
        const counts = Object.fromEntries(Object.entries(arrivals()).map(([channel, { length }]) => [channel, length]));
        expect(counts).to.deep.equal({ email: 1, webPush: 1, mobilePush: 1 });
      });
    }

    it('do not include the app once that is switched off, and mail still comes', async () => {
      const [author, reader] = await Promise.all([scene.register(), scene.register()]);
      await author.patch('/settings/notifications', { preferences: { social: { inApp: false } } });
      const socket = await author.connect('/notifications');
      const postId = await author.publish();
      await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });

      await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(author.email));
      await scene.notify([author], { title: 'Marker' });
      expect((await socket.next('notification:new')).title).to.equal('Marker');
      expect((await author.get('/notifications')).body.data).to.have.length(1);
      author.disconnect();
    });
  });

  it('are skipped, with the reason, where no provider serves them', async () => {
    const scene = await Scene.open({ SMTP_URL: '', FCM_SERVICE_ACCOUNT: '' });
    try {
      const person = await scene.register();
      await Promise.all([scene.browser(person), scene.phone(person)]);
      await scene.notify([person], { channels: OUTSIDE });

      await scene.delivery(person, 'webPush', 'sent');
      const { channels } = await scene.notification(person);
      const skipped = { status: 'skipped', attempts: 0, reason: 'NO_PROVIDER' };
      expect(channels).to.deep.include({ inApp: { status: 'unread' }, email: skipped, mobilePush: skipped });
      expect(scene.edge.smtp.received).to.deep.equal([]);
      expect(scene.edge.fcm.received).to.deep.equal([]);
    } finally {
      await scene.close();
    }
  });
});
