import { expect } from 'chai';
import { HOUR, MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY, registerAs } from './helpers.js';

type Name = 'admin' | 'layla' | 'omar' | 'sara';

describe('Announcements', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  let people: Record<Name, Person>;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode();
    const [layla, omar, sara] = await Promise.all([
      api.register({ name: 'ليلى حدّاد', locale: 'ar' }),
      api.register({ role: 'alumni' }),
      api.register({ role: 'recruiter' }),
    ]);
    admin = await api.admin();
    people = { admin, layla, omar, sara };
    const work = { company: 'Aramex', position: 'Engineer', startDate: '2021-01' };
    await Promise.all([
      layla.patch('/profiles/me', {
        ...{ campus: 'الجامعة الأردنيّة', department: 'Chemistry', graduationYear: 2027 },
        ...{ skills: ['Python', 'SQL'], location: 'عمّان، الأردن' },
      }),
      omar.patch('/profiles/me', {
        ...{ campus: 'Yarmouk', department: 'Chemistry', graduationYear: 2020 },
        ...{ skills: ['SQL'], location: 'Irbid, Jordan', experience: [work] },
      }),
      sara.patch('/profiles/me', { location: 'Dubai', experience: [work] }),
    ]);
  });
  beforeEach(async () => {
    // The clock moves: tokens of before may have expired.
    admin = await api.admin();
    for (const name of ['layla', 'omar', 'sara'] as const) {
      const { email, password } = people[name];
      people[name] = await api.signIn(email, password);
    }
    people.admin = admin;
  });
  after(() => campus.close());

  const words = { title: { en: 'Library' }, body: { en: 'Closed on Sunday' } };
  const inApp = { channels: ['inApp'] };
  const send = (choices: object, headers: Record<string, string> = {}) =>
    admin.post('/admin/announcements', { ...words, ...inApp, audience: { everyone: true }, ...choices }, { headers });
  const read = async (id: string): Promise<Json> => (await admin.get(`/admin/announcements/${id}`)).body;
  const is = (id: string, status: string): Promise<Json> =>
    until(
      () => read(id),
      (now) => now.status === status,
    );
  /** The announcement once it was sent. */
  async function announce(choices: object): Promise<Json> {
    const { status, body } = await send(choices);
    expect(status, JSON.stringify(body)).to.equal(202);
    return is(body.id, 'sent');
  }
  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications')).body.data;
  const received = async (id: string): Promise<Name[]> => {
    const found: Name[] = [];
    for (const [name, person] of Object.entries(people) as [Name, Person][]) {
      if ((await listOf(person)).some(({ entity }) => entity.id === id)) found.push(name);
    }
    return found;
  };
  const soon = (ms: number): string => new Date(campus.clock.now().getTime() + ms).toISOString();

  const AUDIENCES: [string, (ids: Record<Name, string>) => object, Name[]][] = [
    ['everyone', () => ({ everyone: true }), ['admin', 'layla', 'omar', 'sara']],
    ['roles', () => ({ roles: ['alumni', 'recruiter'] }), ['omar', 'sara']],
    ['campuses, in Arabic and however written', () => ({ campuses: ['الجامعه الاردنية'] }), ['layla']],
    ['departments', () => ({ departments: [' chemistry'] }), ['layla', 'omar']],
    ['graduation years', () => ({ graduationYears: [2020, 2021] }), ['omar']],
    ['skills', () => ({ skills: ['python', 'cobol'] }), ['layla']],
    ['places, whole or what they lie in', () => ({ locations: ['الأردن', 'irbid, jordan'] }), ['layla', 'omar']],
    ['companies', () => ({ companies: ['ARAMEX'] }), ['omar', 'sara']],
    ['ids', ({ layla }) => ({ userIds: [layla.toUpperCase(), NOBODY] }), ['layla']],
    ['several lists that must all fit', () => ({ companies: ['Aramex'], departments: ['Chemistry'] }), ['omar']],
    ['all but some roles', () => ({ everyone: true, exclude: { roles: ['admin', 'alumni'] } }), ['layla', 'sara']],
    [
      'a list but for those of other lists, each by itself',
      ({ sara }) => ({ everyone: true, exclude: { userIds: [sara], skills: ['Python'] } }),
      ['admin', 'omar'],
    ],
    ['nobody', () => ({ campuses: ['Atlantis'] }), []],
  ];
  for (const [what, audienceOf, names] of AUDIENCES) {
    it(`reach an audience of ${what}, and nobody else: as the preview says`, async () => {
      const ids = Object.fromEntries(Object.entries(people).map(([name, { id }]) => [name, id])) as Record<
        Name,
        string
      >;
      const audience = audienceOf(ids);
      const { status, body } = await admin.post('/admin/announcements/preview', { audience });
      expect(status).to.equal(200);
      expect(body.count).to.equal(names.length);
      expect(idsOf(body.sample)).to.have.members(names.map((name) => ids[name]));
      for (const one of body.sample) expect(one).to.include.keys('id', 'name', 'role').and.not.have.property('email');

      const { id, progress } = await announce({ audience });
      expect(progress).to.deep.equal({
        ...{ total: names.length, processed: names.length, created: names.length },
        channels: names.length > 0 ? { inApp: names.length } : {},
        stopped: {},
      });
      expect(await received(id)).to.have.members(names);
    });
  }

  it('are read by each in their own language, and in the other one where there is no such text', async () => {
    const both = {
      title: { en: 'Exams', ar: 'الامتحانات' },
      body: { en: 'They begin on Sunday', ar: 'تبدأ يوم الأحد ﷽ 🎓' },
    };
    const arabic = { title: { ar: 'إعلان' }, body: { ar: 'بالعربيّة فقط' } };
    const first = await announce(both);
    const second = await announce(arabic);
    const third = await announce({});
    expect(first).to.deep.include({ ...both, audience: { everyone: true }, channels: ['inApp'], createdBy: admin.id });
    const textsOf = async (person: Person) =>
      (await listOf(person)).slice(0, 3).map(({ title, body, entity, type }) => ({ title, body, id: entity.id, type }));
    const SYSTEM = { type: 'SYSTEM' };
    const onlyArabic = { title: 'إعلان', body: 'بالعربيّة فقط', id: second.id, ...SYSTEM };
    const onlyEnglish = { title: 'Library', body: 'Closed on Sunday', id: third.id, ...SYSTEM };
    expect(await textsOf(people.layla)).to.deep.equal([
      onlyEnglish,
      onlyArabic,
      { title: 'الامتحانات', body: 'تبدأ يوم الأحد ﷽ 🎓', id: first.id, ...SYSTEM },
    ]);
    expect(await textsOf(people.omar)).to.deep.equal([
      onlyEnglish,
      onlyArabic,
      { title: 'Exams', body: 'They begin on Sunday', id: first.id, ...SYSTEM },
    ]);
  });

  it('leave out who has switched them off', async () => {
    await people.sara.patch('/settings/notifications', { preferences: { system: { inApp: false } } });
    const { id, progress } = await announce({});
    expect(progress).to.deep.include({ total: 4, processed: 4, created: 3, channels: { inApp: 3 } });
    expect(await received(id)).to.have.members(['admin', 'layla', 'omar']);
    await people.sara.patch('/settings/notifications', { preferences: { system: { inApp: true } } });
  });

  it('go out at their time and not before, to those who are there by then', async () => {
    const { body } = await send({ sendAt: soon(HOUR) });
    expect(body).to.deep.include({ status: 'scheduled' }).and.not.have.any.keys('startedAt', 'endedAt');
    const marker = await announce({ title: { en: 'Marker' } });
    expect(await received(marker.id)).to.have.length(4);
    expect(await received(body.id)).to.be.empty;
    const late = await api.register();

    campus.clock.advance(61 * MINUTE);
    admin = await api.admin();
    const { progress, startedAt, endedAt } = await is(body.id, 'sent');
    expect(progress).to.include({ total: 5, created: 5 });
    expect(Date.parse(startedAt)).to.be.at.least(Date.parse(body.sendAt)).and.at.most(Date.parse(endedAt));
    const again = await api.signIn(late.email, late.password);
    expect((await listOf(again)).map(({ entity }) => entity.id)).to.include(body.id);
    await announce({ audience: { userIds: [late.id] } });
  });

  it('that were not sent by their end are not sent', async () => {
    expectProblem(await send({ expiresAt: soon(-MINUTE) }), 400, 'EXPIRES_TOO_EARLY');
    const at = soon(HOUR);
    expectProblem(await send({ sendAt: at, expiresAt: at }), 400, 'EXPIRES_TOO_EARLY');
    const { body } = await send({ sendAt: soon(HOUR), expiresAt: soon(2 * HOUR) });
    await campus.stopNodes();
    campus.clock.advance(3 * HOUR);
    api = await campus.startNode();
    admin = await api.admin();
    expect((await is(body.id, 'expired')).progress).to.deep.include({ processed: 0, created: 0 });
    expectProblem(await admin.post(`/admin/announcements/${body.id as string}/cancel`), 409, 'ANNOUNCEMENT_EXPIRED');
  });

  it('can be cancelled before they are due, by many at once', async () => {
    const { body } = await send({ sendAt: soon(HOUR) });
    const path = `/admin/announcements/${body.id as string}/cancel`;
    const answers = await Promise.all(Array.from({ length: 5 }, () => admin.post(path)));
    for (const answer of answers) expect(answer.body).to.deep.include({ id: body.id, status: 'cancelled' });
    campus.clock.advance(61 * MINUTE);
    admin = await api.admin();
    const marker = await announce({ audience: { roles: ['admin'] } });
    expect((await listOf(admin)).map(({ entity }) => entity.id))
      .to.include(marker.id)
      .and.not.include(body.id);
    expect((await read(body.id)).status).to.equal('cancelled');
    const { body: audit } = await admin.get(`/audit?targetId=${body.id as string}`);
    expect(audit.data.map(({ action }: Json) => action)).to.deep.equal([
      'announcement.cancelled',
      'announcement.scheduled',
    ]);
  });

  it('tell admins how far they are, live, and nobody else', async () => {
    const [watching, other] = [await admin.connect('/notifications'), await people.omar.connect('/notifications')];
    const { id, progress } = await announce({});
    await other.next('notification:new', ({ entity }) => entity.id === id);
    await watching.next('announcement:progress', (told) => told.id === id && told.status === 'sent');
    expect(watching.all('announcement:progress').filter((told) => told.id === id)).to.deep.equal([
      { id, status: 'sending', progress: { ...progress, processed: 0, created: 0, channels: {} } },
      { id, status: 'sent', progress },
    ]);
    expect(other.all('announcement:progress')).to.be.empty;
    admin.disconnect();
    people.omar.disconnect();
  });

  it('are listed newest first, by status, a page at a time', async () => {
    const { body } = await send({ sendAt: soon(HOUR) });
    const all = await allPages(admin, '/admin/announcements', { limit: 7 });
    expect(all[0]).to.deep.equal(body);
    expect(idsOf(all)).to.deep.equal(idsOf(all).toSorted().reverse());
    const scheduled = await allPages(admin, '/admin/announcements?status=scheduled', { limit: 2 });
    expect(scheduled).to.deep.equal(all.filter(({ status }) => status === 'scheduled'));
    expect((await admin.get('/admin/announcements?status=expired')).body.data).to.have.length(1);
    expectInvalid(await admin.get('/admin/announcements?status=lost'), 'query.status');
    await admin.post(`/admin/announcements/${body.id as string}/cancel`);
  });

  it('are made once for one Idempotency-Key, though asked for five times at once', async () => {
    const once = { 'idempotency-key': 'announced-once' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send({}, once)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id as string}`)).size).to.equal(1);
    await is(answers[0]!.body.id, 'sent');
    expectProblem(await send({ title: { en: 'Other' } }, once), 409, 'IDEMPOTENCY_KEY_REUSED');
  });

  it('say whom they are for, in words of one language or of both', async () => {
    expectInvalid(await send({ audience: {} }), 'body.audience');
    expectInvalid(await send({ audience: { everyone: false } }), 'body.audience');
    expectInvalid(await send({ audience: { exclude: { roles: ['student'] } } }), 'body.audience');
    expectInvalid(
      await send({ audience: { roles: [], skills: [' '] } }),
      'body.audience.roles',
      'body.audience.skills.0',
    );
    expectInvalid(await send({ audience: { roles: ['teacher'] } }), 'body.audience.roles.0');
    expectInvalid(await send({ audience: { graduationYears: ['2024'] } }), 'body.audience.graduationYears.0');
    expectInvalid(await send({ audience: { userIds: ['me'] } }), 'body.audience.userIds.0');
    expectInvalid(await send({ audience: { everyone: true, group: NOBODY } }), 'body.audience.group');
    expectInvalid(await send({ title: {}, body: {} }), 'body');
    expectInvalid(await send({ title: { en: 'In one' }, body: { ar: 'وبالأخرى' } }), 'body');
    expectInvalid(await send({ title: { en: 'x'.repeat(121) }, body: { en: ' ' } }), 'body.title.en', 'body.body.en');
    expectInvalid(await send({ title: { fr: 'Bonjour' } }), 'body.title.fr');
    expectInvalid(await send({ channels: [], sendAt: 'tomorrow' }), 'body.channels', 'body.sendAt');
    expectInvalid(await admin.post('/admin/announcements/preview', { audience: {} }), 'body.audience');
    expectProblem(await admin.get(`/admin/announcements/${NOBODY}`), 404, 'ANNOUNCEMENT_NOT_FOUND');
    expectProblem(await admin.post(`/admin/announcements/${NOBODY}/cancel`), 404, 'ANNOUNCEMENT_NOT_FOUND');
  });

  it('are for admins only', async () => {
    const moderator = await registerAs(campus, api, 'moderator');
    const { body } = await send({ sendAt: soon(HOUR) });
    const id = body.id as string;
    for (const person of [people.omar, moderator]) {
      for (const answer of [
        await person.post('/admin/announcements', { ...words, audience: { everyone: true } }),
        await person.post('/admin/announcements/preview', { audience: { everyone: true } }),
        await person.get('/admin/announcements'),
        await person.get(`/admin/announcements/${id}`),
        await person.post(`/admin/announcements/${id}/cancel`),
      ]) {
        expectProblem(answer, 403, 'FORBIDDEN');
      }
    }
    expect((await read(id)).status).to.equal('scheduled');
  });
});
