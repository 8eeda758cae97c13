import { expect } from 'chai';
import { type Json } from '../../support/api.js';
import { LocalHttps, LOOPBACK } from '../../edge/loopback.js';
import { Campus } from '../../support/campus.js';
import { until } from '../../support/until.js';

const NONSENSE = '<html><script>alert(1)</script></html>';

describe('OWASP API10: unsafe consumption of APIs', () => {
  let campus: Campus;
  before(async () => {
    campus = await Campus.open();
  });
  after(() => campus.close());

  it('API10: a provider that answers nonsense harms nothing: it is no success, is shown to nobody, and the rest goes on', async () => {
    const api = await campus.startNode();
    const [author, reader] = [await api.register(), await api.register()];
    await author.post('/push/register', { token: 'a-phone-of-the-author', platform: 'ANDROID' });
    campus.edge.fcm.faults.when(() => true, { kind: 'status', status: 500, body: NONSENSE });
    const postId = await author.publish();
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });

    const told = await until(
      async () => (await author.get('/notifications')).body.data as Json[],
      (list) => list[0]?.channels.mobilePush?.status === 'failed' && list[0].channels.email?.status === 'sent',
    );
    expect(JSON.stringify(told)).to.not.include('script');
    expect((await author.get('/users/me')).status).to.equal(200);
  });

  it('API10: a push service that sends the server elsewhere is not followed', async () => {
    const asked: string[] = [];
    const service: LocalHttps = new LocalHttps(campus.edge.authority, [LOOPBACK], ({ path }) => {
      asked.push(path);
      const headers: Record<string, string> = { Location: `https://${LOOPBACK}:${service.port}/inside` };
      return Promise.resolve({ status: 307, headers });
    });
    await service.start(0);
    try {
      const api = await campus.startNode();
      const [author, reader] = [await api.register(), await api.register()];
      const { keys } = campus.edge.webPush.subscribe((await author.get('/push/vapid-key')).body.publicKey as string);
      const endpoint = `https://${LOOPBACK}:${service.port}/push`;
      expect((await author.post('/push/web', { endpoint, keys })).status).to.equal(204);
      const postId = await author.publish();
      await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
      const refused = await until(
        async () => (await author.get('/notifications')).body.data[0]?.channels.webPush,
        (delivery) => delivery?.status === 'dead',
      );
      expect(refused.error).to.equal('HTTP_307');
      expect(asked).to.deep.equal(['/push']);
    } finally {
      await service.stop();
    }
  });
});
