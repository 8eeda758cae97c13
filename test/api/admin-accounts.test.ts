import { expect } from 'chai';
import { DAY, HOUR, SECOND } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { mailTo } from './auth-mail.js';
import { expectInvalid, expectProblem, NOBODY, registerAs } from './helpers.js';
import { Authenticator, challengeFor, elsewhere, logIn, verify } from './two-factor.js';

describe('Accounts in the hands of admins', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  let admin: Person;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    otherNode = await campus.startNode({ env: { TRUST_PROXY: '1' } });
  });
  after(() => campus.close());
  // Some of these tests let days pass.
  beforeEach(async () => {
    admin = await api!.admin();
  });

  const decide = (person: Person, decision: object, by = admin) => by.patch(`/admin/users/${person.id}`, decision);
  const inAWeek = () => new Date(campus.clock.now().getTime() + 7 * DAY).toISOString();
  const suspend = async (person: Person, reason?: string): Promise<string> => {
    const suspendedUntil = inAWeek();
    const answer = await decide(person, { suspendedUntil, ...(reason !== undefined && { reason }) });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return suspendedUntil;
  };
  const security = (person: Person, count: number): Promise<Json[]> =>
    until(
      async () => (await person.get('/notifications?category=security')).body.data as Json[],
      (list) => list.length >= count,
    );

  describe('get another role', () => {
    it('that counts from the next request on, under the same token, on every node', async () => {
      const [author, person] = [await api!.register(), await api!.register()];
      const postIds = [await author.publish(), await author.publish(), await author.publish()];
      const there = person.on(otherNode!);
      for (const each of [person, there])
        expectProblem(await each.delete(`/posts/${postIds[0]!}`), 403, 'NOT_YOUR_POST');

      const { status, body } = await decide(person, { role: 'moderator' });
      expect(status).to.equal(200);
      expect(body).to.include({ id: person.id, role: 'moderator', email: person.email });
      expect((await person.delete(`/posts/${postIds[0]!}`)).status).to.equal(204);
      await until(
        () => there.delete(`/posts/${postIds[1]!}`),
        (answer) => answer.status === 204,
      );

      await decide(person, { role: 'student' });
      expectProblem(await person.delete(`/posts/${postIds[2]!}`), 403, 'NOT_YOUR_POST');
      await until(
        () => there.delete(`/posts/${postIds[2]!}`),
        (answer) => answer.status === 403,
      );
    });

    it('of which they are told in their language, on sockets that stay open', async () => {
      const person = await api!.register({ locale: 'ar' });
      const socket = await person.on(otherNode!).connect('/notifications');
      await decide(person, { role: 'moderator', reason: 'يساعد الجميع' });
      const told = await socket.next('notification:new', ({ type }) => type === 'SECURITY');
      expect(told).to.include({ title: 'تغيّر دورك', body: 'دورك الآن: مشرف. السبب: \u2068يساعد الجميع\u2069' });
      expect(told.data.security).to.deep.equal({ occasion: 'roleChanged', role: 'moderator', reason: 'يساعد الجميع' });
      expect(socket.socket.connected).to.equal(true);
    });

    it('or keep the one they have, and hear nothing of it', async () => {
      const person = await api!.register();
      expect((await decide(person, { role: 'student' })).status).to.equal(200);
      expect((await decide(person, { suspendedUntil: null })).status).to.equal(200);
      expect((await decide(person, {})).body).to.include({ role: 'student' });
      await decide(person, { role: 'alumni' });
      const told = await security(person, 1);
      expect(told.map(({ title }) => title)).to.deep.equal(['Your role was changed']);
    });
  });

  describe('are suspended', () => {
    it('which ends what they are doing within a second, on every node', async () => {
      const person = await api!.register();
      const [here, there] = [person, person.on(otherNode!)];
      const sockets = [await here.connect('/feed'), await here.connect('/notifications'), await there.connect('/feed')];
      for (const each of [here, there]) expect((await each.get('/users/me')).status).to.equal(200);

      const startedAt = Date.now();
      await suspend(person);
      expectProblem(await here.get('/users/me'), 401, 'SESSION_ENDED');
      await Promise.all(sockets.map((socket) => socket.closed()));
      expect(Date.now() - startedAt).to.be.below(SECOND);
      await until(
        () => there.get('/users/me'),
        ({ status }) => status === 401,
      );
      const refresh = await otherNode!.request('POST', '/auth/refresh', { refreshToken: person.refreshToken });
      expectProblem(refresh, 401, 'REFRESH_TOKEN_INVALID');
    });

    it('and told so when they sign in, but nobody else is', async () => {
      const person = await api!.register();
      await suspend(person);
      expectProblem(await logIn(api!, person), 403, 'ACCOUNT_SUSPENDED');
      const guess = await api!.request(
        'POST',
        '/auth/login',
        { email: person.email, password: 'a guess' },
        elsewhere(),
      );
      expectProblem(guess, 401, 'INVALID_CREDENTIALS');
    });

    it('and get a mail with the end and the reason', async () => {
      const [english, arabic] = [await api!.register(), await api!.register({ locale: 'ar' })];
      const suspendedUntil = await suspend(english, 'Spam <b>again</b>');
      await suspend(arabic, 'رسائل مزعجة');
      const { text, html } = await mailTo(campus, english.email, /Your account is suspended/);
      const year = String(new Date(suspendedUntil).getUTCFullYear());
      expect(text)
        .to.match(new RegExp(`after .*${year}.* \\(UTC\\)`))
        .and.to.include('Spam <b>again</b>');
      expect(html).to.include('Spam &lt;b&gt;again&lt;/b&gt;');
      const mail = await mailTo(campus, arabic.email, /تم تعليق حسابك/);
      expect(mail.text).to.include('رسائل مزعجة').and.to.include(year);
    });

    it('until the time has come, or an admin says so', async () => {
      const [patient, lucky] = [await api!.register(), await api!.register()];
      await suspend(patient);
      await suspend(lucky);
      const { status, body } = await decide(lucky, { suspendedUntil: null });
      expect(status).to.equal(200);
      expect(body).not.to.have.property('suspendedUntil');
      expect((await logIn(api!, lucky)).status).to.equal(200);
      const back = await api!.signIn(lucky.email, lucky.password);
      const told = await security(back, 2);
      expect(told.map(({ title }) => title)).to.deep.equal([
        'Your account is no longer suspended',
        'Your account is suspended',
      ]);

      expectProblem(await logIn(api!, patient), 403, 'ACCOUNT_SUSPENDED');
      campus.clock.advance(7 * DAY + HOUR);
      expect((await logIn(api!, patient)).status).to.equal(200);
    });

    it('though they sign in at the same moment', async () => {
      for (let round = 0; round < 3; round += 1) {
        const person = await api!.register();
        const [, ...signIns] = await Promise.all([
          suspend(person),
          ...Array.from({ length: 5 }, (_, at) => logIn(at % 2 ? api! : otherNode!, person)),
        ]);
        for (const { status, body } of signIns) {
          if (status !== 200) expect(body.code).to.equal('ACCOUNT_SUSPENDED');
          else {
            await until(
              () => api!.request('GET', '/users/me', undefined, { token: body.accessToken }),
              (answer) => [401, 403].includes(answer.status),
            );
          }
        }
      }
    });

    it('though they have begun to sign in with two factors', async () => {
      const person = await api!.register();
      const app = await Authenticator.enabledFor(campus, person);
      const challenge = await challengeFor(api!, person);
      await suspend(person);
      expectProblem(await verify(api!, { challenge, code: app.next() }), 401, 'CHALLENGE_INVALID');
      expectProblem(await logIn(api!, person), 403, 'ACCOUNT_SUSPENDED');
    });
  });

  describe('are changed by admins', () => {
    it('only', async () => {
      const person = await api!.register();
      for (const role of ['student', 'alumni', 'recruiter', 'moderator']) {
        const other = await registerAs(campus, api!, role);
        expectProblem(await decide(person, { role: 'admin' }, other), 403, 'FORBIDDEN');
        expectProblem(await decide(other, { role: 'admin' }, other), 403, 'FORBIDDEN');
      }
      const nobody = await api!.request('PATCH', `/admin/users/${person.id}`, { role: 'admin' });
      expectProblem(nobody, 401, 'UNAUTHORIZED');
      expect((await person.get('/users/me')).body.role).to.equal('student');
    });

    it('other than themselves', async () => {
      expectProblem(await decide(admin, { role: 'student' }), 403, 'NOT_YOURSELF');
      expectProblem(await decide(admin, { suspendedUntil: inAWeek() }), 403, 'NOT_YOURSELF');
      expect((await admin.get('/users/me')).body.role).to.equal('admin');
    });

    it('who remain: of two who take the role from one another, or suspend one another, one succeeds', async () => {
      const decisions = [{ role: 'student' }, { suspendedUntil: inAWeek() }];
      for (const decision of [...decisions, ...decisions]) {
        const [one, other] = [await registerAs(campus, api!, 'admin'), await registerAs(campus, otherNode!, 'admin')];
        const answers = await Promise.all([decide(other, decision, one), decide(one, decision, other)]);
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      }
    });

    it('in ways that make sense', async () => {
      const person = await api!.register();
      const past = new Date(campus.clock.now().getTime() - SECOND).toISOString();
      expectInvalid(await decide(person, { suspendedUntil: past }), 'body.suspendedUntil');
      expectInvalid(await decide(person, { suspendedUntil: 'tomorrow' }), 'body.suspendedUntil');
      expectInvalid(await decide(person, { role: 'king' }), 'body.role');
      expectInvalid(await decide(person, { reason: 'x'.repeat(501) }), 'body.reason');
      expectInvalid(await decide(person, { password: 'x' }), 'body.password');
      expectProblem(await admin.patch(`/admin/users/${NOBODY}`, { role: 'admin' }), 404, 'USER_NOT_FOUND');
      expectInvalid(await admin.patch('/admin/users/someone', { role: 'admin' }), 'params.userId');
    });
  });
});
