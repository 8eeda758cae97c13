import { expect } from 'chai';
import { type Listener } from '../../src/core/events/listener.js';
import {
  messageDeleted,
  messageMentionsChanged,
  messageSent,
  receiptsAdvanced,
} from '../../src/modules/chat/chat.events.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { until } from '../support/until.js';
import { isolated, MessageScene, naming, pathOf } from './message-scene.js';

const FOREVER = { until: '2100-01-01T00:00:00Z' };

describe('Being named in a message', function () {
  // Ten minutes pass, and everybody signs in again.
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

  it('is told by itself, and the message is none of those that are told as one', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const tokens = [await scene.phone(omar), await scene.phone(amal)];
    const said = [
      await say(sara, id, 'One'),
      await say(sara, id, 'Look at this', naming(omar)),
      await say(sara, id, 'Two'),
    ];
    await scene.soonAfter(...said);
    const mention = await scene.only(omar, 'MENTION');
    expect(mention).to.deep.include({
      ...{ category: 'social', count: 1, actorIds: [sara.id], body: `“${isolated('Look at this')}”` },
      ...{ title: `${isolated('Sara')} mentioned you in ${isolated('Team')}` },
      ...{
        deepLink: `/conversations/${id}#message-${said[1]!.id as string}`,
        entity: { kind: 'message', id: said[1]!.id },
      },
    });
    expect(await scene.told(omar, 2)).to.include({ title: `2 messages in ${isolated('Team')}` });
    expect((await scene.told(amal, 3)).title).to.equal(`٣ رسائل في ${isolated('Team')}`);
    expect(await scene.toldOf(amal, 'MENTION')).to.deep.equal([]);
    await scene.edge.fcm.waitFor(({ message }) => message.token === tokens[0], { count: 2 });
    await scene.edge.fcm.waitFor(({ message }) => message.token === tokens[1]);
    expect(scene.pushesTo(tokens[0]!).map(({ notification }) => notification.title as string)).to.have.members([
      mention.title,
      `2 messages in ${isolated('Team')}`,
    ]);
    expect(scene.pushesTo(tokens[1]!)).to.have.length(1);
  });

  it('is told in the language of whoever is named, between two and in a group without a title', async () => {
    const { sara, omar, amal } = await scene.trio();
    const two = await converse(sara, [amal]);
    const untitled = await converse(sara, [omar, amal]);
    await scene.soonAfter(await say(sara, two, 'أهلاً', naming(amal)));
    expect(await scene.only(amal, 'MENTION')).to.deep.include({
      ...{ title: `أشار ${isolated('Sara')} إليك في رسالة`, body: `«${isolated('أهلاً')}»` },
    });
    expect(await scene.toldOf(amal)).to.deep.equal([]);
    await scene.soonAfter(await say(sara, untitled, 'Hello', naming(omar)));
    expect((await scene.only(omar, 'MENTION')).title).to.equal(
      `${isolated('Sara')} mentioned you in a group conversation`,
    );
  });

  it('is told to who has muted the conversation, and only listed to who has muted whoever names them', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    for (const person of [omar, amal]) await person.put(`/conversations/${id}/mute`, FOREVER);
    await amal.post('/settings/notifications/mutes', { kind: 'user', id: sara.id });
    const two = await scene.pair();
    await two.omar.put(`/conversations/${two.id}/mute`, FOREVER);
    await scene.soonAfter(
      await say(sara, id, 'To all'),
      await say(sara, id, 'To both', naming(omar, amal)),
      await say(two.sara, two.id, 'To you', naming(two.omar)),
    );
    expect((await scene.only(omar, 'MENTION')).channels.inApp).to.deep.equal({ status: 'unread' });
    expect((await scene.only(two.omar, 'MENTION')).channels.inApp).to.deep.equal({ status: 'unread' });
    expect((await scene.only(amal, 'MENTION')).channels).to.deep.include({
      ...{ inApp: { status: 'read' }, email: { status: 'skipped', attempts: 0, reason: 'MUTED' } },
    });
    await scene.newsIsTold();
    for (const person of [omar, amal, two.omar]) expect(await scene.toldOf(person)).to.deep.equal([]);
  });

  it('is not told to who has read it, left, been blocked or looks on by then, on whatever node, nor to its author', async () => {
    const people = (await scene.people(
      ...['Sara', 'Reads', 'Leaves', 'Looks', 'Blocks', 'Hides', 'Stays'].map((name) => ({ name })),
    )) as [Person, ...Person[]];
    const [sara, ...others] = people;
    const [reads, leaves, looks, blocks, hides, stays] = others as [Person, Person, Person, Person, Person, Person];
    const id = await converse(sara, others, 'Team');
    const elsewhere = await scene.campus.startNode({ env: { ROLE: 'api' } });
    const screen = await looks.on(elsewhere).connect('/messages');
    expect(await screen.ask('conversation:join', { conversationId: id })).to.include({ ok: true });
    const said = await say(sara, id, 'All of you', naming(...people));
    const gone = await say(sara, id, 'Not so', naming(...people));
    await sara.delete(`${pathOf(gone)}?for=everyone`);
    await reads.put(`/conversations/${id}/read`, { seq: 2 });
    await leaves.post(`/conversations/${id}/leave`);
    await hides.delete(`${pathOf(said)}?for=me`);
    await blocks.post(`/users/${sara.id}/block`);
    await scene.soonAfter(said);
    expect((await scene.only(stays, 'MENTION')).data.messageId).to.equal(said.id);
    await scene.newsIsTold();
    for (const person of [sara, reads, leaves, looks, blocks, hides]) {
      expect(await scene.toldOf(person, 'MENTION'), person.email).to.deep.equal([]);
    }
    screen.socket.disconnect();
  });

  it('is read, live, and not mailed, once the conversation is read up to there, and mailed after ten minutes else', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const socket = await omar.connect('/notifications');
    const said = await say(sara, id, 'Look', naming(omar, amal));
    await scene.soonAfter(said, await say(sara, id, 'More'));
    const { id: told } = await scene.only(omar, 'MENTION');
    await omar.put(`/conversations/${id}/read`, { seq: 1 });
    const updated = await socket.next('notification:updated', (each) => each.channels.inApp.status === 'read');
    expect(updated.id).to.equal(told);
    expect(updated.channels.email).to.include({ status: 'cancelled', reason: 'READ' });
    await socket.next('unread-count', ({ count }) => count === 1);
    omar.disconnect();
    await scene.only(amal, 'MENTION');
    await amal.put('/notifications/read-all');
    const { omar: late, sara: by, id: other } = await scene.pair();
    await scene.soonAfter(await say(by, other, 'Look', naming(late)));
    expect((await scene.only(late, 'MENTION')).channels.email).to.include({ reason: 'UNREAD_DELAY' });
    await scene.pass(11, sara, omar, amal, late);
    const mails = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(late.email));
    expect(mails.map(({ subject }) => subject)).to.deep.equal([`${isolated('Sara')} mentioned you in a message`]);
    const toOthers = scene.edge.smtp.received.filter(({ envelope, subject }) =>
      [omar, amal].some(({ email }) => envelope.to.includes(email) && subject?.includes('mentioned') === true),
    );
    expect(toOthers).to.deep.equal([]);
  });

  it('is gone with the message, read or not, and from who deletes it for themself', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const said = [await say(sara, id, 'One', naming(omar, amal)), await say(sara, id, 'Two', naming(omar))];
    await scene.soonAfter(...said);
    await scene.only(amal, 'MENTION');
    await until(
      () => scene.toldOf(omar, 'MENTION'),
      ({ length }) => length === 2,
    );
    const socket = await omar.connect('/notifications');
    await omar.put('/notifications/read-all');
    await amal.delete(`${pathOf(said[0])}?for=me`);
    await scene.none(amal, 'MENTION');
    expect(await scene.toldOf(omar, 'MENTION')).to.have.length(2);
    for (const message of said) {
      await sara.delete(`${pathOf(message)}?for=everyone`);
      await socket.next('notification:withdrawn');
    }
    await scene.none(omar, 'MENTION');
    const states = (await scene.kept(omar, 'MENTION')).map(({ channels }) => channels.email.status as string);
    expect(states).to.deep.equal(['cancelled', 'cancelled']);
    omar.disconnect();
  });

  it('is as it was though everything is handled a second time', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const edit = (message: Json, ...people: Person[]) =>
      sara.patch(pathOf(message), { body: 'Edited', ...naming(...people) });
    const said = [
      await say(sara, id, 'Stays', naming(omar)),
      await say(sara, id, 'Deleted', naming(omar)),
      await say(sara, id, 'To Amal instead', naming(omar)),
      await say(sara, id, 'Among others'),
      await say(sara, id, 'Read before it names', naming(amal)),
    ];
    await scene.soonAfter(...said);
    await until(
      () => scene.toldOf(omar, 'MENTION'),
      ({ length }) => length === 3,
    );
    await sara.delete(`${pathOf(said[1])}?for=everyone`);
    await edit(said[2], amal);
    await omar.put(`/conversations/${id}/read`, { seq: 5 });
    await edit(said[4], omar);
    await scene.soonAfter(await say(sara, id, 'After all of it'));
    await scene.newsIsTold();
    await until(
      () => scene.toldOf(omar, 'MENTION'),
      (told) => told.map(({ channels }) => channels.inApp.status as string).join() === 'unread,read',
    );
    const people = [omar, amal];
    const standing = async () =>
      (
        await Promise.all(
          people.map(async (each) => [await scene.kept(each, 'MENTION'), await scene.kept(each, 'MESSAGE')]),
        )
      )
        .flat(2)
        .map(({ _id, title, body, data, channels, withdrawn, unreadIn, eventIds }) => ({
          ...{ _id, title, body, data, withdrawn, unreadIn, eventIds, inApp: channels.inApp },
        }));
    const before = await standing();
    await scene.campus.stopNodes();
    await scene.campus.forgetWhatWasHandled();
    const handledAgain: string[] = [];
    const witness: Listener = {
      name: 'witness',
      types: [messageSent, messageDeleted, messageMentionsChanged, receiptsAdvanced],
      handle: (events) => {
        handledAgain.push(...events.map(({ type }) => type));
        return Promise.resolve();
      },
    };
    scene = new MessageScene(scene.campus, await scene.campus.startNode({ followers: [witness] }));
    const marker = await scene.pair();
    await scene.tell(marker.sara, marker.id, ['Marker'], marker.omar, 1);
    await scene.newsIsTold();
    expect(handledAgain).to.include.members(['message.sent', 'message.deleted', 'receipts.advanced']);
    expect(handledAgain.filter((type) => type === 'message.mentions-changed')).to.have.length.at.least(2);
    expect(await standing()).to.deep.equal(before);
  });
});
