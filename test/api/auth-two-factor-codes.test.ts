import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';
import { expectProblem } from './helpers.js';
import { Authenticator, challengeFor, elsewhere, logIn, verify } from './two-factor.js';

describe('Two-factor sign-in, when it is on', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    otherNode = await campus.startNode({ env: { TRUST_PROXY: '1' } });
  });
  after(() => campus.close());

  const disable = (person: Person, body: object) => person.post('/auth/2fa/disable', body, elsewhere());
  const titles = (person: Person, title: string) =>
    until(
      async () => (await person.get('/notifications?category=security')).body.data.map((each: Json) => each.title),
      (list: string[]) => list.includes(title),
    );

  it('answers the password with a challenge and the code with what signing in answers', async () => {
    const person = await api!.register();
    const plain = await logIn(api!, person);
    const app = await Authenticator.enabledFor(campus, person);
    const first = await logIn(api!, person);
    expect(first.status).to.equal(200);
    expect(first.body).to.have.all.keys('twoFactorRequired', 'challenge', 'expiresIn');
    expect(first.body).to.include({ twoFactorRequired: true, expiresIn: 300 });
    expect(first.headers.get('set-cookie')).to.equal(null);
    // Half a sign-in opens nothing.
    const { challenge } = first.body;
    expectProblem(await api!.request('GET', '/users/me', undefined, { token: challenge }), 401, 'TOKEN_INVALID');

    const { status, body, headers } = await verify(otherNode!, { challenge, code: app.next() });
    expect(status).to.equal(200);
    expect(Object.keys(body)).to.deep.equal(Object.keys(plain.body));
    expect(body.user).to.deep.equal(plain.body.user);
    expect(headers.get('set-cookie')).to.include(body.refreshToken);
    expect((await api!.request('GET', '/users/me', undefined, { token: body.accessToken })).status).to.equal(200);
  });

  it('takes the code of the step before and the step after, no other, and none older than the last', async () => {
    const person = await api!.register();
    const app = await Authenticator.enabledFor(campus, person);
    for (const late of [-2, 2]) {
      app.next();
      const challenge = await challengeFor(api!, person);
      expectProblem(await verify(api!, { challenge, code: app.now(late) }), 400, 'CODE_INVALID');
    }
    app.next();
    for (const late of [-1, 1]) {
      const challenge = await challengeFor(api!, person);
      expect((await verify(api!, { challenge, code: app.now(late) })).status).to.equal(200);
    }
    const challenge = await challengeFor(api!, person);
    expectProblem(await verify(api!, { challenge, code: app.now() }), 400, 'CODE_INVALID');
  });

  it('takes each code once', async () => {
    const person = await api!.register();
    const app = await Authenticator.enabledFor(campus, person);
    const spent = app.now();
    const challenge = await challengeFor(api!, person);
    // It has turned two-factor sign-in on.
    expectProblem(await verify(api!, { challenge, code: spent }), 400, 'CODE_INVALID');
    const code = app.next();
    expect((await verify(api!, { challenge, code })).status).to.equal(200);
    expectProblem(await verify(api!, { challenge, code: app.next() }), 401, 'CHALLENGE_INVALID');
    const another = await challengeFor(api!, person);
    expectProblem(await verify(api!, { challenge: another, code }), 400, 'CODE_INVALID');
    expect((await verify(api!, { challenge: another, code: app.next() })).status).to.equal(200);
  });

  it('takes a code once though ten requests bring it at once, to two nodes', async () => {
    const person = await api!.register();
    const app = await Authenticator.enabledFor(campus, person);
    const challenges = await Promise.all(Array.from({ length: 5 }, () => challengeFor(api!, person)));
    const code = app.next();
    const answers = await Promise.all(
      [...challenges, ...challenges].map((challenge, at) => verify(at % 2 ? api! : otherNode!, { challenge, code })),
    );
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    for (const { status, body } of answers) {
      if (status !== 200) expect(['CODE_INVALID', 'CHALLENGE_INVALID']).to.include(body.code);
    }
    expect(
      await campus.db.collection('sessions').countDocuments({ userId: new ObjectId(person.id) }),
      'the first, from registering, and one more',
    ).to.equal(2);
  });

  it('takes a code for one thing, though it is brought for two at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const person = await api!.register();
      const app = await Authenticator.enabledFor(campus, person);
      const challenge = await challengeFor(api!, person);
      const code = app.next();
      const answers = await Promise.all([
        verify(api!, { challenge, code }),
        disable(person.on(otherNode!), { password: person.password, code }),
      ]);
      expect(answers.filter(({ status }) => status < 300)).to.have.length(1);
    }
  });

  it('takes a recovery code instead, each once, and tells the owner', async () => {
    const person = await api!.register();
    const { recoveryCodes } = await Authenticator.enabledFor(campus, person);
    const [first = '', second = ''] = recoveryCodes;
    const challenge = await challengeFor(api!, person);
    expect((await verify(api!, { challenge, recoveryCode: first })).status).to.equal(200);
    await titles(person, 'A recovery code was used');
    const another = await challengeFor(api!, person);
    expectProblem(await verify(api!, { challenge: another, recoveryCode: first }), 400, 'CODE_INVALID');
    const copied = second.toLowerCase().replaceAll('-', ' ');
    expect((await verify(api!, { challenge: another, recoveryCode: copied })).status).to.equal(200);
    expect((await person.get('/auth/2fa')).body).to.deep.equal({ enabled: true, recoveryCodesLeft: 8 });
  });

  it('takes a recovery code for one thing, though it is brought for several at once', async () => {
    const person = await api!.register();
    const { recoveryCodes } = await Authenticator.enabledFor(campus, person);
    const [recoveryCode] = recoveryCodes;
    const challenges = await Promise.all(Array.from({ length: 4 }, () => challengeFor(api!, person)));
    const answers = await Promise.all(
      challenges.map((challenge, at) => verify(at % 2 ? api! : otherNode!, { challenge, recoveryCode })),
    );
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect((await person.get('/auth/2fa')).body.recoveryCodesLeft).to.equal(9);
  });

  it('looks at five codes of an account in a quarter of an hour, by whatever challenge, also at once', async () => {
    const [person, other] = [await api!.register(), await api!.register()];
    const [app, otherApp] = [
      await Authenticator.enabledFor(campus, person),
      await Authenticator.enabledFor(campus, other),
    ];
    const challenge = await challengeFor(api!, person);
    const right = app.next();
    const guess = (by: number) => String((Number(right) + by) % 1_000_000).padStart(6, '0');
    const guesses = await Promise.all(
      [1, 2, 3, 4, 5].map((by) => verify(by % 2 ? api! : otherNode!, { challenge, code: guess(by) })),
    );
    for (const answer of guesses) expectProblem(answer, 400, 'CODE_INVALID');
    expectProblem(await verify(api!, { challenge, code: right }), 401, 'CHALLENGE_INVALID');
    const another = await challengeFor(api!, person);
    expectProblem(await verify(api!, { challenge: another, code: right }), 400, 'CODE_INVALID');
    const recoveryCode = app.recoveryCodes[0];
    expectProblem(await verify(api!, { challenge: another, recoveryCode }), 400, 'CODE_INVALID');

    const theirs = await challengeFor(api!, other);
    expect((await verify(api!, { challenge: theirs, code: otherApp.now() })).status).to.equal(200);
  });

  it('turns away a network address that fails too often', async () => {
    const person = await api!.register();
    const app = await Authenticator.enabledFor(campus, person);
    const here = elsewhere();
    for (let at = 0; at < 5; at += 1) {
      expectProblem(
        await verify(api!, { challenge: 'k1.no.challenge', code: '123456' }, here),
        401,
        'CHALLENGE_INVALID',
      );
    }
    const challenge = await challengeFor(api!, person);
    expectProblem(await verify(api!, { challenge, code: app.next() }, here), 429, 'RATE_LIMITED');
    expect((await verify(api!, { challenge, code: app.now() })).status).to.equal(200);
  });

  it('takes a challenge for five minutes, from nobody else, and not after the password has changed', async () => {
    const [person, other] = [await api!.register(), await api!.register()];
    const [app, otherApp] = [
      await Authenticator.enabledFor(campus, person),
      await Authenticator.enabledFor(campus, other),
    ];
    const challenge = await challengeFor(api!, person);
    expectProblem(await verify(api!, { challenge, code: otherApp.next() }), 400, 'CODE_INVALID');
    expect((await verify(api!, { challenge, code: app.now() })).status).to.equal(200);

    const overtaken = await challengeFor(api!, other);
    const changed = await other.post(
      '/auth/password/change',
      {
        currentPassword: other.password,
        newPassword: 'violet umbrellas at dawn',
        code: await newCode(campus, other, 'passwordChange'),
      },
      elsewhere(),
    );
    expect(changed.status).to.equal(204);
    expectProblem(await verify(api!, { challenge: overtaken, code: otherApp.next() }), 401, 'CHALLENGE_INVALID');

    const late = await challengeFor(api!, person);
    campus.clock.advance(300_000);
    expectProblem(await verify(api!, { challenge: late, code: app.next() }), 401, 'CHALLENGE_INVALID');
  });

  it('takes a code or a recovery code, not both, not neither', async () => {
    const challenge = 'a challenge';
    const recoveryCode = '0123-4567-89AB-CDEF';
    const bodies = [
      { challenge },
      { challenge, code: '123456', recoveryCode },
      { challenge, code: 123456 },
      { challenge, code: '١٢٣٤٥٦' },
      { challenge, recoveryCode: 'كلمة' },
      { challenge: { $ne: null }, code: '123456' },
      { code: '123456' },
    ];
    for (const body of bodies) {
      expectProblem(await verify(api!, body), 400, 'VALIDATION_FAILED');
    }
  });
});
