import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type Circle, unpack } from '../../src/modules/network/circle.model.js';
import { type Connection } from '../../src/modules/network/connection.model.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';

describe('The circle of a user', () => {
  let campus: Campus;
  let nodes: [Api, Api];
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    nodes = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  const people = (count: number): Promise<Person[]> =>
    Promise.all(Array.from({ length: count }, () => nodes[0].register()));
  const ask = async (from: Person, to: Person): Promise<string> => {
    const { status, body } = await from.post('/connections', { userId: to.id });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body.id as string;
  };
  const connect = async (one: Person, other: Person): Promise<string> => {
    const id = await ask(one, other);
    expect((await other.put(`/connections/${id}/accept`)).status).to.equal(200);
    return id;
  };
  const circlesOf = (who: Person[]): Promise<string[][]> =>
    Promise.all(
      who.map(async ({ id }) => {
        const circle = await campus.db.collection<Circle>('circles').findOne({ _id: new ObjectId(id) });
        return circle ? unpack(circle) : [];
      }),
    );
  /** What the circles must be, the newest connection last. */
  const connectionsOf = (who: Person[]): Promise<string[][]> =>
    Promise.all(
      who.map(async ({ id }) => {
        const own = new ObjectId(id);
        const found = await campus.db
          .collection<Connection>('connections')
          .find({ $or: [{ low: own }, { high: own }], status: 'accepted' })
          .sort({ changedAt: 1 })
          .toArray();
        return found.map(({ low, high }) => (low.equals(own) ? high : low).toHexString());
      }),
    );
  /** Forgets that the circles were made of what there had been, so that the next start makes them. */
  const migrateAnew = async (): Promise<void> => {
    await campus.db.collection<{ _id: string }>('migrations').deleteOne({ _id: '0003-circles-of-users' });
    await campus.startNode();
  };

  it('holds those the user is connected with, the newest last, and nobody else', async () => {
    const [one, two, three, asked] = (await people(4)) as [Person, Person, Person, Person];
    const first = await connect(one, two);
    await connect(three, one);
    await ask(one, asked);
    expect(await circlesOf([one, two, three, asked])).to.deep.equal([[two.id, three.id], [one.id], [one.id], []]);

    for (let time = 0; time < 2; time += 1)
      expect((await two.delete(`/connections/${first}`)).status).to.be.oneOf([204, 404]);
    expect(await circlesOf([one, two])).to.deep.equal([[three.id], []]);
    // Two requests crossing.
    await ask(two, one);
    await ask(one, two);
    expect(await circlesOf([one, two])).to.deep.equal([[three.id, two.id], [one.id]]);
    // Answering again changes nothing.
    const request = await ask(asked, three);
    for (let time = 0; time < 2; time += 1) await three.put(`/connections/${request}/accept`);
    expect(await circlesOf([three, asked])).to.deep.equal([[one.id, asked.id], [three.id]]);
  });

  it('equals the connections after accepts, removals and blocks at once on two nodes', async () => {
    const crowd = await people(8);
    const pairs = crowd.flatMap((one, index) => crowd.slice(index + 1).map((other) => ({ one, other })));
    const on = (person: Person, index: number): Person => person.on(nodes[index % 2] ?? nodes[0]);
    const requests = await Promise.all(pairs.map(async (pair) => ({ ...pair, id: await ask(pair.one, pair.other) })));

    // Everyone's circle is changed by seven at once.
    const accepted = await Promise.all(
      requests.map(({ other, id }, index) => on(other, index).put(`/connections/${id}/accept`)),
    );
    expect(accepted.map(({ status }) => status)).to.deep.equal(accepted.map(() => 200));
    for (const circle of await circlesOf(crowd)) expect(circle).to.have.length(7);

    // Of each pair: a removal, a removal by both, a block, or a request that was withdrawn crossing with an answer.
    const blocked = requests.filter((_, index) => index % 4 === 2);
    await Promise.all(
      requests.flatMap(({ one, other, id }, index): Promise<unknown>[] => {
        const [here, there] = [on(one, index), on(other, index + 1)];
        if (index % 4 === 0) return [here.delete(`/connections/${id}`)];
        if (index % 4 === 1) return [here, there].map((each) => each.delete(`/connections/${id}`));
        if (index % 4 === 2) return [here.post(`/users/${other.id}/block`)];
        return [here.delete(`/connections/${id}`).then(() => Promise.all([ask(here, other), ask(there, one)]))];
      }),
    );
    await until(
      () =>
        campus.db.collection('connections').countDocuments({
          $or: blocked.flatMap(({ one, other }) => [
            { low: new ObjectId(one.id), high: new ObjectId(other.id) },
            { low: new ObjectId(other.id), high: new ObjectId(one.id) },
          ]),
        }),
      (count) => count === 0,
    );
    const [circles, connections] = [await circlesOf(crowd), await connectionsOf(crowd)];
    expect(circles.map((circle) => [...circle].sort())).to.deep.equal(connections.map((each) => [...each].sort()));
    expect(connections.flat()).to.have.length(2 * requests.filter((_, index) => index % 4 === 3).length);
  }).timeout(60_000);

  it('is made of the connections that there were before, also where making it was interrupted', async () => {
    const crowd = (await people(4)) as [Person, Person, Person, Person];
    const [one, two, three, four] = crowd;
    // Not in the order of their ids.
    for (const other of [three, two, four]) await connect(one, other);
    await connect(two, three);
    await ask(two, four);
    const expected = await circlesOf(crowd);
    expect(expected[0]).to.deep.equal([three.id, two.id, four.id]);

    await campus.db.collection('circles').deleteMany({ _id: { $in: crowd.map(({ id }) => new ObjectId(id)) } });
    await migrateAnew();
    expect(await circlesOf(crowd)).to.deep.equal(expected);
    await campus.db.collection('circles').deleteOne({ _id: new ObjectId(two.id) });
    await migrateAnew();
    expect(await circlesOf(crowd)).to.deep.equal(expected);
  });

  it('is gone with the account, and from the circles of the others', async () => {
    const [goner, friend, other] = (await people(3)) as [Person, Person, Person];
    await connect(goner, friend);
    await connect(goner, other);
    await connect(friend, other);
    const code = await newCode(campus, goner, 'erasure');
    expect((await goner.delete('/users/me', { password: goner.password, code })).status).to.equal(202);
    campus.clock.advance(31 * DAY);
    await until(
      () => campus.db.collection('users').countDocuments({ _id: new ObjectId(goner.id) }),
      (count) => count === 0,
    );
    expect(await circlesOf([friend, other])).to.deep.equal([[other.id], [friend.id]]);
    expect(await campus.db.collection('circles').findOne({ _id: new ObjectId(goner.id) })).to.equal(null);
  });
});
