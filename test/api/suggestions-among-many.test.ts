import { expect } from 'chai';
import { type Document, ObjectId } from 'mongodb';
import { pack } from '../../src/modules/network/circle.model.js';
import { pairOf } from '../../src/modules/network/connection.service.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { suggested, told } from './suggestion-scene.js';

describe('Suggested people among very many', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    // What is read is counted, and nothing else reads meanwhile.
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
  });
  after(() => campus.close());

  const ids = (count: number): ObjectId[] => Array.from({ length: count }, () => new ObjectId());
  /** Connects users in bulk, in this order. */
  const tie = async (pairs: (readonly [ObjectId, ObjectId])[]): Promise<void> => {
    const at = new Date();
    const circles = new Map<string, string[]>();
    const meets = (one: string, other: string): void => {
      const known = circles.get(one) ?? [];
      known.push(other);
      circles.set(one, known);
    };
    const ties = pairs.map(([one, other]) => {
      const [oneId, otherId] = [one.toHexString(), other.toHexString()];
      meets(oneId, otherId);
      meets(otherId, oneId);
      return { ...pairOf(oneId, otherId), requesterId: one, status: 'accepted', createdAt: at, changedAt: at };
    });
    const drawn = [...circles].map(([id, known]) => ({ _id: new ObjectId(id), ...pack(known) }));
    await campus.db.collection('connections').insertMany(ties);
    await campus.db.collection('circles').insertMany(drawn);
  };
  /** Gives these ids accounts, in bulk. */
  const settle = async (userIds: ObjectId[], name: string): Promise<void> => {
    const { id } = await api.register();
    const users = campus.db.collection('users');
    const like = await users.findOne({ _id: new ObjectId(id) });
    const accounts = userIds.map((_id, index) => {
      return { ...like, _id, name: `${name} ${index}`, email: `${_id.toHexString()}@campus.test` };
    });
    await users.insertMany(accounts);
  };
  /** What is asked for, and what the database has read for it. */
  const profiled = async (work: () => Promise<Json[]>): Promise<{ found: Json[]; read: Document[] }> => {
    const since = new Date();
    await campus.db.command({ profile: 2 });
    const found = await work();
    await campus.db.command({ profile: 0 });
    const ns = /\.(connections|circles|users|suggestionDismissals|privacySettings)$/;
    const reads = { ns, planSummary: { $exists: true }, ts: { $gte: since } };
    const read = await campus.db.collection('system.profile').find(reads).toArray();
    return { found, read };
  };

  it('count every connection in common, though only the newest are looked through', async () => {
    const ego = await api.register();
    const [friends, strangers] = [ids(300), ids(30)];
    const [famous] = strangers.splice(-1) as [ObjectId];
    // The first stranger is known to all of them, the second to one less, and so on; and someone to everybody.
    await tie([
      ...friends.map((friend) => [new ObjectId(ego.id), friend] as const),
      ...strangers.flatMap((stranger, index) => friends.slice(index).map((friend) => [friend, stranger] as const)),
      ...[...ids(1_100), ...friends.slice(-20)].map((fan) => [fan, famous] as const),
    ]);
    await settle(strangers, 'Stranger');
    await settle([famous], 'Famous');
    const { found, read } = await profiled(() => suggested(ego, '?limit=50'));

    expect(told(found)).to.deep.equal([
      ...strangers.map((_, index) => [`Stranger ${index}`, 300 - index, 'MUTUAL_CONNECTIONS']),
      ['Famous 0', 20, 'MUTUAL_CONNECTIONS'],
    ]);
    expect(read.length).to.be.at.least(5);
    for (const { planSummary, command, keysExamined = 0, docsExamined = 0 } of read) {
      const what = JSON.stringify(command).slice(0, 300);
      expect(planSummary, what).to.match(/^(IXSCAN|IDHACK|EXPRESS|EOF)/);
      expect(keysExamined, what).to.be.below(12_000);
      expect(docsExamined, what).to.be.below(300);
    }

    // Where mutual connections are enough: the user's circle, who is left out, the friends' circles, those compared
    // with all that is shown of them, and the circles of the best of them.
    const few = await profiled(() => suggested(ego));
    expect(few.found).to.deep.equal(found.slice(0, 10));
    // Users are read for other reasons, too: who has given up the account, for one.
    const own = few.read.filter(
      ({ ns, command }) => !ns.endsWith('users') || JSON.stringify(command).includes('"keys'),
    );
    expect(own.map(({ ns }) => String(ns).split('.').at(-1)).sort()).to.deep.equal([
      'circles',
      'circles',
      'circles',
      'connections',
      'users',
    ]);
  });

  it('are nobody who is found through someone who knows more than a thousand', async () => {
    const ego = await api.register();
    const [hub, stranger] = ids(2) as [ObjectId, ObjectId];
    await tie([[new ObjectId(ego.id), hub], ...[...ids(1_000), stranger].map((one) => [hub, one] as const)]);
    await settle([stranger], 'Stranger');
    expect(await suggested(ego)).to.deep.equal([]);
  });
});
