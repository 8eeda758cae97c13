import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { mailTo } from './auth-mail.js';
import { expectInvalid, expectProblem } from './helpers.js';
import { Authenticator, challengeFor, elsewhere, verify } from './two-factor.js';

describe('New recovery codes', () => {
  let campus: Campus;
  let [api, otherNode]: [Api, Api] = [] as never;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    otherNode = await campus.startNode({ env: { TRUST_PROXY: '1' } });
  });
  after(() => campus.close());

  const renew = (person: Person, body: object) => person.post('/auth/2fa/recovery-codes', body, elsewhere());
  const left = async (person: Person) => (await person.get('/auth/2fa')).body.recoveryCodesLeft as number;
  const signInBy = async (person: Person, recoveryCode: string | undefined) =>
    verify(api, { challenge: await challengeFor(api, person), recoveryCode });

  it('are ten, take the place of all before, and each works once', async () => {
    const person = await api.register();
    const app = await Authenticator.enabledFor(campus, person);
    const [used, ...unused] = app.recoveryCodes;
    expect((await signInBy(person, used)).status).to.equal(200);
    expect(await left(person)).to.equal(9);

    const { status, body } = await renew(person, { password: person.password, code: app.next() });
    expect(status, JSON.stringify(body)).to.equal(200);
    const codes = body.recoveryCodes as string[];
    expect(new Set([...codes, ...app.recoveryCodes]).size).to.equal(20);
    expect(await left(person)).to.equal(10);
    for (const old of [used, ...unused.slice(0, 2)]) {
      expectProblem(await signInBy(person, old), 400, 'CODE_INVALID');
    }
    expect((await signInBy(person, codes[0])).status).to.equal(200);
    expectProblem(await signInBy(person, codes[0]), 400, 'CODE_INVALID');
    expect(await left(person)).to.equal(9);
    expect(JSON.stringify(await campus.db.collection('twoFactors').find().toArray())).not.to.include(codes[1]);
  });

  it('are told of in the app, by mail, in the owner’s language, and in the audit', async () => {
    const person = await api.register({ locale: 'ar' });
    const app = await Authenticator.enabledFor(campus, person);
    const socket = await person.on(otherNode).connect('/notifications');
    expect((await renew(person, { password: person.password, code: app.next() })).status).to.equal(200);
    const isAboutIt = ({ data }: Json) => data?.security?.occasion === 'recoveryCodesRenewed';
    const told = await socket.next('notification:new', isAboutIt);
    expect(told).to.include({ type: 'SECURITY', title: 'لديك رموز استرداد جديدة' });
    await mailTo(campus, person.email, /لديك رموز استرداد جديدة/);
    const admin = await api.admin();
    const [row] = await until(
      async () =>
        (await admin.get(`/audit?targetId=${person.id}&action=twoFactor.recoveryCodesRenewed`)).body.data as Json[],
      ({ length }) => length > 0,
    );
    expect(row).to.deep.include({ actorId: person.id, entity: { kind: 'user', id: person.id } });
    expect(row.origin.ip).to.match(/^10\.5\./);
  });

  it('need the password and a fresh code of one’s own app, and refusals change nothing', async () => {
    const [person, other] = [await api.register(), await api.register()];
    const { password } = person;
    const app = await Authenticator.enabledFor(campus, person);
    const othersApp = await Authenticator.enabledFor(campus, other);
    const spent = app.now();
    expectProblem(await renew(person, { password, code: spent }), 400, 'CODE_INVALID');
    const code = app.next();
    expectProblem(await renew(person, { password: 'not the password', code }), 401, 'INVALID_CREDENTIALS');
    expectProblem(await renew(person, { password, code: othersApp.now() }), 400, 'CODE_INVALID');
    expectInvalid(await renew(person, { password, code: '١٢٣٤٥٦' }), 'body.code');
    expectInvalid(await renew(person, { password }), 'body.code');
    // Whoever has found them must not be able to make more.
    const byOld = { password, recoveryCode: app.recoveryCodes[0] };
    expectInvalid(await renew(person, byOld), 'body.code', 'body.recoveryCode');
    expectProblem(await api.request('POST', '/auth/2fa/recovery-codes', { password, code }), 401, 'UNAUTHORIZED');
    expect((await signInBy(person, app.recoveryCodes[0])).status).to.equal(200);
    expect(await left(person)).to.equal(9);
  });

  it('are nobody’s whose two-factor sign-in is off', async () => {
    const person = await api.register();
    const { password } = person;
    expectProblem(await renew(person, { password, code: '123456' }), 409, 'TWO_FACTOR_OFF');
    await person.post('/auth/2fa/setup');
    expectProblem(await renew(person, { password, code: '123456' }), 409, 'TWO_FACTOR_OFF');
  });

  it('are made once by one code, though it comes many times at once, to two nodes', async () => {
    const person = await api.register();
    const app = await Authenticator.enabledFor(campus, person);
    const code = app.next();
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, at) =>
        renew(at % 2 ? person : person.on(otherNode), { password: person.password, code }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400, 400]);
    const made = answers.find(({ status }) => status === 200)!.body.recoveryCodes as string[];
    expect((await signInBy(person, made[0])).status).to.equal(200);
  });

  it('leave no old one good that is used at the same moment', async () => {
    for (let round = 0; round < 3; round += 1) {
      const person = await api.register();
      const app = await Authenticator.enabledFor(campus, person);
      const challenge = await challengeFor(api, person);
      const [old, spare] = app.recoveryCodes;
      const code = app.next();
      const [renewed] = await Promise.all([
        renew(person, { password: person.password, code }),
        verify(otherNode, { challenge, recoveryCode: old }),
      ]);
      expect(renewed.status).to.equal(200);
      for (const each of [old, spare]) expectProblem(await signInBy(person, each), 400, 'CODE_INVALID');
      expect(await left(person)).to.equal(10);
    }
  });
});
