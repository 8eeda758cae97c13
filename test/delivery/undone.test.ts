import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, later, MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { gate, Scene } from './scene.js';

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

describe('What was told of something that is then undone', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  /** Each as its actor does it to its recipient; what it answers with undoes it. */
  type Undo = () => Promise<unknown>;
  const CAUSES: Record<string, (actor: Person, recipient: Person) => Promise<Undo>> = {
    async REACTION(actor, recipient) {
      const path = `/posts/${await recipient.publish()}/react`;
      await actor.post(path, { type: 'LIKE' });
      return () => actor.delete(path);
    },
    async COMMENT(actor, recipient) {
      const path = `/posts/${await recipient.publish()}/comments`;
      const { body } = await actor.post(path, { content: 'Rash words' });
      return () => actor.delete(`${path}/${body.id as string}`);
    },
    async CONNECTION_REQUEST(actor, recipient) {
      const { body } = await actor.post('/connections', { userId: recipient.id });
      return () => actor.delete(`/connections/${body.id as string}`);
    },
    async CONNECTION_ACCEPTED(actor, recipient) {
      const { body } = await recipient.post('/connections', { userId: actor.id });
      await actor.put(`/connections/${body.id as string}/accept`);
      return () => recipient.delete(`/connections/${body.id as string}`);
    },
    async FOLLOW(actor, recipient) {
      await actor.post('/follow', { userId: recipient.id });
      return () => actor.delete('/follow', { userId: recipient.id });
    },
  };

  const timeOfDay = (fromNow: number): string => later(scene.campus.clock.now(), fromNow).toISOString().slice(11, 16);
  const beQuiet = (person: Person) => {
    const spans = [{ days: DAYS, from: timeOfDay(-HOUR), to: timeOfDay(HOUR) }];
    return person.patch('/settings/notifications', { quietHours: { spans } });
  };
  const stored = (id: string): Promise<Json> =>
    scene.campus.db.collection('notifications').findOne({ _id: new ObjectId(id) });
  const emailOf = async (id: string): Promise<Json> => (await stored(id)).channels.email;
  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications')).body.data as Json[];
  const unreadCount = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  const pair = () => Promise.all([scene.register(), scene.register()]);
  const isTo =
    ({ email }: Person) =>
    ({ envelope }: { envelope: { to: string[] } }) =>
      envelope.to.includes(email);

  for (const [type, cause] of Object.entries(CAUSES)) {
    it(`is gone from every device, and not sent where it waits (${type})`, async () => {
      const [actor, recipient] = await pair();
      await beQuiet(recipient);
      const devices = [await recipient.connect('/notifications'), await recipient.connect('/notifications')];
      const undo = await cause(actor, recipient);
      const { id } = await devices[0]!.next('notification:new', (told) => told.type === type);
      await devices[1]!.next('unread-count', ({ count }) => count === 1);
      await undo();
      for (const device of devices) {
        expect(await device.next('notification:withdrawn')).to.deep.equal({ id });
        await device.next('unread-count', ({ count }) => count === 0);
      }
      expect(await listOf(recipient)).to.deep.equal([]);
      expect(await unreadCount(recipient)).to.equal(0);
      expect((await recipient.put(`/notifications/${id as string}/read`)).status).to.equal(404);
      expect(await emailOf(id as string)).to.deep.equal({ status: 'cancelled', attempts: 0, reason: 'UNDONE' });
      recipient.disconnect();
    });
  }

  it('stays sent where it was sent, and gets no second attempt where one has failed', async () => {
    const [actor, recipient] = await pair();
    const undoFirst = await CAUSES['COMMENT']!(actor, recipient);
    const first = await scene.notification(recipient, ({ channels }) => channels.email.status === 'sent');
    scene.edge.smtp.faults.next({ kind: 'status', status: 450 });
    const undoSecond = await CAUSES['COMMENT']!(actor, recipient);
    const second = await scene.notification(recipient, ({ channels }) => channels.email.status === 'failed');
    await Promise.all([undoFirst(), undoSecond()]);
    await until(
      () => listOf(recipient),
      ({ length }) => length === 0,
    );
    expect(await emailOf(first.id as string)).to.include({ status: 'sent' });
    expect(await emailOf(second.id as string)).to.deep.equal({ status: 'cancelled', attempts: 1, reason: 'UNDONE' });
  });

  it('is sent no second time where it is undone in the hands of a worker whose attempt fails', async () => {
    const [actor, recipient] = await pair();
    const { open, opened } = gate();
    scene.edge.smtp.onReceived((mail) => (isTo(recipient)(mail) ? opened : undefined));
    scene.edge.smtp.faults.next({ kind: 'accept-and-reset' });
    const undo = await CAUSES['COMMENT']!(actor, recipient);
    await scene.edge.smtp.waitFor(isTo(recipient));
    const { id } = await scene.notification(recipient);
    await undo();
    await until(
      () => listOf(recipient),
      ({ length }) => length === 0,
    );
    expect(await emailOf(id as string)).to.include({ status: 'sending' });
    open();
    await until(
      () => emailOf(id as string),
      ({ status }) => status === 'failed',
    );
    scene.campus.clock.advance(2 * MINUTE);
    const given = await until(
      () => emailOf(id as string),
      ({ status }) => status !== 'failed' && status !== 'sending',
    );
    expect(given).to.include({ status: 'cancelled', reason: 'UNDONE' });
    expect(scene.edge.smtp.received.filter(isTo(recipient))).to.have.length(1);
  });

  it('is back where it is done again: as it was, in the words of now, without a second call', async () => {
    const [actor, recipient] = await pair();
    const socket = await recipient.connect('/notifications');
    const path = `/posts/${await recipient.publish()}/react`;
    await actor.post(path, { type: 'LIKE' });
    const { id } = await scene.notification(recipient, ({ channels }) => channels.email.status === 'sent');
    await recipient.put(`/notifications/${id as string}/seen`);
    await actor.delete(path);
    await socket.next('notification:withdrawn');
    await actor.post(path, { type: 'LOVE' });
    const [back, ...others] = (await until(
      () => listOf(recipient),
      ({ length }) => length > 0,
    )) as [Json];
    expect(others).to.deep.equal([]);
    expect(back).to.deep.include({ id, data: { excerpt: 'Hello, campus', reaction: 'LOVE' } });
    expect(back.body).to.include('❤️');
    expect(back.channels).to.deep.include({ inApp: { status: 'seen' } });
    expect(await unreadCount(recipient)).to.equal(1);
    await socket.next('notification:updated', (updated) => updated.data.reaction === 'LOVE');
    expect(socket.all('notification:new')).to.have.length(1);
    // A later mail is there, and no second one of these.
    await scene.notify([recipient], { channels: ['email'], title: 'Marker' });
    await scene.edge.smtp.waitFor((mail) => isTo(recipient)(mail) && mail.subject === 'Marker');
    expect(scene.edge.smtp.received.filter(isTo(recipient))).to.have.length(2);
    recipient.disconnect();
  });

  it('is sent after all where it had not been when it was done again', async () => {
    const [actor, recipient] = await pair();
    await beQuiet(recipient);
    const path = `/posts/${await recipient.publish()}/react`;
    await actor.post(path, { type: 'LIKE' });
    const { id } = await scene.notification(recipient);
    await actor.delete(path);
    await until(
      () => emailOf(id as string),
      ({ status }) => status === 'cancelled',
    );
    await actor.post(path, { type: 'LIKE' });
    // It is decided again, and it is quiet still.
    await until(
      () => emailOf(id as string),
      ({ status, reason }) => status === 'pending' && reason === 'QUIET_HOURS',
    );
    scene.campus.clock.advance(HOUR);
    await until(
      () => emailOf(id as string),
      ({ status }) => status === 'sent',
    );
    expect(scene.edge.smtp.received.filter(isTo(recipient))).to.have.length(1);
  });

  it('is there in the end if its cause is, however often that is done and undone at once', async () => {
    const [actor, recipient] = await pair();
    await beQuiet(recipient);
    const postId = await recipient.publish();
    const path = `/posts/${postId}/react`;
    for (const last of ['POST', 'DELETE'] as const) {
      await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          index % 2 ? actor.delete(path) : actor.post(path, { type: index % 4 ? 'LIKE' : 'LOVE' }),
        ),
      );
      await (last === 'POST' ? actor.post(path, { type: 'FUNNY' }) : actor.delete(path));
      // What comes after all of it in the stream is told after all of it.
      await actor.post(`/posts/${postId}/comments`, { content: `after ${last}` });
      await scene.notification(recipient, ({ data }) => data.excerpt === `after ${last}`);
      const types = (await listOf(recipient)).map(({ type }) => type as string);
      expect(types.filter((type) => type === 'REACTION')).to.have.length(last === 'POST' ? 1 : 0);
    }
  });

  it('is as it was though everything is handled a second time', async () => {
    const [actor, recipient] = await pair();
    await beQuiet(recipient);
    const [gone, back] = [await recipient.publish('Gone'), await recipient.publish('Back')];
    for (const postId of [gone, back]) {
      await actor.post(`/posts/${postId}/react`, { type: 'LIKE' });
      await scene.notification(recipient, ({ data }) => data.excerpt === (postId === gone ? 'Gone' : 'Back'));
      await actor.delete(`/posts/${postId}/react`);
      await until(
        () => listOf(recipient),
        ({ length }) => length === 0,
      );
    }
    await actor.post(`/posts/${back}/react`, { type: 'LIKE' });
    await until(
      () => listOf(recipient),
      ({ length }) => length === 1,
    );
    const { campus } = scene;
    const all = () =>
      campus.db
        .collection('notifications')
        .find(
          { userId: new ObjectId(recipient.id), type: 'REACTION' },
          { projection: { 'channels.email': 0, toldAt: 0 } },
        )
        .toArray();
    const before = await all();
    await campus.stopNodes();
    await campus.forgetWhatWasHandled();
    const again = new Scene(campus, await campus.startNode({ env: SWEPT_OFTEN }));
    const marker = { content: 'Marker' };
    await actor.on(again.api).post(`/posts/${back}/comments`, marker);
    await again.notification(recipient.on(again.api), ({ data }) => data.excerpt === 'Marker');
    expect(await all()).to.deep.equal(before);
  });
});
