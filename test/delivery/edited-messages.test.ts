import { expect } from 'chai';
import { type Listener } from '../../src/core/events/listener.js';
import { messageEdited } from '../../src/modules/chat/chat.events.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { say } from '../support/chat.js';
import { until } from '../support/until.js';
import { edit, isolated, MessageScene, naming, pathOf } from './message-scene.js';

describe('What was told of a message that is edited', function () {
  // Ten minutes pass, hundreds are told, and further nodes start.
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

  /** Whatever follows from all edits has followed. */
  const noted = async () => {
    await scene.allFollowed();
    await until(
      () => scene.campus.db.collection('messageNews').countDocuments({ kind: 'reworded' }),
      (count) => count === 0,
    );
  };
  const bodyOf = async (person: Person, type = 'MESSAGE') => (await scene.toldOf(person, type))[0]?.body as string;

  it('says what it says now, live, in the app and in the mail that waits, and calls no phone again', async () => {
    const { sara, omar, id } = await scene.pair();
    const token = await scene.phone(omar);
    const socket = await omar.connect('/notifications');
    const said = await say(sara, id, 'The door code is 4711');
    await scene.soonAfter(said);
    const { id: told } = await scene.told(omar, 1);
    await scene.edge.fcm.waitFor(({ message }) => message.token === token);
    await edit(sara, said, 'أراك عند الباب');
    const updated = await socket.next('notification:updated', ({ body }) => body === `“${isolated('أراك عند الباب')}”`);
    expect(updated).to.include({ id: told, title: `${isolated('Sara')} sent you a message`, count: 1 });
    expect(updated.data).to.include({ excerpt: 'أراك عند الباب', messageId: said.id });
    expect(updated.channels.inApp.status).to.equal('unread');
    expect((await omar.get('/notifications/unread-count')).body).to.deep.equal({ count: 1 });
    omar.disconnect();
    await scene.pass(11, sara, omar);
    const [mail] = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(omar.email));
    expect(mail?.text).to.include('أراك عند الباب').and.not.include('4711');
    expect(scene.pushesTo(token)).to.have.length(1);
  });

  it('says so to each in their language, in a group by whom, and to whom it names', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const said = await say(sara, id, 'Look, Omar', naming(omar));
    await scene.soonAfter(said);
    await scene.only(omar, 'MENTION');
    await scene.told(amal, 1);
    await edit(sara, said, 'Look here, Omar');
    await scene.only(omar, 'MENTION', ({ body }) => body === `“${isolated('Look here, Omar')}”`);
    await scene.only(amal, 'MESSAGE', ({ body }) => body === `${isolated('Sara')}: «${isolated('Look here, Omar')}»`);
  });

  it('stays as it is where something newer is quoted, and says so once that is gone', async () => {
    const { sara, omar, id } = await scene.pair();
    const first = await say(sara, id, 'One');
    await scene.soonAfter(first);
    await scene.told(omar, 1);
    const second = await say(sara, id, 'Two');
    await scene.soonAfter(second);
    await scene.told(omar, 2);
    await edit(sara, first, 'One, of course');
    await noted();
    expect(await bodyOf(omar)).to.equal(`“${isolated('Two')}”`);
    await sara.delete(pathOf(second));
    expect((await scene.told(omar, 1)).body).to.equal(`“${isolated('One, of course')}”`);
  });

  it('is left alone where it was read, deleted for oneself, or taken back', async () => {
    const [read, hidden, deleted] = await Promise.all([scene.pair(), scene.pair(), scene.pair()]);
    const said = await Promise.all(
      [read, hidden, deleted].map(async ({ sara, id }) => {
        await say(sara, id, 'Before');
        return say(sara, id, 'Hello');
      }),
    );
    await scene.soonAfter(...said);
    await Promise.all([read, hidden, deleted].map(({ omar }) => scene.told(omar, 2)));
    await read.omar.put(`/conversations/${read.id}/read`, { seq: 2 });
    await scene.only(read.omar, 'MESSAGE', ({ channels }) => channels.inApp.status === 'read');
    await hidden.omar.delete(`${pathOf(said[1])}?for=me`);
    await scene.only(hidden.omar, 'MESSAGE', ({ body }) => body === '');
    const [{ id: told }] = (await scene.toldOf(deleted.omar)) as [Json];
    expect((await deleted.omar.delete(`/notifications/${told as string}`)).status).to.equal(204);
    for (const [index, { sara }] of [read, hidden, deleted].entries()) await edit(sara, said[index], 'Something else');
    await noted();
    expect(await bodyOf(read.omar)).to.equal(`“${isolated('Hello')}”`);
    expect(await bodyOf(hidden.omar)).to.equal('');
    expect(await scene.toldOf(deleted.omar)).to.deep.equal([]);
    expect((await scene.kept(deleted.omar, 'MESSAGE'))[0].body).to.equal(`“${isolated('Hello')}”`);
  });

  it('says what the message says in the end, however it is edited while it is told, on several nodes', async () => {
    const elsewhere = await scene.campus.startNode();
    const pairs = await Promise.all(Array.from({ length: 4 }, () => scene.pair()));
    const said = await Promise.all(pairs.map(({ sara, id }) => say(sara, id, 'First')));
    await scene.soonAfter(...said);
    await Promise.all(
      pairs.flatMap(({ sara }, index) =>
        Array.from({ length: 5 }, (_, time) => edit(time % 2 ? sara : sara.on(elsewhere), said[index], `Edit ${time}`)),
      ),
    );
    for (const [index, { sara }] of pairs.entries()) await edit(sara, said[index], 'Last');
    await noted();
    await scene.newsIsTold();
    for (const { omar } of pairs) {
      const line = await scene.only(omar, 'MESSAGE', ({ body }) => body === `“${isolated('Last')}”`);
      expect(line.count).to.equal(1);
    }
  });

  it('is not told again to whoever has blocked who edits it, or has left the group', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const said = await say(sara, id, 'Hello');
    await scene.soonAfter(said);
    for (const person of [omar, amal]) await scene.told(person, 1);
    await omar.post(`/users/${sara.id}/block`);
    await scene.none(omar, 'MESSAGE');
    expect((await amal.post(`/conversations/${id}/leave`)).status).to.equal(204);
    await scene.only(amal, 'MESSAGE', ({ channels }) => channels.inApp.status === 'read');
    const sockets = [await omar.connect('/notifications'), await amal.connect('/notifications')];
    await edit(sara, said, 'Something else');
    await noted();
    expect(await scene.toldOf(omar)).to.deep.equal([]);
    expect(await bodyOf(amal)).to.include('Hello');
    for (const socket of sockets) expect(socket.all('notification:updated')).to.deep.equal([]);
    for (const person of [omar, amal]) person.disconnect();
  });

  it('is looked for once for many edits that nobody has followed yet', async () => {
    const { sara, omar, id } = await scene.pair();
    const said = await say(sara, id, 'First');
    await scene.soonAfter(said);
    await scene.told(omar, 1);
    const ofEdits = { operationType: 'insert', 'fullDocument.kind': 'reworded' };
    const pieces = scene.campus.db.collection('messageNews').watch([{ $match: ofEdits }]);
    await pieces.tryNext();
    await scene.campus.stopNodes();
    const withoutWorkers = await scene.campus.startNode({ env: { ROLE: 'api' } });
    for (let time = 0; time < 20; time += 1) await edit(sara.on(withoutWorkers), said, `Edit ${time}`);
    scene = new MessageScene(scene.campus, await scene.campus.startNode());
    for (const person of [sara, omar]) Object.assign(person, { api: scene.api });
    await scene.only(omar, 'MESSAGE', ({ body }) => body === `“${isolated('Edit 19')}”`);
    await noted();
    let count = 0;
    while (await pieces.tryNext()) count += 1;
    await pieces.close();
    // The server may bring the edits in more than one answer.
    expect(count).to.be.within(1, 3);
  });

  it('says so to a group of hundreds, a page at a time, and changes nothing when it is handled again', async () => {
    const [sara, omar] = (await scene.people({ name: 'Sara' }, { name: 'Omar' })) as [Person, Person];
    const { db } = scene.campus;
    const id = await scene.multitude(sara, omar, 451);
    const said = await say(sara, id, 'Hello, all');
    await scene.soonAfter(said);
    await scene.newsIsTold();
    const saying = (words: string) =>
      db.collection('notifications').countDocuments({ 'entity.id': id, 'data.excerpt': words });
    expect(await saying('Hello, all')).to.equal(450);
    await edit(sara, said, 'Hello, all of you');
    await until(
      () => saying('Hello, all of you'),
      (count) => count === 450,
    );
    await noted();
    const positions = () => db.collection('notifications').distinct('position', { 'entity.id': id });
    const before = await positions();

    await scene.campus.stopNodes();
    await scene.campus.forgetWhatWasHandled();
    const handledAgain: unknown[] = [];
    const witness: Listener = {
      name: 'witness',
      types: [messageEdited],
      handle: (events) => {
        handledAgain.push(...events.map(({ data }) => (data as Json).id as string));
        return Promise.resolve();
      },
    };
    scene = new MessageScene(scene.campus, await scene.campus.startNode({ followers: [witness] }));
    await noted();
    expect(handledAgain).to.include(said.id);
    expect(await saying('Hello, all of you')).to.equal(450);
    expect(await positions()).to.deep.equal(before);
  });
});
