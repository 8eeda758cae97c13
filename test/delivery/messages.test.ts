import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { until } from '../support/until.js';
import { isolated, MessageScene, type Pair } from './message-scene.js';

describe('Messages to someone who is not looking', function () {
  // Ten minutes pass several times, and everybody signs in again.
  this.timeout(60_000);

  let scene: MessageScene;
  before(async () => {
    scene = await MessageScene.open();
  });
  afterEach(() => {
    scene.edge.fcm.clear();
    scene.edge.smtp.clear();
  });
  after(() => scene.close());

  const pushesTo = (token: string): Json[] => scene.pushesTo(token);
  const mailsTo = ({ email }: Person): Json[] =>
    scene.edge.smtp.received.filter(({ envelope }) => envelope.to.includes(email));
  const emailOf = (person: Person, fits: (delivery: Json) => boolean): Promise<Json> =>
    until(
      async () => (await scene.toldOf(person))[0]?.channels.email,
      (delivery) => delivery !== undefined && fits(delivery),
    );
  it('are told together after some seconds, in the app and on their phone', async () => {
    const { sara, omar, id } = await scene.pair();
    const token = await scene.phone(omar);
    const socket = await omar.connect('/notifications');
    const line = await scene.tell(sara, id, ['One', 'Two', 'Three'], omar, 3);
    expect(line).to.deep.include({
      ...{ type: 'MESSAGE', category: 'chat', count: 3, deepLink: `/conversations/${id}`, actorIds: [sara.id] },
      ...{ title: `3 messages from ${isolated('Sara')}`, body: `“${isolated('Three')}”` },
      entity: { kind: 'conversation', id },
    });
    expect(await socket.next('notification:new')).to.include({ id: line.id, count: 3 });
    await scene.edge.fcm.waitFor(({ message }) => message.token === token);
    expect(pushesTo(token).map(({ notification }) => notification.title as string)).to.deep.equal([line.title]);
    expect(await scene.toldOf(sara)).to.deep.equal([]);
    omar.disconnect();
  });

  it('join the line of those that are not read yet, and replace it on the phone', async () => {
    const { sara, omar, id } = await scene.pair();
    const token = await scene.phone(omar);
    const { id: first } = await scene.tell(sara, id, ['One'], omar, 1);
    await scene.edge.fcm.waitFor(({ message }) => message.token === token);
    const line = await scene.tell(sara, id, ['Two', 'Three'], omar, 3);
    expect(line.title).to.equal(`3 messages from ${isolated('Sara')}`);
    expect(await scene.toldOf(omar)).to.have.length(1);
    await scene.edge.fcm.waitFor(({ message }) => message.token === token, { count: 2 });
    const tags = pushesTo(token).map(({ android }) => android.notification.tag as string);
    expect(tags).to.deep.equal([first, first]);
    expect((await omar.get('/notifications/unread-count')).body).to.deep.equal({ count: 1 });
  });

  it('are told in the recipient’s language, with the forms it wants, and in groups by who wrote and where', async () => {
    const [sara, omar, amal] = (await scene.people(
      { name: 'سارة' },
      { name: 'Omar' },
      { name: 'أمل', locale: 'ar' },
    )) as [Person, Person, Person];
    const id = await converse(sara, [omar, amal], 'مشروع التخرّج');
    await say(sara, id, 'Where do we meet?');
    const line = await scene.tell(omar, id, ['عند المكتبة'], amal, 2);
    expect(line).to.deep.include({
      title: `رسالتان في ${isolated('مشروع التخرّج')}`,
      body: `${isolated('Omar')}: «${isolated('عند المكتبة')}»`,
    });
    // Who has written has read what was said before.
    expect(await scene.toldOf(omar)).to.deep.equal([]);
    expect((await scene.told(sara, 1)).title).to.equal(`New message in ${isolated('مشروع التخرّج')}`);
  });

  it('are not told to whoever has the conversation on the screen, on whatever node, as long as it is there', async () => {
    const { sara, omar, id } = await scene.pair();
    const elsewhere = await scene.campus.startNode({ env: { ROLE: 'api' } });
    const socket = await omar.on(elsewhere).connect('/messages');
    expect(await socket.ask('conversation:join', { conversationId: id })).to.include({ ok: true });
    const seen = await say(sara, id, 'Seen');
    await scene.allFollowed();
    // No note was taken of it, which is cheaper than to do away with it later.
    const news = scene.campus.db.collection('messageNews');
    expect(await news.countDocuments({ conversationId: new ObjectId(id) })).to.equal(0);
    await scene.soonAfter(seen);
    await scene.newsIsTold();
    expect(await scene.toldOf(omar)).to.deep.equal([]);
    expect(await socket.ask('conversation:leave', { conversationId: id })).to.deep.equal({ ok: true });
    const line = await scene.tell(sara, id, ['Not seen'], omar, 2);
    expect(line.body).to.equal(`“${isolated('Not seen')}”`);

    await socket.ask('conversation:join', { conversationId: id });
    socket.socket.disconnect();
    await until(
      () => scene.campus.db.collection('conversationOnlookers').countDocuments(),
      (count) => count === 0,
    );
    await scene.tell(sara, id, ['Gone by then'], omar, 3);
  });

  it('are not told where they are read, deleted or muted by then, or a block stands between the two', async () => {
    const conversations = await Promise.all(['read', 'delete', 'mute', 'block', 'answer'].map(() => scene.pair()));
    const [read, deleted, muted, blocked, answered] = conversations as [Pair, Pair, Pair, Pair, Pair];
    await muted.omar.put(`/conversations/${muted.id}/mute`, { until: '2100-01-01T00:00:00Z' });
    const said = await Promise.all(conversations.map(({ sara, id }) => say(sara, id, 'Hello')));
    expect((await read.omar.put(`/conversations/${read.id}/read`, { seq: 1 })).status).to.equal(204);
    const path = `/conversations/${deleted.id}/messages/${said[1]!.id as string}`;
    expect((await deleted.sara.delete(`${path}?for=everyone`)).status).to.equal(204);
    await blocked.omar.post(`/users/${blocked.sara.id}/block`);
    await say(answered.omar, answered.id, 'Hello yourself');
    const marker = await scene.pair();
    await scene.tell(marker.sara, marker.id, ['Marker'], marker.omar, 1);
    await scene.newsIsTold();
    for (const { omar } of conversations) expect(await scene.toldOf(omar)).to.deep.equal([]);
    expect((await scene.toldOf(answered.sara)).map(({ count }) => count as number)).to.deep.equal([1]);
  });

  it('are read in the app, live, and not mailed, once they are read in the conversation', async () => {
    const { sara, omar, id } = await scene.pair();
    const socket = await omar.connect('/notifications');
    const { id: told1 } = await scene.tell(sara, id, ['One', 'Two'], omar, 2);
    await omar.put(`/conversations/${id}/read`, { seq: 2 });
    const updated = await socket.next('notification:updated', ({ channels }) => channels.inApp.status === 'read');
    expect(updated.id).to.equal(told1);
    expect(updated.channels.email).to.include({ status: 'cancelled', reason: 'READ' });
    await socket.next('unread-count', ({ count }) => count === 0);
    await scene.tell(sara, id, ['Three'], omar, 1);
    await say(omar, id, 'I am here');
    await until(
      () => scene.toldOf(omar),
      (list) => list.every(({ channels }) => channels.inApp.status === 'read'),
    );
    omar.disconnect();
    await scene.pass(11, sara, omar);
    expect(mailsTo(omar)).to.deep.equal([]);
  });

  it('are counted without those that are read', async () => {
    const { sara, omar, id } = await scene.pair();
    await scene.tell(sara, id, ['1', '2', '3'], omar, 3);
    await scene.tell(sara, id, ['4', '5'], omar, 5);
    await omar.put(`/conversations/${id}/read`, { seq: 2 });
    expect((await scene.told(omar, 3)).title).to.equal(`3 messages from ${isolated('Sara')}`);
    await omar.put(`/conversations/${id}/read`, { seq: 4 });
    expect((await scene.told(omar, 1)).title).to.equal(`${isolated('Sara')} sent you a message`);
    await scene.tell(sara, id, ['6'], omar, 2);
    await omar.put(`/conversations/${id}/read`, { seq: 6 });
    await until(
      () => scene.toldOf(omar),
      (list) => list.every(({ channels }) => channels.inApp.status === 'read'),
    );
  });

  it('are mailed in one mail ten minutes after the first of them, unless they are read by then', async () => {
    const { sara, omar, id } = await scene.pair();
    await scene.tell(sara, id, ['One'], omar, 1);
    expect(await emailOf(omar, ({ status }) => status === 'pending')).to.include({ reason: 'UNREAD_DELAY' });
    await scene.pass(6, sara, omar);
    await scene.tell(sara, id, ['Two'], omar, 2);
    expect(mailsTo(omar)).to.deep.equal([]);
    await scene.pass(4, sara, omar);
    await emailOf(omar, ({ status }) => status === 'sent');
    expect(mailsTo(omar).map(({ subject }) => subject as string)).to.deep.equal([
      `2 messages from ${isolated('Sara')}`,
    ]);
  });

  it('are mailed with the digest of whoever has one, not before ten minutes are over', async () => {
    const { sara, omar, id } = await scene.pair();
    await omar.patch('/settings/notifications', { digest: 'hourly' });
    await scene.tell(sara, id, ['One'], omar, 1);
    expect(await emailOf(omar, ({ status }) => status === 'pending')).to.include({ reason: 'UNREAD_DELAY' });
    await scene.pass(11, sara, omar);
    await emailOf(omar, ({ reason }) => reason === 'DIGEST');
    await scene.pass(60, sara, omar);
    await emailOf(omar, ({ status }) => status === 'sent');
    expect(mailsTo(omar)).to.have.length(1);
  });

  it('are gone from what was told once they are deleted, and with the last of them all of it', async () => {
    const { sara, omar, id } = await scene.pair();
    const socket = await omar.connect('/notifications');
    const said = [await say(sara, id, 'One'), await say(sara, id, 'Two')];
    await scene.soonAfter(...said);
    await scene.told(omar, 2);
    said.push(await say(sara, id, 'Three'));
    await scene.soonAfter(...said);
    await scene.told(omar, 3);
    const remove = (index: number, whose = 'everyone', by = sara) =>
      by.delete(`/conversations/${id}/messages/${said[index]!.id as string}?for=${whose}`);
    await remove(1);
    expect(await scene.told(omar, 2)).to.include({ body: `“${isolated('Three')}”` });
    await remove(2);
    // That of before shows the line, whose words are gone.
    expect(await scene.told(omar, 1)).to.include({ title: `${isolated('Sara')} sent you a message`, body: '' });
    await remove(0, 'me', omar);
    await until(
      () => scene.toldOf(omar),
      ({ length }) => length === 0,
    );
    await socket.next('unread-count', ({ count }) => count === 0);
    const states = await scene.campus.db.collection('notifications').distinct('channels.email.status', {
      type: 'MESSAGE',
      'entity.id': id,
    });
    expect(states).to.deep.equal(['cancelled']);
    omar.disconnect();
  });

  it('are mailed to nobody who has left the group by then, was removed from it, or blocks who wrote', async () => {
    const [sara, ...others] = (await scene.people(
      ...['Sara', 'Leaves', 'Removed', 'Blocks', 'Stays'].map((name) => ({ name })),
    )) as [Person, ...Person[]];
    const [leaves, removed, blocks, stays] = others as [Person, Person, Person, Person];
    const id = await converse(sara, others, 'Team');
    await scene.soonAfter(await say(sara, id, 'Hello'));
    await Promise.all(others.map((person) => scene.told(person, 1)));
    expect((await leaves.post(`/conversations/${id}/leave`)).status).to.equal(204);
    expect((await sara.delete(`/conversations/${id}/members/${removed.id}`)).status).to.equal(204);
    for (const person of [leaves, removed]) await emailOf(person, ({ status }) => status === 'cancelled');
    await blocks.post(`/users/${sara.id}/block`);
    await scene.pass(11, ...others);
    await emailOf(stays, ({ status }) => status === 'sent');
    for (const person of [leaves, removed, blocks]) expect(mailsTo(person)).to.deep.equal([]);
    expect(mailsTo(stays)).to.have.length(1);
  });
});
