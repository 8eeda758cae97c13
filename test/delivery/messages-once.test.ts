import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Listener } from '../../src/core/events/listener.js';
import { messageDeleted, messageSent, receiptsAdvanced } from '../../src/modules/chat/chat.events.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { until } from '../support/until.js';
import { isolated, MessageScene, SOON } from './message-scene.js';

describe('Messages to many who are not looking, and many messages', function () {
  // A thousand are told, and a second node starts.
  this.timeout(60_000);

  let scene: MessageScene;
  before(async () => {
    scene = await MessageScene.open();
  });
  after(() => scene.close());

  it('are read or told, and not both, when they are read while they are told', async () => {
    const pairs = await Promise.all(Array.from({ length: 6 }, () => scene.pair()));
    await scene.soonAfter(...(await Promise.all(pairs.map(({ sara, id }) => say(sara, id, 'Hello')))));
    // As soon as the first of them is told the others are being told.
    await until(() =>
      scene.campus.db.collection('notifications').countDocuments({ 'entity.id': { $in: pairs.map(({ id }) => id) } }),
    );
    await Promise.all(pairs.map(({ omar, id }) => omar.put(`/conversations/${id}/read`, { seq: 1 })));
    await scene.newsIsTold();
    for (const { omar } of pairs) {
      await until(
        async () => (await omar.get('/notifications/unread-count')).body.count as number,
        (count) => count === 0,
      );
      expect((await scene.toldOf(omar)).every(({ channels }) => channels.inApp.status === 'read')).to.equal(true);
    }
  });

  it('are all told and counted, however many are said at once, and by however many', async () => {
    const [omar, ...others] = (await scene.people(...Array.from({ length: 4 }, () => ({})))) as [Person, ...Person[]];
    const id = await converse(omar, others, 'Busy');
    const ofOmar = (rounds: number[]) =>
      others.flatMap((each) => rounds.map((round) => say(each, id, `Round ${round}`)));
    await scene.soonAfter(...(await Promise.all(ofOmar([1, 2, 3]))));
    await scene.soonAfter(...(await Promise.all(ofOmar([4, 5, 6]))));
    const line = await scene.told(omar, 18);
    expect(line.title).to.equal(`18 messages in ${isolated('Busy')}`);
    expect(await scene.toldOf(omar)).to.have.length(1);
  });

  it('are told to a group of a thousand, a page at a time, and once, though it is done again', async () => {
    const [sara, omar] = (await scene.people({ name: 'Sara' }, { name: 'Omar' })) as [Person, Person];
    const { db, clock } = scene.campus;
    const id = await scene.multitude(sara, omar, 1_000);
    await say(sara, id, 'Hello, all');
    const row = await until(
      () => db.collection('messageNews').findOne({ kind: 'said' }),
      (found) => found !== null,
    );
    const begun = Date.now();
    clock.advance(SOON);
    await scene.newsIsTold();
    expect(Date.now() - begun).to.be.below(20_000);
    const ofThis = { type: 'MESSAGE', 'entity.id': id };
    expect(await db.collection('notifications').countDocuments(ofThis)).to.equal(999);
    expect(
      await db.collection('memberships').countDocuments({ conversationId: new ObjectId(id), toldSeq: 1 }),
    ).to.equal(999);
    const pages = await db
      .collection('events')
      .countDocuments({ type: 'notifications.created', 'data.shared.groupKey': `message:${id}` });
    expect(pages).to.equal(5);

    await db.collection('messageNews').insertOne({ ...row, nextAttemptAt: clock.now() });
    await scene.newsIsTold();
    expect(await db.collection('notifications').countDocuments(ofThis)).to.equal(999);
  });

  it('are told, read and deleted once, though all of it is handled a second time', async () => {
    const { sara, omar, id } = await scene.pair();
    const { sara: lina, omar: amal, id: other } = await scene.pair();
    await scene.tell(sara, id, ['One', 'Two'], omar, 2);
    await omar.put(`/conversations/${id}/read`, { seq: 2 });
    await scene.tell(sara, id, ['Three', 'Four'], omar, 2);
    const said = await say(lina, other, 'One');
    await scene.tell(lina, other, ['Two', 'Three'], amal, 3);
    await lina.delete(`/conversations/${other}/messages/${said.id as string}`);
    await scene.told(amal, 2);
    const standing = async () =>
      (await Promise.all([omar, amal].map((person) => person.get('/notifications')))).map(({ body }) =>
        (body.data as Json[]).map(({ id: each, title, body: words, count, channels }) => ({
          ...{ each, title, words, count, inApp: channels.inApp },
        })),
      );
    const before = await standing();
    await scene.campus.stopNodes();
    await scene.campus.forgetWhatWasHandled();
    const handledAgain: string[] = [];
    const witness: Listener = {
      name: 'witness',
      types: [messageSent, messageDeleted, receiptsAdvanced],
      handle: (events) => {
        handledAgain.push(...events.map(({ type }) => type));
        return Promise.resolve();
      },
    };
    scene = new MessageScene(scene.campus, await scene.campus.startNode({ followers: [witness] }));
    for (const person of [sara, omar, lina, amal]) Object.assign(person, { api: scene.api });
    const marker = await scene.pair();
    await scene.tell(marker.sara, marker.id, ['Marker'], marker.omar, 1);
    await scene.newsIsTold();
    expect(handledAgain).to.include.members(['message.sent', 'message.deleted', 'receipts.advanced']);
    expect(handledAgain.filter((type) => type === 'message.sent')).to.have.length.at.least(8);
    expect(await standing()).to.deep.equal(before);
  });
});
