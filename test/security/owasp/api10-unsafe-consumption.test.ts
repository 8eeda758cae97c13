import { expect } from 'chai';
import { type Json } from '../../support/api.js';
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
});
