import { expect } from 'chai';
import { type DeadNode, Nodes, nodesCollection, type NodeTenant } from '../../src/core/realtime/nodes.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

interface Row {
  _id: string;
  seenAt: Date;
}

/** What a tenant is told, and under which ids it has something. */
class Tenant implements NodeTenant {
  readonly cleared: DeadNode[] = [];
  renames = 0;
  settled = 0;
  /** Fails as often. */
  failures = 0;

  settle(): Promise<void> {
    this.settled += 1;
    return Promise.resolve();
  }

  renamed(): void {
    this.renames += 1;
  }

  clear(dead: DeadNode): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      return Promise.reject(new Error('out of reach'));
    }
    this.cleared.push(dead);
    return Promise.resolve();
  }
}

describe('The register of nodes', () => {
  let lab: EventLab;
  const started: Nodes[] = [];
  beforeEach(async () => {
    lab = await EventLab.open([nodesCollection]);
  });
  afterEach(async () => {
    for (const nodes of started.splice(0)) await nodes.stop();
    await lab.close();
  });

  const rows = () => lab.database.collection<Row>(nodesCollection.name);
  const start = async (): Promise<{ nodes: Nodes; tenant: Tenant }> => {
    const nodes = new Nodes({ database: lab.database, log: lab.logger, beatMs: 20 });
    const tenant = new Tenant();
    nodes.join(tenant);
    await nodes.start();
    started.push(nodes);
    return { nodes, tenant };
  };
  /** A node that was last heard of so long ago. */
  const silent = async (id: string, seconds: number): Promise<Date> => {
    const ago = [{ $set: { seenAt: { $subtract: ['$$NOW', seconds * 1_000] } } }];
    await rows().updateOne({ _id: id }, ago, { upsert: true });
    return (await rows().findOne({ _id: id }))!.seenAt;
  };

  it('lists those that are alive, from their start to their stop', async () => {
    const [one, other] = [await start(), await start()];
    const ids = async () => (await rows().find().toArray()).map(({ _id }) => _id);
    expect(await ids()).to.have.members([one.nodes.id, other.nodes.id]);
    await until(() => one.tenant.settled > 2 && other.tenant.settled > 2);
    for (const nodes of started.splice(0)) await nodes.stop();
    expect(await ids()).to.deep.equal([]);
    expect([...one.tenant.cleared, ...other.tenant.cleared]).to.deep.equal([]);
  });

  it('has what a dead one has left removed soon, with when it was last heard of, and no more than that', async () => {
    const { tenant } = await start();
    await silent('slow', 15);
    const seenAt = await silent('dead', 21);
    await until(() => tenant.cleared.length > 0);
    const { settled } = tenant;
    await until(() => tenant.settled > settled + 5);
    expect(tenant.cleared).to.deep.equal([{ id: 'dead', seenAt }]);
    // A write of it may have been under way: once more before it is forgotten.
    await silent('dead', 601);
    await until(async () => (await rows().countDocuments({ _id: 'dead' })) === 0);
    expect(tenant.cleared.map(({ id }) => id)).to.deep.equal(['dead', 'dead']);
    expect(await rows().countDocuments({ _id: 'slow' })).to.equal(1);
  });

  it('has it removed by whoever is there, again and again until it is', async () => {
    await silent('dead', 21);
    const [{ tenant: one }, { tenant: other }] = [await start(), await start()];
    await until(() => one.cleared.length + other.cleared.length > 0);
    one.failures = other.failures = 3;
    await silent('another', 21);
    await until(() => [...one.cleared, ...other.cleared].some(({ id }) => id === 'another'));
  });

  it('lets one that was taken for dead go on under another id, and never again under its own', async () => {
    const [{ nodes, tenant }, { tenant: other }] = [await start(), await start()];
    const former = nodes.id;
    await silent(former, 21);
    // As another one does that finds it so, before it is heard of again.
    await rows().updateOne({ _id: former }, { $set: { isDead: true } });
    await until(() => nodes.id !== former);
    expect(tenant.renames).to.equal(1);
    await until(() => [...tenant.cleared, ...other.cleared].some(({ id }) => id === former));
    expect(await rows().countDocuments({ _id: nodes.id, isDead: { $exists: false } })).to.equal(1);
    expect(other.renames).to.equal(0);
  });

  it('lets one that was forgotten go on under another id, and removes what it may have written since', async () => {
    const { nodes, tenant } = await start();
    const former = nodes.id;
    await rows().deleteOne({ _id: former });
    await until(() => nodes.id !== former);
    expect(tenant.renames).to.equal(1);
    await silent(former, 21);
    await until(() => tenant.cleared.some(({ id }) => id === former));
  });
});
