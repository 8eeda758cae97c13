import { expect } from 'chai';
import { type Person } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { until } from '../support/until.js';
import { edit, isolated, MessageScene, naming, pathOf, SOON } from './message-scene.js';

const FOREVER = { until: '2100-01-01T00:00:00Z' };

describe('Being named in a message since it was edited', function () {
  this.timeout(60_000);

  let scene: MessageScene;
  before(async () => {
    scene = await MessageScene.open();
  });
  afterEach(() => scene.edge.fcm.clear());
  after(() => scene.close());

  const unreadCount = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  const soonAfterEdit = async () => {
    await scene.allFollowed();
    scene.campus.clock.advance(SOON);
  };

  it('is told to those alone who were not named before, and taken back from those who are named no longer', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const said = await say(sara, id, 'Look', naming(omar));
    await scene.soonAfter(said);
    const { id: told } = await scene.only(omar, 'MENTION');
    const [ofOmar, ofAmal] = [await omar.connect('/notifications'), await amal.connect('/notifications')];
    await scene.told(amal, 1);
    await edit(sara, said, 'Look, you two', naming(omar, amal));
    await soonAfterEdit();
    const ofNew = await ofAmal.next('notification:new', ({ type }) => type === 'MENTION');
    expect(ofNew).to.include({ title: `أشار ${isolated('Sara')} إليك في ${isolated('Team')}` });
    expect(ofNew.body).to.equal(`«${isolated('Look, you two')}»`);
    // What was told of the message among others is told by itself now.
    await scene.none(amal, 'MESSAGE');
    expect(await unreadCount(amal)).to.equal(1);
    // Without a word of it they stay.
    await edit(sara, said, 'Look, both of you');
    await edit(sara, said, 'Look, Amal', naming(amal));
    expect(await ofOmar.next('notification:withdrawn')).to.deep.equal({ id: told });
    await scene.none(omar, 'MENTION');
    await edit(sara, said, 'And Omar', naming(omar, amal));
    await soonAfterEdit();
    const back = await scene.only(omar, 'MENTION');
    expect(back).to.include({ id: told, body: `“${isolated('And Omar')}”` });
    expect(ofOmar.all('notification:new')).to.deep.equal([]);
    expect(ofAmal.all('notification:new').filter(({ type }) => type === 'MENTION')).to.have.length(1);
    expect(await scene.kept(amal, 'MENTION')).to.have.length(1);
    for (const person of [omar, amal]) person.disconnect();
  });

  it('calls no phone again that the same message has called, and every other', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    await amal.put(`/conversations/${id}/mute`, FOREVER);
    const [ofOmar, ofAmal] = [await scene.phone(omar), await scene.phone(amal)];
    const said = await say(sara, id, 'Look');
    await scene.soonAfter(said);
    await until(
      () => scene.kept(omar, 'MESSAGE'),
      ([first]) => first?.channels.mobilePush.status === 'sent',
    );
    await edit(sara, said, 'Look, you two', naming(omar, amal));
    await soonAfterEdit();
    expect((await scene.only(omar, 'MENTION')).channels).to.have.all.keys('inApp', 'email');
    await scene.edge.fcm.waitFor(({ message }) => message.token === ofAmal);
    expect(scene.pushesTo(ofOmar)).to.have.length(1);
    // The mail of before waits for nobody any more, and that of now for who does not read on.
    expect((await scene.kept(omar, 'MESSAGE'))[0].channels.email).to.include({ status: 'cancelled' });
  });

  it('is told to who had read it before, and is read when they read on', async () => {
    const { sara, omar, id } = await scene.trio();
    const said = await say(sara, id, 'Look');
    await omar.put(`/conversations/${id}/read`, { seq: 1 });
    await edit(sara, said, 'Look, Omar', naming(omar));
    await soonAfterEdit();
    await scene.only(omar, 'MENTION', ({ channels }) => channels.inApp.status === 'unread');
    await say(sara, id, 'More');
    await omar.put(`/conversations/${id}/read`, { seq: 2 });
    await scene.only(omar, 'MENTION', ({ channels }) => channels.inApp.status === 'read');
  });

  it('is told to nobody who looks on, has left, or must not hear of who edits it', async () => {
    const people = await scene.people(...['Sara', 'Looks', 'Leaves', 'Blocks'].map((name) => ({ name })));
    const [sara, omar, amal, lina] = people as [Person, Person, Person, Person];
    const id = await converse(sara, [omar, amal, lina], 'Team');
    const said = await say(sara, id, 'Look');
    const screen = await omar.connect('/messages');
    await screen.ask('conversation:join', { conversationId: id });
    await edit(sara, said, 'Look, all', naming(omar, amal, lina));
    await amal.post(`/conversations/${id}/leave`);
    await lina.post(`/users/${sara.id}/block`);
    await soonAfterEdit();
    await scene.newsIsTold();
    for (const person of [omar, amal, lina]) expect(await scene.toldOf(person, 'MENTION')).to.deep.equal([]);
    omar.disconnect();
  });

  it('is as the last edit says, however many are made at once on several nodes', async () => {
    const { sara, omar, amal, id } = await scene.trio();
    const elsewhere = await scene.campus.startNode();
    const there = sara.on(elsewhere);
    const said = await say(sara, id, 'Look');
    await scene.soonAfter(said);
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? sara : there).patch(pathOf(said), {
          ...{ body: `Look ${index}` },
          ...(index % 3 ? naming(omar) : naming(amal)),
        }),
      ),
    );
    await edit(there, said, 'Look, Omar', naming(omar));
    await soonAfterEdit();
    await scene.newsIsTold();
    await scene.only(omar, 'MENTION');
    await scene.none(amal, 'MENTION');
    expect(await scene.kept(omar, 'MENTION')).to.have.length(1);
  });
});
