import { expect } from 'chai';
import { MINUTE } from '../../src/core/clock.js';
import { type Heard, type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { LiveStream } from '../support/stream.js';

describe('A stream that was cut off', () => {
  let campus: Campus;
  let [api, elsewhere]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    elsewhere = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  /** Holds the mail server's answers to someone back until they are released. */
  const holdMailTo = (person: Person): (() => void) => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const end = campus.edge.smtp.onReceived(({ envelope, subject }) =>
      envelope.to.includes(person.email) && subject === 'Mailed' ? released : undefined,
    );
    return () => {
      release();
      end();
    };
  };
  const said = ({ heard }: { heard: Heard[] }) => heard.map(({ event, payload }) => ({ event, payload }));

  it('goes on with what became of deliveries while it was cut off, as sockets were told', async () => {
    const [owner, admin] = [await api!.register(), await api!.admin()];
    const release = holdMailTo(owner);
    const socket = await owner.on(elsewhere!).connect('/notifications');
    const stream = await LiveStream.open(owner);
    const notice = { userIds: [owner.id], type: 'SYSTEM', title: 'Mailed', body: 'x', channels: ['inApp', 'email'] };
    await admin.post('/notifications', notice);
    const isMail = (status: string) => (notification: Json) =>
      notification.title === 'Mailed' && notification.channels.email?.status === status;
    for (const client of [socket, stream]) await client.next('notification:updated', isMail('sending'));
    stream.cut();

    release();
    const told = await socket.next('notification:updated', isMail('sent'));
    const again = await LiveStream.open(owner.on(elsewhere!), { lastEventId: stream.lastEventId });
    expect(await again.next('notification:updated', isMail('sent'))).to.deep.equal(told);
    await again.next('unread-count', ({ count }) => count === 1);
    again.cut();

    // Once that is long ago, who has heard of it hears of it no more.
    campus.clock.advance(MINUTE);
    const up = await LiveStream.open(owner, { lastEventId: again.lastEventId });
    await up.next('unread-count');
    up.cut();
    campus.clock.advance(MINUTE);
    const last = await LiveStream.open(owner, { lastEventId: up.lastEventId });
    await last.next('unread-count');
    expect(said(last)).to.deep.equal([{ event: 'unread-count', payload: { count: 1 } }]);
    last.cut();
    owner.disconnect();
  });
});
