import { expect } from 'chai';
import { DAY } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY } from './helpers.js';

describe('Connections', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const two = (): Promise<[Person, Person]> => Promise.all([api.register(), api.register()]);
  const ask = async (from: Person, to: Person, note?: string): Promise<Json> => {
    const { status, body } = await from.post('/connections', { userId: to.id, ...(note !== undefined && { note }) });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  };
  const connect = async (one: Person, other: Person): Promise<string> => {
    const { id } = await ask(one, other);
    expect((await other.put(`/connections/${id}/accept`)).status).to.equal(200);
    return id;
  };
  const listed = async (who: Person, path = '/connections'): Promise<string[]> =>
    (await who.get(path)).body.data.map(({ user }: Json) => user.id);
  /** The kinds of event that were recorded of a pair, in order. */
  const eventsOf = async (one: Person, other: Person): Promise<string[]> => {
    const found = await campus.db
      .collection('events')
      .find({ 'entity.kind': 'connection', 'audience.userIds': { $all: [one.id, other.id] } })
      .sort({ _id: 1 })
      .toArray();
    return found.map(({ type }) => type as string);
  };

  it('are asked for, and listed for both once the other accepts', async () => {
    const [asker, asked] = await two();
    const request = await ask(asker, asked, 'We met at the fair');
    expect(request).to.deep.include({ status: 'requested', direction: 'out', note: 'We met at the fair' });
    expect(request.user).to.include({ id: asked.id, name: asked.name });
    expect(await listed(asker, '/connections/requests?direction=out')).to.deep.equal([asked.id]);
    const { body: incoming } = await asked.get('/connections/requests?direction=in');
    expect(incoming.data).to.have.length(1);
    expect(incoming.data[0]).to.deep.include({ id: request.id, direction: 'in', note: 'We met at the fair' });
    expect(incoming.data[0].user.id).to.equal(asker.id);
    expect(await listed(asker, '/connections/requests?direction=in')).to.deep.equal([]);
    expect(await listed(asked)).to.deep.equal([]);

    const { status, body } = await asked.put(`/connections/${request.id}/accept`);
    expect(status).to.equal(200);
    expect(body).to.deep.include({ id: request.id, status: 'accepted', direction: 'in' });
    expect(await listed(asker)).to.deep.equal([asked.id]);
    expect(await listed(asked)).to.deep.equal([asker.id]);
    expect(await listed(asked, '/connections/requests?direction=in')).to.deep.equal([]);
    expect(await eventsOf(asker, asked)).to.deep.equal(['connection.requested', 'connection.accepted']);
  });

  it('are made when two requests cross', async () => {
    const [one, other] = await two();
    await ask(one, other);
    expect(await ask(other, one)).to.deep.include({ status: 'accepted' });
    expect(await listed(one)).to.deep.equal([other.id]);
    expect(await eventsOf(one, other)).to.deep.equal(['connection.requested', 'connection.accepted']);
  });

  it('are one connection after twenty requests of both at once on two nodes', async () => {
    const [one, other] = await two();
    const nodes = [api, otherNode];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const [from, to] = index % 2 === 0 ? [one, other] : [other, one];
        return from.on(nodes[Math.floor(index / 2) % 2] ?? api).post('/connections', { userId: to.id });
      }),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 20 }, () => 201));
    expect(new Set(answers.map(({ body }) => body.id)).size).to.equal(1);
    expect(await listed(one)).to.deep.equal([other.id]);
    expect(await listed(other)).to.deep.equal([one.id]);
    expect(await eventsOf(one, other)).to.deep.equal(['connection.requested', 'connection.accepted']);
  });

  it('stay one request when it is repeated, and tell of it once', async () => {
    const [asker, asked] = await two();
    const first = await ask(asker, asked, 'Hello');
    expect(await ask(asker, asked, 'Hello again')).to.deep.equal(first);
    expect(await eventsOf(asker, asked)).to.deep.equal(['connection.requested']);
  });

  it('are not made when the request is rejected, and may be asked for again after 30 days', async () => {
    const [asker, asked] = await two();
    const { id } = await ask(asker, asked);
    expect((await asked.put(`/connections/${id}/reject`)).body).to.deep.include({ status: 'rejected' });
    expect(await listed(asker)).to.deep.equal([]);
    expect(await listed(asker, '/connections/requests?direction=out')).to.deep.equal([]);
    expectProblem(await asker.post('/connections', { userId: asked.id }), 409, 'RECENTLY_REJECTED');
    // Whoever said no may think better of it.
    const { id: reverse } = await ask(asked, asker);
    expect((await asked.delete(`/connections/${reverse}`)).status).to.equal(204);

    const [eager, calm] = await two();
    const refused = await ask(eager, calm);
    await calm.put(`/connections/${refused.id}/reject`);
    await campus.db
      .collection('connections')
      .updateOne(
        { requesterId: { $exists: true }, status: 'rejected' },
        { $set: { changedAt: new Date(Date.now() - 31 * DAY) } },
      );
    expect(await ask(eager, calm)).to.deep.include({ status: 'requested' });
    expect(await eventsOf(eager, calm)).to.deep.equal([
      'connection.requested',
      'connection.rejected',
      'connection.requested',
    ]);
  });

  it('can be withdrawn by the one who asked while nobody has answered', async () => {
    const [asker, asked] = await two();
    const { id } = await ask(asker, asked);
    expectProblem(await asked.delete(`/connections/${id}`), 403, 'NOT_YOUR_REQUEST');
    expect((await asker.delete(`/connections/${id}`)).status).to.equal(204);
    expect(await listed(asked, '/connections/requests?direction=in')).to.deep.equal([]);
    expectProblem(await asked.put(`/connections/${id}/accept`), 409, 'REQUEST_NOT_PENDING');
    expect(await ask(asker, asked)).to.deep.include({ id, status: 'requested' });
  });

  it('can be ended by either, once', async () => {
    const [one, other] = await two();
    const id = await connect(one, other);
    const answers = await Promise.all([one.delete(`/connections/${id}`), other.delete(`/connections/${id}`)]);
    for (const { status } of answers) expect(status).to.be.oneOf([204, 404]);
    expect(answers.map(({ status }) => status)).to.include(204);
    expect(await listed(one)).to.deep.equal([]);
    expect(await listed(other)).to.deep.equal([]);
    expect(await eventsOf(one, other)).to.deep.equal([
      'connection.requested',
      'connection.accepted',
      'connection.removed',
    ]);
    expectProblem(await one.delete(`/connections/${id}`), 404, 'CONNECTION_NOT_FOUND');
  });

  it('are answered by the one who was asked, once and for all', async () => {
    const [asker, asked] = await two();
    const stranger = await api.register();
    const { id } = await ask(asker, asked);
    for (const word of ['accept', 'reject']) {
      expectProblem(await asker.put(`/connections/${id}/${word}`), 403, 'OWN_REQUEST');
      expectProblem(await stranger.put(`/connections/${id}/${word}`), 404, 'CONNECTION_NOT_FOUND');
    }
    expectProblem(await stranger.delete(`/connections/${id}`), 404, 'CONNECTION_NOT_FOUND');
    const accepted = await asked.put(`/connections/${id}/accept`);
    expect(await asked.put(`/connections/${id}/accept`)).to.deep.include({ status: 200, body: accepted.body });
    expectProblem(await asked.put(`/connections/${id}/reject`), 409, 'REQUEST_NOT_PENDING');
  });

  it('end up in one state when a request is accepted, rejected and withdrawn at once', async () => {
    for (let round = 0; round < 2; round += 1) {
      const [asker, asked] = await two();
      const { id } = await ask(asker, asked);
      const [accepted, rejected] = await Promise.all([
        asked.put(`/connections/${id}/accept`),
        asked.on(otherNode).put(`/connections/${id}/reject`),
        asker.on(otherNode).delete(`/connections/${id}`),
      ]);
      expect([accepted.status, rejected.status].filter((status) => status === 200).length).to.be.at.most(1);
      expect(await listed(asked)).to.deep.equal(await listed(asker).then((ids) => (ids.length > 0 ? [asker.id] : [])));
      expect((await eventsOf(asker, asked)).length).to.be.within(2, 3);
    }
  });

  it('are listed page by page, newest first, without repeats', async () => {
    const hub = await api.register();
    const others: Person[] = [];
    for (let index = 0; index < 5; index += 1) {
      const other = await api.register();
      await (index % 2 === 0 ? connect(hub, other) : connect(other, hub));
      others.push(other);
    }
    const pages = await allPages(hub, '/connections', { limit: 2 });
    expect(pages.map(({ user }) => user.id)).to.deep.equal(others.map(({ id }) => id).reverse());
    expect(new Set(idsOf(pages)).size).to.equal(5);
  });

  it('refuse oneself, nobody, and what makes no sense', async () => {
    const person = await api.register();
    expectProblem(await person.post('/connections', { userId: person.id }), 400, 'CANNOT_CONNECT_TO_YOURSELF');
    expectProblem(await person.post('/connections', { userId: NOBODY }), 404, 'USER_NOT_FOUND');
    expectProblem(await person.put(`/connections/${NOBODY}/accept`), 404, 'CONNECTION_NOT_FOUND');
    expectInvalid(await person.post('/connections', { userId: 'x', note: '' }), 'body.userId', 'body.note');
    expectInvalid(await person.post('/connections', { userId: NOBODY, note: 'x'.repeat(301) }), 'body.note');
    expectInvalid(await person.get('/connections/requests'), 'query.direction');
    expectInvalid(await person.get('/connections/requests?direction=sideways'), 'query.direction');
  });

  it('run once for one idempotency key', async () => {
    const [asker, asked] = await two();
    const choices = { headers: { 'idempotency-key': 'one-request' } };
    const [first, second] = await Promise.all([
      asker.post('/connections', { userId: asked.id }, choices),
      asker.post('/connections', { userId: asked.id }, choices),
    ]);
    expect(first.body).to.deep.equal(second.body);
    expect(await eventsOf(asker, asked)).to.deep.equal(['connection.requested']);
  });
});
