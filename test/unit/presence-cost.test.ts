import { expect } from 'chai';
import { type CommandStartedEvent, type Document, MongoClient, ObjectId } from 'mongodb';
import { type Database } from '../../src/core/database/database.js';
import { createLog } from '../../src/core/observability/log.js';
import { Nodes, nodesCollection } from '../../src/core/realtime/nodes.js';
import { Devices } from '../../src/modules/presence/devices.js';
import { presenceCollection, type PresenceState } from '../../src/modules/presence/presence.model.js';
import { PresenceStore } from '../../src/modules/presence/presence.store.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

/** docs/performance.md says what it comes to with ten thousand. */
const USERS = 2_000;
const A_BATCH = 500;

describe('What presence costs', function () {
  this.timeout(60_000);

  let lab: EventLab;
  let client: MongoClient;
  let store: PresenceStore;
  let nodes: Nodes;
  let devices: Devices;
  /** The names of the commands that were sent. */
  let commands: string[] = [];
  /** What other nodes were told. */
  let told: PresenceState[][] = [];
  const users = Array.from({ length: USERS }, () => new ObjectId().toHexString());
  const log = createLog('silent');

  before(async () => {
    lab = await EventLab.open([presenceCollection, nodesCollection]);
    client = await MongoClient.connect(lab.uri, { monitorCommands: true, writeConcern: { w: 'majority' } });
    client.on('commandStarted', ({ commandName }: CommandStartedEvent) => void commands.push(commandName));
    const database = { collection: <T extends Document>(name: string) => client.db().collection<T>(name) } as Database;
    store = new PresenceStore({ database });
    nodes = new Nodes({ database, log, beatMs: 20 });
    const onChanged = (changed: PresenceState[]) => void told.push(changed);
    devices = new Devices({ store, nodes, log, onChanged, onNodeGone: () => undefined });
  });
  after(async () => {
    await nodes.stop();
    await client.close();
    await lab.close();
  });
  beforeEach(() => {
    [commands, told] = [[], []];
  });

  const areTold = (count: number) => until(() => told.flat().length === count);
  /** Waits until whatever was noted before is written. */
  const settled = () => devices.set(users[0]!, 'first', 'away').then(() => devices.set(users[0]!, 'first', 'online'));

  it('is an update, a read and a message for someone who comes alone', async () => {
    devices.connected(users[0]!, 'first');
    await areTold(1);
    expect(commands).to.deep.equal(['update', 'find']);
    expect(told).to.have.length(1);
  });

  it('is nothing for further devices of theirs, nor for their end', async () => {
    devices.connected(users[0]!, 'second');
    devices.connected(users[0]!, 'third');
    devices.ended(users[0]!, 'second', 0);
    devices.ended(users[0]!, 'third', 0);
    await settled();
    // Those of coming to rest alone: away and back.
    expect(commands).to.deep.equal(['update', 'find', 'update', 'find']);
  });

  it('is some commands for all who come at once', async () => {
    for (const userId of users.slice(1)) devices.connected(userId, `device of ${userId}`);
    await areTold(USERS - 1);
    // The first goes alone, since nothing is under way then.
    const batches = 1 + Math.ceil((USERS - 2) / A_BATCH);
    expect(commands).to.have.length(2 * batches);
    expect(told).to.have.length(batches);
    const states = await store.read(users);
    expect(states.filter(({ state }) => state === 'online')).to.have.length(USERS);
  });

  it('is one heartbeat and one look for dead nodes a beat, however many are here and nothing happens', async () => {
    await nodes.start();
    commands = [];
    await until(() => commands.length >= 20);
    expect(new Set(commands)).to.deep.equal(new Set(['update', 'aggregate']));
    const beats = commands.filter((name) => name === 'update').length;
    expect(commands.length).to.be.within(2 * beats - 1, 2 * beats);
    expect(told).to.deep.equal([]);
  });

  it('is one command for all who were on a node that is gone', async () => {
    await nodes.stop();
    commands = [];
    await devices.stop();
    expect(commands).to.deep.equal(['update']);
    const states = await store.read(users);
    expect(states.filter(({ state }) => state === 'offline')).to.have.length(USERS);
  });
});
