import { expect } from 'chai';
import { HOUR, later } from '../../src/core/clock.js';
import { type Listener } from '../../src/core/events/listener.js';
import { messageReacted } from '../../src/modules/chat/chat.events.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { until } from '../support/until.js';
import { isolated, MessageScene, type Pair } from './message-scene.js';

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

describe('A reaction to a message', function () {
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

  const pathOf = ({ conversationId, id }: Json) =>
    `/conversations/${conversationId as string}/messages/${id as string}/reactions`;
  const react = async (person: Person, message: Json, emoji = '👍') => {
    const { status, body } = await person.post(pathOf(message), { emoji });
    expect(status, JSON.stringify(body)).to.equal(200);
  };
  const takeBack = async (person: Person, message: Json) => {
    expect((await person.delete(pathOf(message))).status).to.equal(200);
  };
  /** Everybody's reactions of before are handled, as is one to this other message. */
  const handled = async () => {
    const { sara, omar, id } = await scene.pair();
    await react(omar, await say(sara, id, 'Marker'));
    await scene.only(sara, 'REACTION');
  };
  const beQuiet = (person: Person) => {
    const timeOfDay = (fromNow: number) => later(scene.campus.clock.now(), fromNow).toISOString().slice(11, 16);
    const spans = [{ days: DAYS, from: timeOfDay(-HOUR), to: timeOfDay(HOUR) }];
    return person.patch('/settings/notifications', { quietHours: { spans } });
  };
  /** Someone who has said something in a group with so many others. */
  const group = async (locale: 'en' | 'ar', ...names: string[]) => {
    const [author, ...others] = (await scene.people(
      { name: 'Author', locale },
      ...names.map((name) => ({ name })),
    )) as [Person, ...Person[]];
    const id = await converse(author, others, 'Team');
    return { author, others, id, message: await say(author, id, 'We did it') };
  };

  it('is told to its author, in the app at once, by mail and on the phone, and to nobody else', async () => {
    const { sara, omar, id } = await scene.pair();
    const message = await say(sara, id, 'We did it');
    const token = await scene.phone(sara);
    const socket = await sara.connect('/notifications');
    await react(omar, message, '🎉');
    const told = await socket.next('notification:new');
    expect(told).to.deep.include({
      ...{
        type: 'REACTION',
        category: 'social',
        count: 1,
        actorIds: [omar.id],
        title: `${isolated('Omar')} reacted to your message`,
      },
      ...{ body: `🎉 “${isolated('We did it')}”`, deepLink: `/conversations/${id}#message-${message.id as string}` },
      entity: { kind: 'message', id: message.id },
    });
    await scene.edge.fcm.waitFor(({ message: push }) => push.token === token);
    const [mail] = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(sara.email));
    expect(mail!.subject).to.equal(told.title);
    expect(mail!.text).to.contain('Open the conversation: ');
    await react(sara, message);
    await handled();
    expect(await scene.toldOf(omar, 'REACTION')).to.deep.equal([]);
    expect(await scene.toldOf(sara, 'REACTION')).to.have.length(1);
    sara.disconnect();
  });

  it('is told with the others as one, in the words and forms of the author’s language', async () => {
    for (const locale of ['en', 'ar'] as const) {
      const { author, others, message } = await group(locale, 'Omar', 'ليلى', 'Amal');
      const titles =
        locale === 'en'
          ? [
              ' reacted to your message',
              ' and 1 other reacted to your message',
              ' and 2 others reacted to your message',
            ]
          : [' مع رسالتك', ' وشخص آخر مع رسالتك', ' وشخصان آخران مع رسالتك'];
      for (const [index, other] of others.entries()) {
        await react(other, message);
        const { title } = await scene.only(author, 'REACTION', ({ count }) => count === index + 1);
        const name = isolated(['Omar', 'ليلى', 'Amal'][index]!);
        expect(title).to.equal(`${locale === 'en' ? name : `تفاعل ${name}`}${titles[index]!}`);
      }
      await takeBack(others[2]!, message);
      const { title } = await scene.only(author, 'REACTION', ({ count }) => count === 2);
      expect(title).to.contain(locale === 'en' ? 'and 1 other' : 'وشخص آخر');
    }
  });

  it('is told once, whatever it is changed to, by whichever node', async () => {
    const { sara, omar, id } = await scene.pair();
    const message = await say(sara, id, 'We did it');
    const elsewhere = await scene.campus.startNode({ env: { ROLE: 'api' } });
    const there = omar.on(elsewhere);
    const socket = await sara.connect('/notifications');
    await Promise.all(
      ['👍', '🎉', '😄'].flatMap((emoji) => [react(omar, message, emoji), react(there, message, emoji)]),
    );
    await react(there, message, '❤️');
    await handled();
    expect((await scene.only(sara, 'REACTION')).count).to.equal(1);
    expect(await scene.kept(sara, 'REACTION')).to.have.length(1);
    expect(socket.all('notification:new')).to.have.length(1);
    await takeBack(there, message);
    await socket.next('notification:withdrawn');
    await react(omar, message);
    await scene.only(sara, 'REACTION');
    expect(socket.all('notification:new')).to.have.length(1);
    sara.disconnect();
  });

  it('is gone from every device and not sent once it is taken back, or the message is deleted', async () => {
    const undoings: ((actor: Person, author: Person, message: Json) => Promise<unknown>)[] = [
      (actor, _author, message) => takeBack(actor, message),
      (_actor, author, message) => author.delete(pathOf(message).replace('/reactions', '?for=everyone')),
      (_actor, author, message) => author.delete(pathOf(message).replace('/reactions', '?for=me')),
    ];
    for (const undo of undoings) {
      const { sara, omar, id } = await scene.pair();
      await beQuiet(sara);
      const devices = [await sara.connect('/notifications'), await sara.connect('/notifications')];
      const message = await say(sara, id, 'We did it');
      await react(omar, message);
      const { id: told } = await devices[0]!.next('notification:new');
      await undo(omar, sara, message);
      for (const device of devices) {
        expect(await device.next('notification:withdrawn')).to.deep.equal({ id: told });
        await device.next('unread-count', ({ count }) => count === 0);
      }
      expect(await scene.toldOf(sara, 'REACTION')).to.deep.equal([]);
      const [kept] = await scene.kept(sara, 'REACTION');
      expect(kept.channels.email).to.deep.equal({ status: 'cancelled', attempts: 0, reason: 'UNDONE' });
      sara.disconnect();
    }
  });

  it('is gone where it has been read, too, when the message is deleted; the others of a group lose their line', async () => {
    const { author, others, message } = await group('en', 'Omar', 'Lina');
    for (const other of others) await react(other, message);
    const { id: told } = await scene.only(author, 'REACTION', ({ count }) => count === 2);
    await author.put(`/notifications/${told as string}/read`);
    await author.delete(pathOf(message).replace('/reactions', '?for=everyone'));
    await scene.none(author, 'REACTION');
  });

  it('calls nobody who has muted the conversation or whoever reacts, or has the message on the screen on any node', async () => {
    const pairs = await Promise.all(Array.from({ length: 4 }, () => scene.pair()));
    const [muted, mutedUser, looking, off] = pairs as [Pair, Pair, Pair, Pair];
    await muted.sara.put(`/conversations/${muted.id}/mute`, { until: '2100-01-01T00:00:00Z' });
    await mutedUser.sara.post('/settings/notifications/mutes', { kind: 'user', id: mutedUser.omar.id });
    const elsewhere = await scene.campus.startNode({ env: { ROLE: 'api' } });
    const screen = await looking.sara.on(elsewhere).connect('/messages');
    expect(await screen.ask('conversation:join', { conversationId: looking.id })).to.include({ ok: true });
    await off.sara.patch('/settings/notifications', { preferences: { social: { email: false, inApp: false } } });
    for (const { sara, omar, id } of pairs) await react(omar, await say(sara, id, 'We did it'));
    for (const [{ sara }, reason] of [
      [muted, 'MUTED'],
      [mutedUser, 'MUTED'],
      [looking, 'ON_SCREEN'],
    ] as const) {
      const { channels } = await scene.only(sara, 'REACTION');
      expect(channels.inApp).to.deep.equal({ status: 'read' });
      expect(channels.email).to.include({ status: 'skipped', reason });
      expect((await sara.get('/notifications/unread-count')).body).to.deep.equal({ count: 0 });
    }
    await handled();
    expect(await scene.kept(off.sara, 'REACTION')).to.deep.equal([]);
    screen.socket.disconnect();
  });

  it('is told to no author who has left, or for whom the message is not there, and is lost to who blocks whoever reacts', async () => {
    const { author, others, id, message } = await group('en', 'Omar', 'Lina');
    const [omar, lina] = others as [Person, Person];
    const ofOmar = [await say(omar, id, 'Mine'), await say(omar, id, 'Gone for me')];
    await omar.delete(pathOf(ofOmar[1]).replace('/reactions', '?for=me'));
    await react(lina, ofOmar[1]);
    await omar.post(`/conversations/${id}/leave`);
    await react(lina, ofOmar[0]);
    await react(lina, message);
    await scene.only(author, 'REACTION');
    await handled();
    expect(await scene.kept(omar, 'REACTION')).to.deep.equal([]);
    await author.post(`/users/${lina.id}/block`);
    await scene.none(author, 'REACTION');
  });

  it('is decided again when it is due: not sent to who has left or muted by then', async () => {
    const { author, others, id } = await group('en', 'Omar', 'Lina', 'Amal');
    const [omar, lina, amal] = others as [Person, Person, Person];
    for (const person of [omar, lina, amal]) await beQuiet(person);
    for (const person of [omar, lina, amal]) await react(author, await say(person, id, 'Mine'));
    for (const person of [omar, lina, amal]) await scene.only(person, 'REACTION');
    await omar.post(`/conversations/${id}/leave`);
    await lina.put(`/conversations/${id}/mute`, { until: '2100-01-01T00:00:00Z' });
    scene.campus.clock.advance(HOUR);
    const ends: [Person, string, string | undefined][] = [
      [omar, 'cancelled', 'HIDDEN'],
      [lina, 'skipped', 'MUTED'],
      [amal, 'sent', undefined],
    ];
    for (const [person, status, reason] of ends) {
      const [{ channels }] = (await until(
        () => scene.kept(person, 'REACTION'),
        ([kept]) => kept?.channels.email.status === status,
      )) as [Json];
      expect(channels.email.reason).to.equal(reason);
    }
  });

  it('is as it was though everything is handled a second time', async () => {
    const { author, others, message } = await group('en', 'Omar', 'Lina', 'Amal');
    const [omar, lina, amal] = others as [Person, Person, Person];
    await beQuiet(author);
    for (const person of [omar, lina, amal]) await react(person, message);
    await takeBack(lina, message);
    await scene.only(author, 'REACTION', ({ count }) => count === 2);
    await takeBack(amal, message);
    await react(amal, message, '🎉');
    await handled();
    const { body } = await author.get(
      pathOf(message)
        .replace('/reactions', '')
        .replace(/\/[^/]*$/, ''),
    );
    expect(body.data[0].reactions).to.have.length(2);
    const standing = await scene.kept(author, 'REACTION');
    await scene.campus.stopNodes();
    await scene.campus.forgetWhatWasHandled();
    const handledAgain: string[] = [];
    const witness: Listener = {
      name: 'witness',
      types: [messageReacted],
      handle: (events) => {
        handledAgain.push(...events.map(({ type }) => type));
        return Promise.resolve();
      },
    };
    scene = new MessageScene(scene.campus, await scene.campus.startNode({ listeners: [witness] }));
    await handled();
    expect(handledAgain).to.have.length.at.least(7);
    expect(await scene.kept(author, 'REACTION')).to.deep.equal(standing);
  });
});
