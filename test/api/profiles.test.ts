import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { expectInvalid } from './helpers.js';

describe('Profiles', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
  });
  after(() => campus.close());

  const change = async (person: Person, patch: object): Promise<Json> => {
    const { status, body } = await person.patch('/profiles/me', patch);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };

  it('hold skills, experience, education, links and where and when someone studied', async () => {
    const [person, other] = [await api.register(), await api.register()];
    const profile = {
      skills: ['TypeScript', 'Data analysis', 'تصميم'],
      experience: [
        {
          company: 'Acme',
          position: 'Engineer',
          startDate: '2023-02',
          endDate: '2024-05-31',
          description: 'Built it.',
        },
        { company: 'زين', position: 'محلل', startDate: '2024-06-01', location: 'Amman' },
      ],
      education: [{ school: 'Campus', degree: 'BSc', field: 'Computing', startDate: '2019-09', endDate: '2023-06' }],
      links: ['https://example.org/me', 'https://code.example.org/me?tab=work'],
      openToWork: true,
      campus: 'North',
      department: 'Computing',
      graduationYear: 2023,
    };
    expect(await change(person, profile)).to.deep.include(profile);
    expect((await other.get(`/profiles/${person.id}`)).body).to.deep.include(profile);
    expect((await person.get('/users/me')).body).to.deep.include(profile);
  });

  it('replace a list as a whole and leave what is not named alone', async () => {
    const person = await api.register();
    await change(person, { skills: ['One', 'Two'], links: ['https://a.example/'], campus: 'North' });
    const body = await change(person, { skills: ['Three'] });
    expect(body).to.deep.include({ skills: ['Three'], links: ['https://a.example/'], campus: 'North' });
    expect((await change(person, { skills: [] })).skills).to.deep.equal([]);
  });

  it('let go of what is set to null', async () => {
    const person = await api.register();
    await change(person, {
      headline: 'Here',
      location: 'Amman',
      campus: 'North',
      department: 'Law',
      graduationYear: 2020,
    });
    const body = await change(person, { headline: null, campus: null, department: null, graduationYear: null });
    expect(body).to.include({ location: 'Amman' });
    expect(body).to.not.have.any.keys('headline', 'campus', 'department', 'graduationYear');
    const { body: byCampus } = await person.get('/users?campus=North');
    expect(byCampus.data.map(({ id }: Json) => id)).to.not.include(person.id);
  });

  it('take fifty skills, none of them twice in another spelling', async () => {
    const person = await api.register();
    const fifty = Array.from({ length: 50 }, (_, i) => `Skill ${i}`);
    expect((await change(person, { skills: fifty })).skills).to.have.length(50);
    expectInvalid(await person.patch('/profiles/me', { skills: [...fifty, 'One more'] }), 'body.skills');
    expectInvalid(await person.patch('/profiles/me', { skills: ['Go', 'go'] }), 'body.skills');
    expectInvalid(await person.patch('/profiles/me', { skills: ['إدارة', 'اداره'] }), 'body.skills');
    expectInvalid(await person.patch('/profiles/me', { skills: ['x'.repeat(61)] }), 'body.skills.0');
    expect((await person.get('/users/me')).body.skills).to.deep.equal(fifty);
  });

  it('take at most ten links, by https only, and none that carries a password', async () => {
    const person = await api.register();
    const links = Array.from({ length: 10 }, (_, i) => `https://example.org/${i}`);
    expect((await change(person, { links })).links).to.deep.equal(links);
    expectInvalid(await person.patch('/profiles/me', { links: [...links, 'https://example.org/x'] }), 'body.links');
    for (const bad of [
      'http://example.org',
      'javascript:alert(1)',
      'example.org',
      'https://a:b@example.org/',
      'https://',
    ]) {
      expectInvalid(await person.patch('/profiles/me', { links: [bad] }), 'body.links.0');
    }
  });

  it('refuse dates that do not exist and stays that end before they begin', async () => {
    const person = await api.register();
    const work = (dates: object) => ({ experience: [{ company: 'A', position: 'B', ...dates }] });
    for (const startDate of ['2024-02-30', '2024-13', '24-01-01', 'May 2024', '2024']) {
      expectInvalid(await person.patch('/profiles/me', work({ startDate })), 'body.experience.0.startDate');
    }
    expectInvalid(
      await person.patch('/profiles/me', work({ startDate: '2024-05-02', endDate: '2024-05-01' })),
      'body.experience.0',
    );
    await change(person, work({ startDate: '2024-05-02', endDate: '2024-05' }));
    const school = { school: 'S', startDate: '2024-05', endDate: '2023-05' };
    expectInvalid(await person.patch('/profiles/me', { education: [school] }), 'body.education.0');
    const many = Array.from({ length: 31 }, () => ({ company: 'A', position: 'B', startDate: '2024-01' }));
    expectInvalid(await person.patch('/profiles/me', { experience: many }), 'body.experience');
  });

  describe('tell of a placement', () => {
    const placement = { company: 'Acme', position: 'Engineer', startDate: '2026-09-01' };
    const placements = (person: Person) =>
      campus.db.collection('events').find({ type: 'user.placed', actorId: person.id }).sort({ _id: 1 }).toArray();

    it('to everyone who looks, with an event that says all there is to tell', async () => {
      const [person, other] = [await api.register({ name: 'Amal', role: 'alumni' }), await api.register()];
      await change(person, { campus: 'North', department: 'Law', graduationYear: 2026 });
      const { status, body } = await person.put('/profiles/me/placement', placement);
      expect(status).to.equal(200);
      expect(body.placement).to.deep.equal(placement);
      expect((await other.get(`/profiles/${person.id}`)).body.placement).to.deep.equal(placement);
      const [event, ...more] = await placements(person);
      expect(more).to.have.length(0);
      expect(event).to.deep.include({ entity: { kind: 'user', id: person.id } });
      expect(event!['data']).to.deep.equal({
        userId: person.id,
        name: 'Amal',
        role: 'alumni',
        locale: 'en',
        placement,
        campus: 'North',
        department: 'Law',
        graduationYear: 2026,
      });
    });

    it('once, however often the same is said, and again when it changes', async () => {
      const person = await api.register();
      await Promise.all(Array.from({ length: 5 }, () => person.put('/profiles/me/placement', placement)));
      expect(await placements(person)).to.have.length(1);
      await person.put('/profiles/me/placement', { ...placement, position: 'Lead' });
      const [, second] = await placements(person);
      expect(second!['data']).to.deep.include({ placement: { ...placement, position: 'Lead' }, previous: placement });
    });

    it('only with a company, a position and a date', async () => {
      const person = await api.register();
      expectInvalid(
        await person.put('/profiles/me/placement', { company: ' ', startDate: '2026-02-31', salary: 1 }),
        'body.company',
        'body.position',
        'body.startDate',
        'body.salary',
      );
    });
  });
});
