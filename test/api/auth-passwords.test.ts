import { expect } from 'chai';
import { hash } from '@node-rs/argon2';
import { ObjectId } from 'mongodb';
import { HOUR } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { newCode, RESET, tokenFor, wrongCode } from './auth-mail.js';
import { expectInvalid, expectProblem } from './helpers.js';

const NEW = 'violet umbrellas at dawn';

describe('Passwords', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    const env = { TRUST_PROXY: '1', PASSWORD_MEMORY_KIB: '19456' };
    api = await campus.startNode({ env });
    otherNode = await campus.startNode({ env });
  });
  after(() => campus.close());

  let addresses = 0;
  const from = () => ({ headers: { 'x-forwarded-for': `10.2.0.${++addresses}` } });
  const signIn = (email: string, password: string) => api!.request('POST', '/auth/login', { email, password }, from());
  const forgot = (email: string, choices = from()) => api!.request('POST', '/auth/password/forgot', { email }, choices);
  const reset = (token: string, password = NEW, on = api!) =>
    on.request('POST', '/auth/password/reset', { token, password }, from());
  const change = (person: Person, currentPassword: string, newPassword = NEW, code = '000000') =>
    person.post('/auth/password/change', { currentPassword, newPassword, code }, from());
  const codeOf = (person: Person) => newCode(campus, person, 'passwordChange');
  const told = (person: Person, title: RegExp) =>
    until(
      async () =>
        (await person.get('/notifications?category=security')).body.data.map((each: Json) => each.title).join(),
      (titles) => title.test(titles),
    );

  describe('that are forgotten', () => {
    it('are replaced by a mailed link, which ends every session', async () => {
      const person = await api!.register();
      const socket = await person.on(otherNode!).connect('/notifications');
      expect((await forgot(person.email)).status).to.equal(204);
      const token = await tokenFor(campus, person.email, RESET);
      expect((await reset(token)).status).to.equal(204);
      await socket.closed();
      expectProblem(await person.get('/users/me'), 401, 'SESSION_ENDED');
      expectProblem(await signIn(person.email, person.password), 401, 'INVALID_CREDENTIALS');
      const back = await api!.signIn(person.email, NEW);
      await told(back, /Your password was changed/);
      // Whoever reads the mailbox has proven that.
      expect((await back.get('/users/me')).body.emailVerified).to.equal(true);
    });

    it('can be replaced once by a link, even when it is used many times at once', async () => {
      const person = await api!.register();
      await forgot(person.email);
      const token = await tokenFor(campus, person.email, RESET);
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, at) => reset(token, `${NEW} ${at}`, at % 2 ? api : otherNode)),
      );
      expect(answers.filter(({ status }) => status === 204)).to.have.length(1);
      const winner = answers.findIndex(({ status }) => status === 204);
      expect((await signIn(person.email, `${NEW} ${winner}`)).status).to.equal(200);
    });

    it('are not replaced by a link that is an hour old, or older than a change', async () => {
      const [slow, quick] = [await api!.register(), await api!.register()];
      await forgot(slow.email);
      await forgot(quick.email);
      const [stale, overtaken] = [
        await tokenFor(campus, slow.email, RESET),
        await tokenFor(campus, quick.email, RESET),
      ];
      expect((await change(quick, quick.password, NEW, await codeOf(quick))).status).to.equal(204);
      expectProblem(await reset(overtaken), 400, 'ONE_TIME_TOKEN_INVALID');
      campus.clock.advance(1.1 * HOUR);
      expectProblem(await reset(stale), 400, 'ONE_TIME_TOKEN_INVALID');
      expect((await signIn(slow.email, slow.password)).status).to.equal(200);
    });

    it('tell nobody whether there is an account, neither by the answer nor by what is done for it', async () => {
      const person = await api!.register();
      const rows = () =>
        Promise.all(
          ['events', 'oneTimeTokens'].map((name) =>
            campus.db
              .collection(name)
              .countDocuments({ $or: [{ type: 'password.resetRequested' }, { purpose: 'passwordReset' }] }),
          ),
        );
      const before = await rows();
      const unknown = await forgot('nobody-at-all@campus.test');
      const between = await rows();
      const known = await forgot(person.email);
      const after = await rows();
      expect({ status: unknown.status, body: unknown.body }).to.deep.equal({ status: known.status, body: known.body });
      expect([...unknown.headers.keys()].sort()).to.deep.equal([...known.headers.keys()].sort());
      expect(between.map((count, at) => count - before[at]!)).to.deep.equal([1, 1]);
      expect(after.map((count, at) => count - between[at]!)).to.deep.equal([1, 1]);
      await tokenFor(campus, person.email, RESET);
      expect(
        campus.edge.smtp.received.some(({ envelope }) => envelope.to.includes('nobody-at-all@campus.test')),
      ).to.equal(false);
    });

    it('are asked for five times in a quarter of an hour, then no more mail is sent, and it looks the same', async () => {
      const person = await api!.register();
      for (let at = 0; at < 7; at += 1) expect((await forgot(person.email)).status).to.equal(204);
      const marker = await api!.register();
      await forgot(marker.email);
      await tokenFor(campus, marker.email, RESET);
      const mails = campus.edge.smtp.received.filter(
        ({ envelope, subject }) => envelope.to.includes(person.email) && RESET.test(subject!),
      );
      expect(mails).to.have.length(5);
    });

    it('are asked for five times from one address, whatever accounts', async () => {
      const here = from();
      for (let at = 0; at < 5; at += 1) expect((await forgot(`nobody${at}@campus.test`, here)).status).to.equal(204);
      expectProblem(await forgot('nobody9@campus.test', here), 429, 'RATE_LIMITED');
    });
  });

  describe('that are changed', () => {
    it('end all other sessions, on both nodes, and leave this one', async () => {
      const laptop = await api!.register();
      const code = await codeOf(laptop);
      const phone = await api!.signIn(laptop.email, laptop.password);
      const [kept, closed] = [await laptop.connect('/notifications'), await phone.on(otherNode!).connect('/feed')];
      expect((await change(laptop, laptop.password, NEW, code)).status).to.equal(204);
      await closed.closed();
      expectProblem(await phone.get('/users/me'), 401, 'SESSION_ENDED');
      expect((await laptop.get('/users/me')).status).to.equal(200);
      const { data } = await kept.next('notification:new', ({ type }) => type === 'SECURITY');
      expect(data.security).to.deep.equal({ occasion: 'passwordChanged' });
      expect(kept.socket.connected).to.equal(true);
      laptop.disconnect();
    });

    it('need the current one, and five wrong ones lock it', async () => {
      const person = await api!.register();
      for (let at = 0; at < 5; at += 1) {
        expectProblem(await change(person, `wrong ${at}`), 401, 'INVALID_CREDENTIALS');
      }
      expectProblem(await change(person, person.password), 401, 'INVALID_CREDENTIALS');
      // That was about changing; signing in goes on.
      expect((await signIn(person.email, person.password)).status).to.equal(200);
    });

    it('need a code that was mailed for it, which works once and not when the password is refused', async () => {
      const person = await api!.register({ locale: 'ar' });
      const code = await codeOf(person);
      expectProblem(await change(person, person.password, NEW, wrongCode(code)), 400, 'CODE_INVALID');
      const forExport = await newCode(campus, person, 'export');
      if (forExport !== code) expectProblem(await change(person, person.password, NEW, forExport), 400, 'CODE_INVALID');
      expectInvalid(await change(person, person.password, NEW, '١٢٣٤٥٦'), 'body.code');
      const without = { currentPassword: person.password, newPassword: NEW };
      expectInvalid(await person.post('/auth/password/change', without, from()), 'body.code');
      expectProblem(await change(person, 'not the password', NEW, code), 401, 'INVALID_CREDENTIALS');
      expectProblem(await change(person, person.password, 'password1234', code), 400, 'PASSWORD_TOO_COMMON');
      expect((await change(person, person.password, NEW, code)).status).to.equal(204);
      expectProblem(await change(person, NEW, person.password, code), 400, 'CODE_INVALID');
      expect((await signIn(person.email, NEW)).status).to.equal(200);
    });

    it('change once where one code comes many times at once', async () => {
      const person = await api!.register();
      const code = await codeOf(person);
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, at) =>
          change(at % 2 ? person : person.on(otherNode!), person.password, `${NEW} ${at}`, code),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 400, 400, 400]);
      const winner = answers.findIndex(({ status }) => status === 204);
      expect((await signIn(person.email, `${NEW} ${winner}`)).status).to.equal(200);
    });

    it('begin no session with the old one while they are being changed', async () => {
      const person = await api!.register();
      const code = await codeOf(person);
      const [changed, ...signedIn] = await Promise.all([
        change(person, person.password, NEW, code),
        ...Array.from({ length: 6 }, () => signIn(person.email, person.password)),
      ]);
      expect(changed.status).to.equal(204);
      for (const { status, body } of signedIn) {
        if (status !== 200) continue;
        const me = await api!.request('GET', '/users/me', undefined, { token: body.accessToken });
        expectProblem(me, 401, 'SESSION_ENDED');
      }
    });
  });

  it('are made anew with today’s parameters at the next sign-in', async () => {
    const person = await api!.register();
    const credentials = campus.db.collection('credentials');
    const _id = new ObjectId(person.id);
    const weak = await hash(person.password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    await credentials.updateOne({ _id }, { $set: { passwordHash: weak } });
    for (let times = 0; times < 2; times += 1) {
      expect((await signIn(person.email, person.password)).status).to.equal(200);
      expect((await credentials.findOne({ _id }))!['passwordHash']).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    }
  });

  describe('that are common', () => {
    const register = (password: string) =>
      api!.request('POST', '/auth/register', {
        name: 'Layla Haddad',
        email: `layla.khoury-${++addresses}@campus.test`,
        password,
        role: 'student',
      });
    const common = [
      'password1234',
      'P@ssw0rd1234',
      'passwordpassword',
      'qwertyuiop12',
      '1q2w3e4r5t6y',
      'aaaaaaaaaaaa',
      'abcabcabcabcabc',
      '123456789012',
      'iloveyou2024!',
      'Welcome12345',
      'administrator1',
      'zyxwvutsrqponm',
      'footballfootball',
      'correcthorsebatterystaple',
      'LaylaHaddad1999',
      'haddad is my name',
      '🔐'.repeat(12),
    ];
    for (const password of common) {
      it(`are refused: ${password}`, async () => {
        const answer = await register(password);
        expectProblem(answer, 400, 'PASSWORD_TOO_COMMON');
        expect(answer.body.errors).to.deep.equal([{ path: 'body.password', message: 'must not be a common password' }]);
      });
    }

    for (const password of [
      'violet umbrellas at dawn',
      'kR7#pQ2!vX9z',
      'ثلاث نخلات عند البئر',
      '🐙🌵🎻🪁🧭🦜🍇🛶🪐🧩🎈🦔',
    ]) {
      it(`are not these: ${password}`, async () => expect((await register(password)).status).to.equal(201));
    }

    it('are refused where a password is changed or reset, too, and the link can be used for a better one', async () => {
      const person = await api!.register();
      const answer = await change(person, person.password, 'password1234');
      expectProblem(answer, 400, 'PASSWORD_TOO_COMMON');
      await forgot(person.email);
      const token = await tokenFor(campus, person.email, RESET);
      expectProblem(await reset(token, 'password1234'), 400, 'PASSWORD_TOO_COMMON');
      expectInvalid(await reset(token, 'short'), 'body.password');
      expect((await reset(token)).status).to.equal(204);
    });
  });
});
