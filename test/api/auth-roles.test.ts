import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectProblem } from './helpers.js';

describe('Roles', () => {
  let campus: Campus;
  beforeEach(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
  });
  afterEach(() => campus.close());

  it('begin with one admin, though four nodes start at once', async () => {
    // Without an admin first, so that the four find the collections made and reach the admin together.
    await campus.startNode({ env: { ADMIN_EMAIL: '', ADMIN_PASSWORD: '' } });
    expect(await campus.db.collection('users').countDocuments()).to.equal(0);

    const nodes = await Promise.all(Array.from({ length: 4 }, () => campus.startNode()));
    const admins: Person[] = [];
    for (const node of nodes) admins.push(await node.admin());
    expect(new Set(admins.map(({ id }) => id)).size).to.equal(1);
    expect(await campus.db.collection('users').countDocuments({ role: 'admin' })).to.equal(1);
    expect((await admins[0]!.get('/users/me')).body).to.deep.include({ role: 'admin', email: 'admin@campus.test' });
  });

  it('leave the admin’s password alone when a node starts with another one', async () => {
    await campus.startNode();
    const restarted = await campus.startNode({ env: { ADMIN_PASSWORD: 'another one altogether' } });
    const answer = await restarted.request('POST', '/auth/login', {
      email: 'admin@campus.test',
      password: 'another one altogether',
    });
    expectProblem(answer, 401, 'INVALID_CREDENTIALS');
    expect((await restarted.admin()).name).to.equal('Admin');
  });

  it('count anew on every node as soon as an account has changed, under the same token', async () => {
    const [api, otherNode] = [await campus.startNode(), await campus.startNode()];
    const [author, person] = [await api.register(), await api.register()];
    const postIds = [await author.publish(), await author.publish()];
    const here = person;
    const there = person.on(otherNode);
    for (const [index, each] of [here, there].entries()) {
      expectProblem(await each.delete(`/posts/${postIds[index]!}`), 403, 'NOT_YOUR_POST');
    }

    await campus.db.collection('users').updateOne({ _id: new ObjectId(person.id) }, { $set: { role: 'moderator' } });
    await person.patch('/users/me', { name: 'Now a moderator' });

    for (const [index, each] of [here, there].entries()) {
      await until(
        () => each.delete(`/posts/${postIds[index]!}`),
        ({ status }) => status === 204,
      );
    }
  });
});
