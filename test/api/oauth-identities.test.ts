import { expect } from 'chai';
import { strFromU8, unzipSync } from 'fflate';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type HouseName } from '../edge/openid.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { CONFIRM, newCode, RESET, tokenFor } from './auth-mail.js';
import { expectInvalid, expectProblem } from './helpers.js';
import { OAuthScene, type Someone } from './oauth-scene.js';
import { elsewhere } from './two-factor.js';

const PASSWORD = 'a password that came later';

describe('The providers’ accounts that sign in to one’s own', () => {
  let scene: OAuthScene;
  before(async () => {
    scene = await OAuthScene.open();
  });
  after(() => scene.close());

  const providers = async (person: Person): Promise<string[]> => {
    const { status, body } = await person.get('/auth/identities');
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.data.map(({ provider }: Json) => provider);
  };
  const unlink = (person: Person, house: HouseName) => person.delete(`/auth/identities/${house}`);

  /** Someone without a password who can sign in with each of these. */
  async function linkedTo(first: HouseName, ...others: HouseName[]): Promise<{ person: Person; provided: Someone[] }> {
    const one = scene.someone(first);
    const rest = others.map((house) => scene.someone(house, { email: one.email }));
    const person = await scene.enter(one);
    for (const other of rest) expect((await scene.enter(other)).id).to.equal(person.id);
    return { person, provided: [one, ...rest] };
  }

  async function giveUp(person: Person): Promise<void> {
    const code = await newCode(scene.campus, person, 'erasure');
    expect((await person.delete('/users/me', { password: PASSWORD, code })).status).to.equal(202);
  }

  /** Sets a password by the link that is mailed to who has forgotten theirs. */
  async function setPassword({ email }: Pick<Person, 'email'>): Promise<void> {
    expect((await scene.api.request('POST', '/auth/password/forgot', { email }, elsewhere())).status).to.equal(204);
    const token = await tokenFor(scene.campus, email, RESET);
    const reset = await scene.api.request('POST', '/auth/password/reset', { token, password: PASSWORD }, elsewhere());
    expect(reset.status, JSON.stringify(reset.body)).to.equal(204);
  }

  it('are none for whoever registered with a password', async () => {
    const person = await scene.api.register();
    expect((await person.get('/auth/identities')).body).to.deep.equal({ data: [] });
  });

  it('are listed to their owner and nobody else, in the order in which they were linked', async () => {
    const { person, provided } = await linkedTo('google', 'apple');
    const { body } = await person.get('/auth/identities');
    expect(body.data).to.have.length(2);
    for (const [at, provider] of (['google', 'apple'] as const).entries()) {
      expect(body.data[at]).to.have.all.keys('provider', 'email', 'linkedAt');
      expect(body.data[at]).to.include({ provider, email: provided[0]!.email });
    }
    const stranger = await scene.api.register();
    expect(await providers(stranger)).to.deep.equal([]);
    expectProblem(await unlink(stranger, 'google'), 404, 'IDENTITY_NOT_FOUND');
    expectProblem(await scene.api.request('DELETE', '/auth/identities/google'), 401, 'UNAUTHORIZED');
    expectInvalid(await person.delete('/auth/identities/myspace'), 'params.provider');
    expect(await providers(person)).to.deep.equal(['google', 'apple']);
  });

  it('sign in no more once they are removed; the owner is told, and the audit says so', async () => {
    const { person, provided } = await linkedTo('google', 'apple');
    expect((await unlink(person, 'google')).status).to.equal(204);
    expect(await providers(person)).to.deep.equal(['apple']);
    expectProblem(await unlink(person, 'google'), 404, 'IDENTITY_NOT_FOUND');
    await until(
      async () => (await person.get('/notifications?category=security')).body.data.map((each: Json) => each.title),
      (titles: string[]) => titles.includes('Sign-in with Google was removed'),
    );
    const admin = await scene.api.admin();
    const rows = await until(
      async () => (await admin.get(`/audit?targetId=${person.id}&action=identity.unlinked`)).body.data,
      (list: Json[]) => list.length > 0,
    );
    expect(rows[0]).to.include({ actorId: person.id });
    // It is as it was before the first time: linked again, as the address is proven on both sides.
    expect((await scene.enter(provided[0]!)).id).to.equal(person.id);
    expect(await providers(person)).to.deep.equal(['apple', 'google']);
  });

  it('cannot be removed where nothing else would sign in', async () => {
    const { person } = await linkedTo('google');
    expectProblem(await unlink(person, 'google'), 409, 'LAST_SIGN_IN_METHOD');
    expect(await providers(person)).to.deep.equal(['google']);
    await setPassword(person);
    const signedIn = await scene.api.signIn(person.email, PASSWORD);
    expect(await providers(signedIn)).to.deep.equal(['google']);
    expect((await unlink(signedIn, 'google')).status).to.equal(204);
    expect(await providers(signedIn)).to.deep.equal([]);
  });

  it('keep one another when all are removed at once, on two nodes', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { person } = await linkedTo('google', 'apple', 'github');
      const answers = await Promise.all(
        (['google', 'apple', 'github'] as const).map((house, at) =>
          unlink(at % 2 ? person : person.on(scene.otherNode), house),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 204, 409]);
      expect(await providers(person)).to.have.length(1);
    }
  });

  it('leave what a password guards closed until one is set, and say how', async () => {
    const { person } = await linkedTo('google');
    const password = 'there is none';
    const { email } = person;
    await person.post('/auth/2fa/setup');
    const code = await newCode(scene.campus, person, 'emailChange');
    const newEmail = `new-${person.id}@campus.test`;
    // More often than a wrong password could be tried: nothing is guessed at here.
    for (let round = 0; round < 3; round += 1) {
      const refused = [
        await person.post('/auth/2fa/enable', { password, code: '123456' }),
        await person.post('/auth/email/change', { newEmail, password, code }),
        await person.post('/auth/password/change', { currentPassword: password, newPassword: PASSWORD, code }),
        await person.delete('/users/me', { password, code }),
      ];
      for (const answer of refused) expectProblem(answer, 409, 'PASSWORD_NOT_SET');
    }
    await setPassword(person);
    const again = await scene.api.signIn(email, PASSWORD);
    await giveUp(again);
  });

  it('stay where a password is set by a mail to the address that the provider vouched for', async () => {
    const { person, provided } = await linkedTo('google');
    await setPassword(person);
    expect((await scene.enter(provided[0]!)).id).to.equal(person.id);
  });

  it('are closed where the owner of the address comes later than whoever made the account with it', async () => {
    // A provider that does not check addresses says that this is someone else's.
    const impostor = scene.someone('facebook');
    const theirs = await scene.enter(impostor);
    await setPassword({ email: impostor.email });
    const owner = await scene.api.signIn(impostor.email, PASSWORD);
    expect(owner.id).to.equal(theirs.id);
    expect(await providers(owner)).to.deep.equal([]);
    expectProblem(await theirs.get('/users/me'), 401, 'SESSION_ENDED');
    expect((await scene.signIn(impostor)).said).to.deep.equal({ problem: 'OAUTH_ADDRESS_TAKEN' });
  });

  it('stay where the address is confirmed by the link that was mailed for that', async () => {
    const person = scene.someone('facebook');
    const user = await scene.enter(person);
    const token = await tokenFor(scene.campus, person.email, CONFIRM);
    expect((await scene.api.request('POST', '/auth/verify-email', { token })).status).to.equal(204);
    expect((await user.get('/users/me')).body.emailVerified).to.equal(true);
    expect(await providers(user)).to.deep.equal(['facebook']);
  });

  it('are part of the export of one’s data', async () => {
    const { person, provided } = await linkedTo('github');
    const code = await newCode(scene.campus, person, 'export');
    expect((await person.post('/users/me/export', { code })).status).to.equal(202);
    const { downloadUrl } = await until(
      async () => (await person.get('/users/me/export')).body,
      ({ status }: Json) => status === 'ready',
    );
    const headers = { authorization: `Bearer ${person.token}` };
    const zip = await (await fetch(`${scene.api.url}${downloadUrl}`, { headers })).arrayBuffer();
    const identities = JSON.parse(strFromU8(unzipSync(new Uint8Array(zip))['identities.json']!));
    expect(identities).to.have.length(1);
    const { email, subject } = provided[0]!;
    expect(identities[0]).to.deep.include({ provider: 'github', email, subject });
    expect(identities[0]).to.include.keys('linkedAt', 'lastSignInAt');
  });

  it('go with the account when it is erased', async () => {
    const { person, provided } = await linkedTo('google', 'apple');
    await setPassword(person);
    const again = await scene.api.signIn(person.email, PASSWORD);
    await giveUp(again);
    scene.campus.clock.advance(31 * DAY);
    const { db } = scene.campus;
    const left = () => db.collection('users').countDocuments({ _id: new ObjectId(person.id) });
    await until(left, (count) => count === 0, 30_000);
    expect(await db.collection('identities').countDocuments({ userId: new ObjectId(person.id) })).to.equal(0);
    // Whoever comes back is someone new.
    expect((await scene.enter(provided[0]!)).id).not.to.equal(person.id);
  }).timeout(60_000);
});
