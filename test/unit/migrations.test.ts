import { expect } from 'chai';
import { type CollectionDefinition } from '../../src/core/database/collections.js';
import { connectDatabase, type Database } from '../../src/core/database/database.js';
import { migrate, type Migration } from '../../src/core/database/migrations.js';
import { createLog } from '../../src/core/observability/log.js';
import { freshUri } from '../support/event-lab.js';

const log = createLog('silent');

describe('Migrations', () => {
  let nodes: Database[] = [];

  /** Nodes of one empty database. */
  async function connect(count = 1): Promise<Database[]> {
    const uri = freshUri();
    nodes = await Promise.all(Array.from({ length: count }, () => connectDatabase(uri)));
    return nodes;
  }

  afterEach(async () => {
    await nodes[0]?.db.dropDatabase();
    for (const node of nodes.splice(0)) await node.close();
  });

  const things: CollectionDefinition = { name: 'things', indexes: [{ key: { name: 1 }, options: { unique: true } }] };

  function run(database: Database, migrations: Migration[], collections = [things]): Promise<void> {
    return migrate({ database, owner: `owner ${nodes.indexOf(database)}`, collections, migrations, log });
  }

  const insert = (id: string): Migration => ({
    id,
    async up(database) {
      await database.collection('things').insertOne({ name: id });
    },
  });
  const names = async (): Promise<string[]> =>
    (await nodes[0]!.collection<{ name: string }>('things').find().toArray()).map(({ name }) => name);

  it('run once, in the order of their names, whatever starts again', async () => {
    const [node] = await connect();
    await run(node!, [insert('0002-second'), insert('0001-first')]);
    await run(node!, [insert('0002-second'), insert('0001-first')]);
    await run(node!, [insert('0001-first'), insert('0002-second'), insert('0003-third')]);
    expect(await names()).to.deep.equal(['0001-first', '0002-second', '0003-third']);
  });

  it('run once where several nodes start together on an empty database; the others wait until it is ready', async () => {
    const started = await connect(3);
    await Promise.all(
      started.map(async (node) => {
        await run(node, [insert('0001-first')]);
        expect(await node.collection('things').countDocuments()).to.equal(1);
      }),
    );
    expect(await names()).to.deep.equal(['0001-first']);
  });

  it('start the one that failed half-way again, not those before it', async () => {
    const [node] = await connect();
    let isBroken = true;
    const resumable: Migration = {
      id: '0002-fragile',
      async up(database) {
        const rows = database.collection('things');
        await rows.updateOne({ name: 'half' }, { $set: { name: 'half' } }, { upsert: true });
        if (isBroken) throw new Error('the disk is full');
        await rows.insertOne({ name: 'whole' });
      },
    };
    const all = [insert('0001-first'), resumable, insert('0003-last')];

    expect(await run(node!, all).catch(String)).to.contain('the disk is full');
    expect(await names()).to.deep.equal(['0001-first', 'half']);
    isBroken = false;
    await run(node!, all);
    expect(await names()).to.deep.equal(['0001-first', 'half', 'whole', '0003-last']);
  });

  it('add what a new version declares: collections, indexes, capped ones', async () => {
    const [node] = await connect();
    await run(node!, []);
    const newer: CollectionDefinition[] = [
      { ...things, indexes: [...things.indexes, { key: { age: -1 } }] },
      { name: 'ring', indexes: [], cappedBytes: 1_048_576 },
    ];
    await run(node!, [], newer);

    const keys = (await node!.collection('things').indexes()).map(({ key }) => key as object);
    expect(keys).to.deep.equal([{ _id: 1 }, { name: 1 }, { age: -1 }]);
    expect(await node!.collection('ring').isCapped()).to.equal(true);
  });
});
