import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem } from './helpers.js';
import { Authenticator, challengeFor, elsewhere, logIn, verify } from './two-factor.js';

describe('Two-factor sign-in', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    otherNode = await campus.startNode({ env: { TRUST_PROXY: '1' } });
  });
  after(() => campus.close());

  const enable = (person: Person, body: object) => person.post('/auth/2fa/enable', body, elsewhere());
  const disable = (person: Person, body: object) => person.post('/auth/2fa/disable', body, elsewhere());
  const titles = (person: Person, title: string) =>
    until(
      async () => (await person.get('/notifications?category=security')).body.data.map((each: Json) => each.title),
      (list: string[]) => list.includes(title),
    );

  describe('when it is turned on', () => {
    it('begins with a secret, counts once the app has shown a code, and answers ten recovery codes', async () => {
      const person = await api!.register();
      expect((await person.get('/auth/2fa')).body).to.deep.equal({ enabled: false, recoveryCodesLeft: 0 });
      const { status, body } = await person.post('/auth/2fa/setup');
      expect(status).to.equal(200);
      expect(body).to.have.all.keys('secret', 'uri');
      expect(body.uri)
        .to.match(/^otpauth:\/\/totp\/Atrium:/)
        .and.to.include(body.secret);
      // Not yet: an app that was set up wrongly must lock nobody out.
      expect((await logIn(api!, person)).body).to.have.property('accessToken');

      const app = new Authenticator(campus, body.secret);
      const enabled = await enable(person, { password: person.password, code: app.now() });
      expect(enabled.status).to.equal(200);
      expect(enabled.body.recoveryCodes).to.have.length(10);
      expect((await person.get('/auth/2fa')).body).to.deep.equal({ enabled: true, recoveryCodesLeft: 10 });
      await titles(person, 'Two-factor sign-in is on');
    });

    it('needs the password, a right code, and to have been set up', async () => {
      const person = await api!.register();
      const { password } = person;
      expectProblem(await enable(person, { password, code: '123456' }), 409, 'TWO_FACTOR_NOT_SET_UP');
      const { body } = await person.post('/auth/2fa/setup');
      const app = new Authenticator(campus, body.secret);
      expectProblem(await enable(person, { password: 'not it', code: app.now() }), 401, 'INVALID_CREDENTIALS');
      expectProblem(await enable(person, { password, code: app.now(5) }), 400, 'CODE_INVALID');
      expectInvalid(await enable(person, { password, code: '12345' }), 'body.code');
      expect((await person.get('/auth/2fa')).body.enabled).to.equal(false);
      expectProblem(await api!.request('POST', '/auth/2fa/setup'), 401, 'UNAUTHORIZED');
    });

    it('goes by the last secret that was asked for', async () => {
      const person = await api!.register();
      const [first, second] = [await person.post('/auth/2fa/setup'), await person.post('/auth/2fa/setup')];
      const codeOf = ({ body }: { body: Json }) => new Authenticator(campus, body.secret).now();
      const { password } = person;
      expectProblem(await enable(person, { password, code: codeOf(first) }), 400, 'CODE_INVALID');
      expect((await enable(person, { password, code: codeOf(second) })).status).to.equal(200);
    });

    it('is turned on once, even when that is asked for many times at once', async () => {
      const person = await api!.register();
      const { body } = await person.post('/auth/2fa/setup');
      const code = new Authenticator(campus, body.secret).now();
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, at) =>
          enable(at % 2 ? person : person.on(otherNode!), { password: person.password, code }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 409, 409, 409]);
      expectProblem(await person.post('/auth/2fa/setup'), 409, 'TWO_FACTOR_ON');
    });

    it('keeps nothing in the database that would open an account', async () => {
      const person = await api!.register();
      const { secret, recoveryCodes } = await Authenticator.enabledFor(campus, person);
      const row = JSON.stringify(
        await campus.db.collection('twoFactors').findOne({ _id: new ObjectId(person.id) } as object),
      );
      expect(row).not.to.include(secret);
      for (const code of recoveryCodes) {
        expect(row).not.to.include(code);
        expect(row).not.to.include(code.replaceAll('-', ''));
      }
      expect(JSON.stringify(await campus.db.collection('events').find().toArray())).not.to.include(secret);
    });
  });

  describe('when it is turned off', () => {
    it('needs the password and a code, and then signing in needs neither', async () => {
      const person = await api!.register({ locale: 'ar' });
      const { password } = person;
      expectProblem(await disable(person, { password, code: '123456' }), 409, 'TWO_FACTOR_OFF');
      const app = await Authenticator.enabledFor(campus, person);
      await titles(person, 'تم تفعيل التحقق بخطوتين');
      const code = app.next();
      expectProblem(await disable(person, { password: 'not it', code }), 401, 'INVALID_CREDENTIALS');
      expectProblem(await disable(person, { password, code: app.now(4) }), 400, 'CODE_INVALID');
      expect((await disable(person, { password, code })).status).to.equal(204);
      expect((await logIn(api!, person)).body).to.have.property('accessToken');
      await titles(person, 'تم إيقاف التحقق بخطوتين');
      // A new beginning has a new secret and new recovery codes.
      const again = await Authenticator.enabledFor(campus, person);
      expect(again.secret).not.to.equal(app.secret);
      const challenge = await challengeFor(api!, person);
      expectProblem(await verify(api!, { challenge, recoveryCode: app.recoveryCodes[0] }), 400, 'CODE_INVALID');
    });

    it('can be done by a recovery code where the app is lost', async () => {
      const person = await api!.register();
      const { recoveryCodes } = await Authenticator.enabledFor(campus, person);
      const body = { password: person.password, recoveryCode: recoveryCodes[9] };
      expect((await disable(person, body)).status).to.equal(204);
      expect((await person.get('/auth/2fa')).body).to.deep.equal({ enabled: false, recoveryCodesLeft: 0 });
    });
  });
});
