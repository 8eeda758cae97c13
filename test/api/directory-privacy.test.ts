import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { allPages, idsOf } from './helpers.js';

type Audience = 'everyone' | 'connections' | 'nobody';

/** A profile with something for every filter, all of it unlike any other test's. */
const profileOf = (unique: string) => ({
  headline: `Headline of ${unique}`,
  campus: `حرم ${unique}`,
  department: `قسم ${unique}`,
  graduationYear: 2031,
  skills: [`Skill ${unique}`],
  experience: [{ company: `Company ${unique}`, position: 'X', startDate: '2020-01' }],
});
const factsOf = (unique: string): Record<string, string>[] => [
  { campus: `حرم ${unique}` },
  { department: `قسم ${unique}` },
  { graduationYear: '2031', q: unique },
  { skill: `skill ${unique}` },
  { company: `company ${unique}` },
  { campus: `حرم ${unique}`, role: 'student', q: unique },
];

describe('The directory and profiles that not everyone may view', () => {
  let campus: Campus;
  let [api, otherNode]: [Api, Api] = [] as never;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const choose = async (person: Person, viewProfile: Audience): Promise<void> => {
    expect((await person.patch('/settings/privacy', { viewProfile })).status).to.equal(200);
  };
  const known = async (unique: string, viewProfile?: Audience): Promise<Person> => {
    const person = await api.register({ name: `${unique} Person` });
    expect((await person.patch('/profiles/me', profileOf(unique))).status).to.equal(200);
    if (viewProfile) await choose(person, viewProfile);
    return person;
  };
  const connect = async (one: Person, other: Person): Promise<string> => {
    const { body } = await one.post('/connections', { userId: other.id });
    expect((await other.put(`/connections/${body.id}/accept`)).status).to.equal(200);
    return body.id as string;
  };
  const find = async (viewer: Person, filter: Record<string, string>): Promise<Json[]> => {
    const { status, body } = await viewer.get(`/users?${new URLSearchParams(filter).toString()}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.data as Json[];
  };
  /** By how many of the facts in someone's profile a viewer finds them. */
  const foundBy = async (viewer: Person, person: Person, unique: string): Promise<number> => {
    const lists = await Promise.all(factsOf(unique).map((facts) => find(viewer, facts)));
    return lists.filter((list) => idsOf(list).includes(person.id)).length;
  };
  const ALL = factsOf('').length;

  for (const [audience, forStranger, forConnection] of [
    ['everyone', ALL, ALL],
    ['connections', 0, ALL],
    ['nobody', 0, 0],
  ] as const) {
    it(`finds by what a profile says whom that shows it to: ${audience}`, async () => {
      const unique = `Shared${audience}`;
      const person = await known(unique, audience);
      const [stranger, friend] = [await api.register(), await api.register()];
      await connect(friend, person);
      expect(await foundBy(stranger, person, unique)).to.equal(forStranger);
      expect(await foundBy(friend, person, unique)).to.equal(forConnection);
      expect(await foundBy(person, person, unique), 'oneself').to.equal(ALL);
      expect(await foundBy(await api.admin(), person, unique), 'an admin').to.equal(ALL);

      // Name and role are everyone's to see; the headline is a part of the profile.
      const bare = { id: person.id, name: person.name, role: 'student' };
      const whole = { ...bare, headline: `Headline of ${unique}` };
      const byName = { q: unique, role: 'student' };
      expect(await find(stranger, byName)).to.deep.equal([forStranger ? whole : bare]);
      expect(await find(friend, byName)).to.deep.equal([forConnection ? whole : bare]);
      expect(await find(person, byName)).to.deep.equal([whole]);
      expect(await find(await api.admin(), byName)).to.deep.equal([whole]);
    });
  }

  it('follows at once, on every node, whom a profile is shown to and who is connected', async () => {
    const person = await known('Changing');
    const viewer = await api.register();
    const there = viewer.on(otherNode);
    expect(await foundBy(there, person, 'Changing')).to.equal(ALL);
    await choose(person, 'connections');
    expect(await foundBy(there, person, 'Changing')).to.equal(0);
    const connectionId = await connect(viewer, person);
    expect(await foundBy(there, person, 'Changing')).to.equal(ALL);
    expect((await viewer.delete(`/connections/${connectionId}`)).status).to.equal(204);
    expect(await foundBy(there, person, 'Changing')).to.equal(0);
    await choose(person, 'everyone');
    expect(await foundBy(there, person, 'Changing')).to.equal(ALL);
    await viewer.post(`/users/${person.id}/block`);
    expect(await foundBy(viewer, person, 'Changing')).to.equal(0);
    expect(await find(viewer, { q: 'Changing' })).to.deep.equal([]);
  });

  it('does not show by a request alone what is for connections', async () => {
    const person = await known('Asked', 'connections');
    const viewer = await api.register();
    await viewer.post('/connections', { userId: person.id });
    expect(await foundBy(viewer, person, 'Asked')).to.equal(0);
  });

  it('fills its pages, in order, without those it leaves out', async () => {
    const people: Person[] = [];
    const audiences: Audience[] = [
      'nobody',
      'everyone',
      'connections',
      'everyone',
      'nobody',
      'everyone',
      'connections',
    ];
    for (const [at, audience] of audiences.entries()) {
      const person = await api.register({ name: `Paged ${at}` });
      await person.patch('/profiles/me', { campus: 'Paged', headline: 'X' });
      await choose(person, audience);
      people.push(person);
    }
    const viewer = await api.register();
    await connect(viewer, people[2]!);
    const ids = (...at: number[]) => at.map((index) => people[index]!.id);
    expect(idsOf(await allPages(viewer, '/users?campus=paged', { limit: 2 }))).to.deep.equal(ids(1, 2, 3, 5));
    const { body } = await viewer.get('/users?campus=paged&limit=3');
    expect(body.data).to.have.length(3);
    expect(idsOf(await allPages(viewer, '/users?q=paged', { limit: 3 }))).to.deep.equal(idsOf(people));
  });

  it('agrees with the setting, however often that changes at once', async () => {
    const person = await known('Torn');
    const stranger = await api.register();
    for (let round = 0; round < 3; round += 1) {
      const wishes: Audience[] = ['nobody', 'everyone', 'connections', 'everyone'];
      await Promise.all(
        wishes.map((viewProfile, at) =>
          person.on(at % 2 ? api : otherNode).patch('/settings/privacy', { viewProfile, showPhoto: at % 2 === 0 }),
        ),
      );
      const { viewProfile } = (await person.get('/settings/privacy')).body;
      expect(await foundBy(stranger, person, 'Torn')).to.equal(viewProfile === 'everyone' ? ALL : 0);
    }
  });

  it('respects what was chosen before it did', async () => {
    const [closed, open] = [await known('Elder', 'nobody'), await known('Elderly')];
    const stranger = await api.register();
    const _id = new ObjectId(closed.id);
    await campus.db.collection('users').updateOne({ _id }, { $unset: { profileAudience: 1 } });
    expect(await foundBy(stranger, closed, 'Elder')).to.equal(ALL);
    await campus.db.collection<{ _id: string }>('migrations').deleteOne({ _id: '0002-profile-audiences-of-users' });
    await campus.startNode();
    expect(await foundBy(stranger, closed, 'Elder')).to.equal(0);
    expect(await foundBy(stranger, open, 'Elderly')).to.equal(ALL);
  });

  it('answers from the index of what is asked for, in the order of names, without sorting', async () => {
    const some = Array.from({ length: 50 }, () => new ObjectId());
    for (const fact of [
      { 'keys.campus': 'paged' },
      { 'keys.department': 'law' },
      { graduationYear: 2031 },
      { 'keys.companies': 'acme' },
      { 'keys.skills': 'go' },
    ]) {
      const plan = await campus.db
        .collection('users')
        .find({
          ...fact,
          deletion: null,
          $or: [
            { profileAudience: null },
            { profileAudience: 'connections', _id: { $in: some } },
            { _id: new ObjectId() },
          ],
        })
        .sort({ 'keys.name': 1, _id: 1 })
        .limit(21)
        .explain('queryPlanner');
      const stages = JSON.stringify(plan['queryPlanner'].winningPlan);
      expect(stages, JSON.stringify(fact)).to.include('IXSCAN').and.not.include('"SORT"');
    }
  });
});
