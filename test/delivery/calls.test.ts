import { expect } from 'chai';
import { SECOND } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { call, deviceOf, start } from '../support/callers.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

describe('A call, to someone whose app is closed', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.fcm.clear());
  after(() => scene.close());

  const pushOf = (type: string) =>
    scene.edge.fcm.waitFor(({ message }) => (message.data as { type: string }).type === type);
  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications')).body.data as Json[];
  const arrive = async () => {
    const [caller, callee] = await Promise.all([
      scene.register({ name: 'Bob' }),
      scene.register({ name: 'أمل', locale: 'ar' }),
    ]);
    await callee.patch('/settings/privacy', { call: 'everyone' });
    await scene.phone(callee, 'ANDROID');
    return { caller, callee };
  };

  it('wakes their phone for as long as it rings, and then tells them that they missed it', async () => {
    const { caller, callee } = await arrive();
    const from = await deviceOf(caller);
    const { id } = await call(from, 'start', { userIds: [callee.id], type: 'voice' });

    const [ring] = await pushOf('CALL_INCOMING');
    expect(ring!.message.notification!.title).to.match(/^يتصل بك .*Bob/u);
    expect(ring!.message['android']).to.deep.include({ priority: 'high', ttl: '30s' });
    expect(ring!.message.data).to.deep.include({ deepLink: '/calls' });
    expect(await listOf(callee)).to.deep.equal([]);

    scene.campus.clock.advance(30 * SECOND);
    const [missed] = await pushOf('CALL_MISSED');
    expect(missed!.message.notification!.title).to.match(/^فاتتك مكالمة من .*Bob/u);
    const [told] = await until(
      () => listOf(callee),
      ({ length }) => length > 0,
    );
    expect(told).to.deep.include({ type: 'CALL_MISSED', category: 'chat', actorIds: [caller.id] });
    expect(told.entity).to.deep.equal({ kind: 'call', id });
    caller.disconnect();
  });

  it('leaves nothing behind once it is answered', async () => {
    const { caller, callee } = await arrive();
    const [from, to] = [await deviceOf(caller), await deviceOf(callee)];
    const { id: callId } = await start(from, to);
    await pushOf('CALL_INCOMING');
    await call(to, 'accept', { callId });
    await call(from, 'end', { callId });
    const other = await scene.register();
    await other.post('/follow', { userId: callee.id });
    await until(
      () => listOf(callee),
      ({ length }) => length > 0,
    );
    expect((await listOf(callee)).map(({ type }) => type as string)).to.deep.equal(['FOLLOW']);
    const stored = await scene.campus.db
      .collection('notifications')
      .findOne({ type: 'CALL_INCOMING', 'entity.id': callId });
    expect(stored).to.have.property('withdrawn');
    for (const person of [caller, callee]) person.disconnect();
  });
});
