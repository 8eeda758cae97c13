import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { randomBytes } from 'node:crypto';
import { HOUR, MINUTE } from '../../src/core/clock.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { codeFor, CONFIRM_NEW, EMAIL_CHANGE_CODE, mailTo, RESET, tokenFor } from './auth-mail.js';
import { expectInvalid, expectProblem } from './helpers.js';

describe('Another e-mail address', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    otherNode = await campus.startNode({ env: { TRUST_PROXY: '1' } });
  });
  after(() => campus.close());

  let addresses = 0;
  const from = () => ({ headers: { 'x-forwarded-for': `10.4.0.${++addresses}` } });
  const newAddress = () => `new-${randomBytes(5).toString('hex')}@campus.test`;
  const codeOf = async (person: Person, count = 1): Promise<string> => {
    const { status, body } = await person.post('/auth/codes', { purpose: 'emailChange' });
    expect(status).to.equal(202);
    expect(body).to.deep.equal({ expiresIn: 600 });
    return codeFor(campus, person.email, EMAIL_CHANGE_CODE, count);
  };
  const change = (person: Person, newEmail: string, code: string, password = person.password) =>
    person.post('/auth/email/change', { newEmail, password, code }, from());
  const confirm = (token: string, on = api!): Promise<Answer<Json>> =>
    on.request('POST', '/auth/email/confirm', { token });
  const wrong = (code: string, by = 1) => String((Number(code) + by) % 1_000_000).padStart(6, '0');

  it('is an account’s once its mailbox has answered, and the old one is told', async () => {
    const person = await api!.register();
    const newEmail = newAddress();
    expect((await change(person, newEmail.toUpperCase(), await codeOf(person))).status).to.equal(204);
    const token = await tokenFor(campus, newEmail, CONFIRM_NEW);
    // Until then nothing has changed.
    expect((await person.get('/users/me')).body).to.include({ email: person.email, emailVerified: false });

    expect((await confirm(token)).status).to.equal(204);
    expect((await person.get('/users/me')).body).to.include({ email: newEmail, emailVerified: true });
    await mailTo(campus, person.email, /Your e-mail address was changed/);
    await api!.signIn(newEmail, person.password);
    const old = await api!.request('POST', '/auth/login', { email: person.email, password: person.password }, from());
    expectProblem(old, 401, 'INVALID_CREDENTIALS');
    // The link works once.
    expectProblem(await confirm(token), 400, 'ONE_TIME_TOKEN_INVALID');
  });

  it('is told of in Arabic to those who read it, with the code from left to right', async () => {
    const person = await api!.register({ locale: 'ar' });
    await person.post('/auth/codes', { purpose: 'emailChange' });
    const subject = /رمز تغيير بريدك الإلكتروني/;
    const code = await codeFor(campus, person.email, subject);
    const { html } = await mailTo(campus, person.email, subject);
    expect(html)
      .to.include('dir="rtl"')
      .and.to.match(new RegExp(`<p dir="ltr"[^>]*>${code}</p>`));
    const newEmail = newAddress();
    expect((await change(person, newEmail, code)).status).to.equal(204);
    const token = await tokenFor(campus, newEmail, /أكّد بريدك الإلكتروني الجديد/);
    expect((await confirm(token)).status).to.equal(204);
  });

  it('needs the password and the code, neither of which stands in the database or in the app', async () => {
    const person = await api!.register();
    const code = await codeOf(person);
    expectProblem(await change(person, newAddress(), code, 'not the password'), 401, 'INVALID_CREDENTIALS');
    expectProblem(await change(person, newAddress(), wrong(code)), 400, 'CODE_INVALID');
    expect((await person.get('/notifications')).body.data).to.deep.equal([]);
    const stored = await Promise.all(
      ['mailedCodes', 'notifications', 'events'].map((name) => campus.db.collection(name).find().toArray()),
    );
    expect(JSON.stringify(stored.flat().map(({ title, body, data }) => ({ title, body, data })))).not.to.include(code);
    expect((await change(person, newAddress(), code)).status).to.equal(204);
  });

  it('is nobody’s who has another’s code, one for another purpose, a used one or an old one', async () => {
    const [person, other] = [await api!.register(), await api!.register()];
    const code = await codeOf(person);
    await codeOf(other);
    expectProblem(await change(other, newAddress(), code), 400, 'CODE_INVALID');
    await other.post('/auth/codes', { purpose: 'export' });
    const forExport = await codeFor(campus, other.email, /Your code to export your data/);
    expectProblem(await change(other, newAddress(), forExport), 400, 'CODE_INVALID');

    expect((await change(person, newAddress(), code)).status).to.equal(204);
    expectProblem(await change(person, newAddress(), code), 400, 'CODE_INVALID');

    const replaced = await codeOf(person, 2);
    const newest = await codeOf(person, 3);
    expectProblem(await change(person, newAddress(), replaced), 400, 'CODE_INVALID');
    campus.clock.advance(10 * MINUTE);
    expectProblem(await change(person, newAddress(), newest), 400, 'CODE_INVALID');
  });

  it('is kept from who tries codes: five are looked at, though they come at once', async () => {
    const person = await api!.register();
    const code = await codeOf(person);
    for (const batch of [1, 5]) {
      const guesses = [0, 1, 2, 3].map((at) => wrong(code, batch + at));
      const answers = await Promise.all(
        guesses.map((guess, at) => change(at % 2 ? person : person.on(otherNode!), newAddress(), guess)),
      );
      for (const answer of answers) expectProblem(answer, 400, 'CODE_INVALID');
    }
    expectProblem(await change(person, newAddress(), code), 400, 'CODE_INVALID');
    // Another code would be of no use, and none is sent.
    expectProblem(await person.post('/auth/codes', { purpose: 'emailChange' }), 429, 'RATE_LIMITED');
  });

  it('is asked for once by one code, even when it comes many times at once', async () => {
    const person = await api!.register();
    const code = await codeOf(person);
    // The password may be given five times at once.
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, at) => change(at % 2 ? person : person.on(otherNode!), newAddress(), code)),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 400, 400, 400, 400]);
  });

  it('leaves one code where several were asked for at once', async () => {
    const person = await api!.register();
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, at) =>
        (at % 2 ? person : person.on(otherNode!)).post('/auth/codes', { purpose: 'export' }),
      ),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal([202, 202, 202, 202]);
    const userId = new ObjectId(person.id);
    expect(await campus.db.collection('mailedCodes').countDocuments({ userId })).to.equal(1);
  });

  it('goes to one account where two want it at once', async () => {
    const people = await Promise.all([api!.register(), api!.register(), api!.register()]);
    const newEmail = newAddress();
    const tokens: string[] = [];
    for (const [at, person] of people.entries()) {
      expect((await change(person, newEmail, await codeOf(person))).status).to.equal(204);
      tokens.push(await tokenFor(campus, newEmail, CONFIRM_NEW, at + 1));
    }
    const register = api!.request('POST', '/auth/register', {
      name: 'Quick',
      email: newEmail,
      password: people[0].password,
      role: 'student',
    });
    const answers = await Promise.all([
      register,
      ...tokens.map((token, at) => confirm(token, at % 2 ? api : otherNode)),
    ]);
    const won = answers.filter(({ status }) => status < 300);
    expect(won).to.have.length(1);
    for (const answer of answers.filter((each) => !won.includes(each))) expectProblem(answer, 409, 'EMAIL_TAKEN');
  });

  it('cannot be one that is somebody’s, one’s own, or none at all', async () => {
    const [person, other] = [await api!.register(), await api!.register()];
    const code = await codeOf(person);
    expectProblem(await change(person, other.email, code), 409, 'EMAIL_TAKEN');
    expectProblem(await change(person, person.email, code), 400, 'EMAIL_UNCHANGED');
    expectInvalid(await change(person, 'nowhere', code), 'body.newEmail');
    expectInvalid(await change(person, newAddress(), '١٢٣٤٥٦'), 'body.code');
    expectInvalid(await person.post('/auth/codes', { purpose: 'anything' }), 'body.purpose');
    expectProblem(await api!.request('POST', '/auth/codes', { purpose: 'export' }), 401, 'UNAUTHORIZED');
    expectProblem(await confirm('k1.not.a-token'), 400, 'ONE_TIME_TOKEN_INVALID');
  });

  it('makes what lies in the old mailbox useless, and earlier wishes too', async () => {
    const person = await api!.register();
    await api!.request('POST', '/auth/password/forgot', { email: person.email }, from());
    const reset = await tokenFor(campus, person.email, RESET);
    const [first, second] = [newAddress(), newAddress()];
    await change(person, first, await codeOf(person));
    const overtaken = await tokenFor(campus, first, CONFIRM_NEW);
    await change(person, second, await codeOf(person, 2));
    const token = await tokenFor(campus, second, CONFIRM_NEW);
    expectProblem(await confirm(overtaken), 400, 'ONE_TIME_TOKEN_INVALID');
    expect((await confirm(token)).status).to.equal(204);
    const answer = await api!.request(
      'POST',
      '/auth/password/reset',
      { token: reset, password: 'violet umbrellas at dawn' },
      from(),
    );
    expectProblem(answer, 400, 'ONE_TIME_TOKEN_INVALID');
  });

  it('is not given after an hour', async () => {
    const person = await api!.register();
    const newEmail = newAddress();
    await change(person, newEmail, await codeOf(person));
    const token = await tokenFor(campus, newEmail, CONFIRM_NEW);
    campus.clock.advance(HOUR);
    expectProblem(await confirm(token), 400, 'ONE_TIME_TOKEN_INVALID');
  });
});
