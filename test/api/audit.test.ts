import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { CONFIRM, newCode, tokenFor } from './auth-mail.js';
import { allPages, expectInvalid, expectProblem, idsOf, registerAs } from './helpers.js';

describe('The audit', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    admin = await api.admin();
  });
  after(() => campus.close());

  const rowsOf = async (person: { id: string }, filter = ''): Promise<Json[]> =>
    (await admin.get(`/audit?targetId=${person.id}${filter}`)).body.data as Json[];
  /** Waits until so many rows of that kind concern someone. */
  const recorded = (person: { id: string }, action: string, count = 1): Promise<Json[]> =>
    until(
      () => rowsOf(person, `&action=${action}`),
      (rows) => rows.length >= count,
    );

  it('says who did what, when, by which request and from where', async () => {
    const person = await api.register();
    const { headers } = await api.request(
      'POST',
      '/auth/login',
      { email: person.email, password: person.password },
      { headers: { 'user-agent': 'Netscape/4.0' } },
    );
    const [row] = await until(
      () => rowsOf(person, '&action=session.started'),
      (rows) => rows.length === 2,
    );
    expect(row).to.deep.include({
      action: 'session.started',
      actorId: person.id,
      targetId: person.id,
      requestId: headers.get('x-request-id'),
    });
    expect(row.entity.kind).to.equal('session');
    expect(row.origin.ip).to.match(/127\.0\.0\.1|::1/);
    expect(row.origin.userAgent).to.equal('Netscape/4.0');
    expect(Date.now() - Date.parse(row.at)).to.be.within(0, 30_000);
  });

  it('has a row for each act that bears on an account', async () => {
    const [person, other] = [await api.register(), await api.register()];
    await api.request('POST', '/auth/verify-email', { token: await tokenFor(campus, person.email, CONFIRM) });
    const spare = await api.signIn(person.email, person.password);
    await spare.post('/auth/logout');
    const newPassword = 'quite another password';
    const change = { currentPassword: person.password, newPassword };
    const code = await newCode(campus, person, 'passwordChange');
    const changed = await person.post('/auth/password/change', { ...change, code });
    expect(changed.status).to.equal(204);
    await person.post(`/users/${other.id}/block`);
    await person.delete(`/users/${other.id}/block`);
    await person.post('/users/me/export', { code: await newCode(campus, person, 'export') });
    await recorded(person, 'export.ready');
    const erasure = { password: newPassword, code: await newCode(campus, person, 'erasure') };
    expect((await person.delete('/users/me', erasure)).status).to.equal(202);
    await api.signIn(person.email, newPassword);
    await recorded(person, 'user.restored');

    const actions = (await rowsOf(person, '&limit=100')).map(({ action }) => action as string);
    expect(actions.reverse()).to.include.members([
      'session.started',
      'user.updated',
      'session.ended',
      'password.changed',
      'export.requested',
      'export.ready',
      'user.deleted',
      'user.restored',
    ]);
    expect((await rowsOf(person, '&action=session.ended')).map(({ reason }) => reason)).to.have.members([
      'logout',
      'accountDeleted',
    ]);
    expect((await rowsOf(person, '&action=user.updated')).map((row) => row.changed)).to.deep.equal([['emailVerified']]);
    // To block is done to the one who is blocked.
    for (const action of ['user.blocked', 'user.unblocked']) {
      expect((await recorded(other, action))[0]).to.deep.include({ actorId: person.id, targetId: other.id });
    }
  });

  it('leaves out what is nobody’s concern, and never holds a name, an address or a text', async () => {
    const person = await api.register({ name: 'Zuhayr Unmistakable', email: 'zuhayr-unmistakable@campus.test' });
    await person.patch('/users/me', { name: 'Zuhayr Unmistakable the Second' });
    await person.publish('An unmistakable text');
    await person.post('/auth/logout');
    await recorded(person, 'session.ended');
    expect((await rowsOf(person)).map(({ action }) => action)).to.deep.equal(['session.ended', 'session.started']);
    const stored = await campus.db.collection('audit').find().toArray();
    expect(JSON.stringify(stored)).to.not.match(/unmistakable|127\.0\.0\.1|::1|node/i);
  });

  it('can be searched by actor, target, action and time, and is read page by page', async () => {
    const person = await api.register();
    for (let i = 0; i < 4; i += 1) await api.signIn(person.email, person.password);
    await recorded(person, 'session.started', 5);
    const all = await rowsOf(person);
    const path = `/audit?actorId=${person.id}&action=session.started`;
    const paged = await allPages(admin, path, {
      limit: 2,
      // What comes in meanwhile neither repeats nor skips a row.
      between: () => api.signIn(person.email, person.password),
    });
    expect(idsOf(paged)).to.deep.equal(idsOf(all));
    const [third] = [all[2]];
    const since = await rowsOf(person, `&since=${third.at}&until=${new Date(Date.parse(all[0].at) + 1).toISOString()}`);
    expect(idsOf(since)).to.deep.equal(idsOf(all).slice(0, 3));
    const before = await rowsOf(person, `&until=${third.at}`);
    expect(idsOf(before)).to.deep.equal(idsOf(all).slice(3));
    expect(await rowsOf({ id: new ObjectId().toHexString() })).to.deep.equal([]);
    expectInvalid(await admin.get('/audit?action=post.created'), 'query.action');
    expectInvalid(await admin.get('/audit?actorId=me&since=yesterday'), 'query.actorId', 'query.since');
  });

  it('is for admins only', async () => {
    expectProblem(await api.request('GET', '/audit'), 401, 'UNAUTHORIZED');
    for (const role of ['student', 'recruiter', 'moderator']) {
      expectProblem(await (await registerAs(campus, api, role)).get('/audit'), 403, 'FORBIDDEN');
    }
  });

  it('can be changed by no route there is', async () => {
    const person = await api.register();
    const [row] = await recorded(person, 'session.started');
    const { paths } = (await (await fetch(`${api.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const methods = Object.entries(paths).filter(([path]) => path.includes('audit'));
    expect(methods.map(([path, routes]) => [path, Object.keys(routes)])).to.deep.equal([['/audit', ['get']]]);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await api.request(method, '/audit', { id: row.id }, { token: admin.token });
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      const one = await api.request(method, `/audit/${row.id}`, {}, { token: admin.token });
      expectProblem(one, 404, 'ROUTE_NOT_FOUND');
    }
    expect(await recorded(person, 'session.started')).to.deep.equal([row]);
  });

  it('records what is handled twice only once, and leaves the first record as it was', async () => {
    const person = await api.register();
    await recorded(person, 'session.started');
    const before = await campus.db.collection('audit').find().sort({ _id: 1 }).toArray();
    await campus.stopNodes();
    // Without a position the reactor starts over from the first event that is stored.
    await campus.db
      .collection('consumers')
      .updateOne(
        { _id: 'reactor' as never },
        { $unset: { token: 1 }, $set: { lastEventId: new ObjectId('0'.repeat(24)) } },
      );
    api = await campus.startNode();
    admin = await api.admin();
    await recorded(admin, 'session.started', 2);
    const after = await campus.db.collection('audit').find().sort({ _id: 1 }).toArray();
    expect(after.slice(0, before.length)).to.deep.equal(before);
    expect(
      await campus.db.collection('auditOrigins').countDocuments({ _id: { $nin: after.map(({ _id }) => _id) } }),
    ).to.equal(0);
  });
});
