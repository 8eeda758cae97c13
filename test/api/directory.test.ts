import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { allPages, expectInvalid, expectProblem, idsOf, registerAs } from './helpers.js';

describe('The directory', () => {
  let campus: Campus;
  let api: Api;
  let reader: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    reader = await api.register({ name: 'Reader' });
  });
  after(() => campus.close());

  const named = async (name: string, profile: object = {}, role: 'student' | 'alumni' | 'recruiter' = 'student') => {
    const person = await api.register({ name, role });
    const { status, body } = await person.patch('/profiles/me', profile);
    expect(status, JSON.stringify(body)).to.equal(200);
    return person;
  };
  const find = async (filter: Record<string, string>): Promise<string[]> => {
    const { status, body } = await reader.get(`/users?${new URLSearchParams(filter).toString()}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.data.map(({ name }: Json) => name);
  };

  it('finds by campus, department, year and role, all of which must hold', async () => {
    await named('F Law 1', { campus: 'Filter', department: 'Law', graduationYear: 2024 });
    await named('F Law 2', { campus: 'Filter', department: 'Law', graduationYear: 2025 }, 'alumni');
    await named('F Arts', { campus: 'Filter', department: 'Arts', graduationYear: 2025 });
    await named('F Elsewhere', { campus: 'Other', department: 'Law', graduationYear: 2025 });
    expect(await find({ campus: 'filter' })).to.deep.equal(['F Arts', 'F Law 1', 'F Law 2']);
    expect(await find({ campus: 'FILTER', department: 'law' })).to.deep.equal(['F Law 1', 'F Law 2']);
    expect(await find({ campus: 'filter', graduationYear: '2025' })).to.deep.equal(['F Arts', 'F Law 2']);
    expect(await find({ campus: 'filter', role: 'alumni' })).to.deep.equal(['F Law 2']);
    expect(await find({ campus: 'filt' })).to.deep.equal([]);
  });

  it('finds by skill and by company, of the past, the present and a placement', async () => {
    const job = (company: string) => ({ experience: [{ company, position: 'X', startDate: '2020-01' }] });
    await named('C Worked', { ...job('Acme  Labs'), skills: ['Event Sourcing'] });
    const placed = await named('C Placed', { skills: ['event sourcing', 'Go'] });
    await placed.put('/profiles/me/placement', { company: 'ACME Labs', position: 'Y', startDate: '2026-09' });
    await named('C Neither', job('Acme'));
    expect(await find({ company: 'acme labs' })).to.deep.equal(['C Placed', 'C Worked']);
    expect(await find({ skill: 'EVENT sourcing' })).to.deep.equal(['C Placed', 'C Worked']);
    expect(await find({ skill: 'go', company: 'acme labs' })).to.deep.equal(['C Placed']);

    await placed.patch('/profiles/me', { ...job('Elsewhere'), skills: [] });
    expect(await find({ skill: 'go', company: 'acme labs' })).to.deep.equal([]);
    expect(await find({ company: 'acme labs' }), 'the placement still stands').to.include('C Placed');
  });

  it('finds by the beginning of a name, whatever its case, accents and Arabic letter forms', async () => {
    await named('Zoë Haddad');
    await named('zoeller');
    await named('أحمد زيدان');
    expect(await find({ q: 'ZOE' })).to.deep.equal(['Zoë Haddad', 'zoeller']);
    expect(await find({ q: 'zoë h' })).to.deep.equal(['Zoë Haddad']);
    expect(await find({ q: 'احمد' })).to.deep.equal(['أحمد زيدان']);
    expect(await find({ q: 'haddad' })).to.deep.equal([]);
    expect(await find({ q: '.*' })).to.deep.equal([]);
    const renamed = await named('Quentin');
    await renamed.patch('/users/me', { name: 'Xaver' });
    expect([await find({ q: 'quen' }), await find({ q: 'xav' })]).to.deep.equal([[], ['Xaver']]);
  });

  it('pages by name without repeating or skipping anyone, though others arrive meanwhile', async () => {
    const everyone: string[] = [];
    for (const name of ['P b', 'P a', 'P c', 'P a', 'P e', 'P d']) {
      everyone.push((await named(name, { campus: 'Paging' })).id);
    }
    const seen = await allPages(reader, '/users?campus=paging', {
      limit: 2,
      between: () => named('P 0 newcomer', { campus: 'Paging' }),
    });
    expect(seen.map(({ name }) => name)).to.deep.equal(['P a', 'P a', 'P b', 'P c', 'P d', 'P e']);
    expect(idsOf(seen)).to.have.members(everyone);
  });

  it('shows summaries only, never an e-mail address, not even to admins', async () => {
    const person = await named('S Person', { headline: 'Here', campus: 'Summaries', location: 'Amman' });
    const { body } = await (await api.admin()).get('/users?campus=summaries');
    expect(body.data).to.deep.equal([{ id: person.id, name: 'S Person', role: 'student', headline: 'Here' }]);
  });

  it('refuses filters it does not know and cursors of another list', async () => {
    expectInvalid(
      await reader.get('/users?role=king&salary=1&graduationYear=soon'),
      'query.role',
      'query.salary',
      'query.graduationYear',
    );
    await registerAs(campus, api, 'moderator');
    const { body } = await reader.get('/users?limit=1');
    expectProblem(await reader.get(`/users?campus=paging&cursor=${body.nextCursor}`), 400, 'INVALID_CURSOR');
    expectProblem(await api.request('GET', '/users'), 401, 'UNAUTHORIZED');
  });

  it('answers every filter from an index, in the order of names, without sorting', async () => {
    for (const filter of [
      { role: 'student' },
      { 'keys.campus': 'paging' },
      { 'keys.department': 'law' },
      { graduationYear: 2025 },
      { 'keys.companies': 'acme' },
      { 'keys.skills': 'go' },
      { 'keys.name': { $gte: 'zo', $lt: 'zp' } },
      {},
    ]) {
      const plan = await campus.db
        .collection('users')
        .find({ ...filter, deletion: null })
        .sort({ 'keys.name': 1, _id: 1 })
        .limit(21)
        .explain('queryPlanner');
      const stages = JSON.stringify(plan['queryPlanner'].winningPlan);
      expect(stages, JSON.stringify(filter)).to.include('IXSCAN').and.not.include('"SORT"');
    }
  });

  it('finds people whose accounts are older than the directory', async () => {
    const old = await api.register({ name: 'Old Account' });
    await old.patch('/profiles/me', { campus: 'Ancient' });
    await campus.db.collection('users').updateMany({ name: 'Old Account' }, { $unset: { keys: 1 } });
    expect(await find({ q: 'old acc' })).to.deep.equal([]);
    await campus.db.collection<{ _id: string }>('migrations').deleteOne({ _id: '0001-directory-keys-of-users' });
    await campus.startNode();
    expect(await find({ q: 'old acc', campus: 'ancient' })).to.deep.equal(['Old Account']);
  });
});
