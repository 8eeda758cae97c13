import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { CONFIRM, newCode, tokenFor } from './auth-mail.js';
import { expectProblem } from './helpers.js';
import { OAuthScene, Outcome, goBack, startOf, toTheWayBack } from './oauth-scene.js';
import { Authenticator, verify } from './two-factor.js';

describe('Whose account it is that a provider’s account signs in to', () => {
  let scene: OAuthScene;
  before(async () => {
    scene = await OAuthScene.open();
  });
  after(() => scene.close());

  /** Someone with a password whose address is confirmed. */
  async function confirmed(locale: 'en' | 'ar' = 'en'): Promise<Person> {
    const person = await scene.api.register({ locale });
    const token = await tokenFor(scene.campus, person.email, locale === 'en' ? CONFIRM : /أكّد عنوان بريدك/);
    expect((await scene.api.request('POST', '/auth/verify-email', { token })).status).to.equal(204);
    return person;
  }
  const linked = (userId: string) =>
    scene.campus.db.collection('identities').countDocuments({ userId: new ObjectId(userId) });
  const titles = (person: Person, title: RegExp) =>
    until(
      async () => (await person.get('/notifications?category=security')).body.data.map((each: Json) => each.title),
      (list: string[]) => list.some((one) => title.test(one)),
    );
  const said = async (...given: Parameters<OAuthScene['signIn']>) => (await scene.signIn(...given)).said;

  it('is that with the same address, proven on both sides; its owner is told', async () => {
    const owner = await confirmed();
    const provided = scene.someone('google', { email: owner.email.toUpperCase(), name: 'Another Name' });
    const person = await scene.enter(provided);
    expect(person.id).to.equal(owner.id);
    expect(person.name).to.equal(owner.name);
    await titles(owner, /^You can now sign in with Google$/);
    const mail = await scene.campus.edge.smtp.waitFor(
      ({ envelope, subject }) => envelope.to.includes(owner.email) && (subject ?? '').includes('sign in with Google'),
    );
    expect(mail).to.have.length(1);
    // By the provider's name for the person from now on, whatever becomes of the address.
    scene.openid.add('google', { ...provided.account, claims: { email: 'new@elsewhere.test', email_verified: true } });
    expect((await scene.enter(provided)).id).to.equal(owner.id);
    expect((await owner.get('/auth/identities')).body.data[0]).to.include({ email: 'new@elsewhere.test' });
    expect((await owner.get('/users/me')).body.email).to.equal(owner.email);
  });

  it('is told of in one’s own language', async () => {
    const owner = await confirmed('ar');
    await scene.enter(scene.someone('github', { email: owner.email }));
    await titles(owner, /^يمكنك الآن تسجيل الدخول عبر \u2068GitHub\u2069$/);
  });

  it('is nobody’s where the provider does not vouch for the address', async () => {
    for (const house of ['google', 'github', 'apple', 'facebook'] as const) {
      const owner = await confirmed();
      const provided = scene.someone(house, { email: owner.email, verified: false });
      expect(await said(provided)).to.deep.equal({ problem: 'OAUTH_ADDRESS_TAKEN' });
      expect(await linked(owner.id)).to.equal(0);
    }
  });

  it('is nobody’s where the account has not proven the address itself', async () => {
    // Whoever registers with someone else's address must not find them in their account one day.
    const squatter = await scene.api.register();
    const owner = scene.someone('google', { email: squatter.email });
    expect(await said(owner)).to.deep.equal({ problem: 'OAUTH_ADDRESS_TAKEN' });
    expect(await linked(squatter.id)).to.equal(0);
  });

  it('is nobody’s where the provider has given the address to someone else since', async () => {
    const owner = await confirmed();
    await scene.enter(scene.someone('google', { email: owner.email }));
    const successor = scene.someone('google', { email: owner.email });
    expect(await said(successor)).to.deep.equal({ problem: 'OAUTH_ADDRESS_TAKEN' });
    // With another provider it may well be the same person.
    expect((await scene.enter(scene.someone('apple', { email: owner.email }))).id).to.equal(owner.id);
    expect(await linked(owner.id)).to.equal(2);
  });

  it('is one new account, though the same new person comes back in several browsers at once', async () => {
    const person = scene.someone('google');
    const browsers = Array.from({ length: 5 }, () => scene.browser());
    const backs = await Promise.all(browsers.map((browser) => toTheWayBack(browser, person)));
    const ends = await Promise.all(
      browsers.map(async (browser, at) => new Outcome(scene.api, browser, await goBack(browser, backs[at]!))),
    );
    const people = await Promise.all(ends.map((end) => end.person()));
    expect(new Set(people.map(({ id }) => id)).size).to.equal(1);
    const { db } = scene.campus;
    expect(await db.collection('users').countDocuments({ email: person.email })).to.equal(1);
    expect(await db.collection('identities').countDocuments({ subject: person.subject })).to.equal(1);
    const events = await db.collection('events').find({ 'data.userId': people[0]!.id }).toArray();
    const count = (type: string) => events.filter((event) => event['type'] === type).length;
    expect([count('user.created'), count('identity.linked'), count('session.started')]).to.deep.equal([1, 1, 5]);
  });

  it('is one account, though someone registers with the address at the same moment', async () => {
    const person = scene.someone('google');
    const browser = scene.browser();
    const back = await toTheWayBack(browser, person);
    const { email } = person;
    const registration = { name: 'X', email, password: 'a password of the tests', role: 'student' };
    const [page, registered] = await Promise.all([
      goBack(browser, back),
      scene.otherNode.request('POST', '/auth/register', registration),
    ]);
    const { said: end } = new Outcome(scene.api, browser, page);
    const won = registered.status === 201 ? { problem: 'OAUTH_ADDRESS_TAKEN' } : { oauth: 'signed-in' };
    expect(end).to.deep.equal(won);
    expect(await scene.campus.db.collection('users').countDocuments({ email })).to.equal(1);
  });

  it('asks for the second factor where it is on, as a password does', async () => {
    const owner = await confirmed();
    const app = await Authenticator.enabledFor(scene.campus, owner);
    const person = scene.someone('google', { email: owner.email });
    const end = await scene.signIn(person, scene.browser(), { returnTo: '/feed' });
    expect(end.page.url.pathname).to.equal('/feed');
    expect(end.said).to.have.all.keys('challenge', 'expiresIn').and.to.include({ expiresIn: '300' });
    expect(end.browser.cookie('atrium_refresh')).to.equal(undefined);
    const { challenge } = end.said;
    const { status, body } = await verify(scene.api, { challenge, code: app.next() });
    expect(status).to.equal(200);
    expect(body.user.id).to.equal(owner.id);
  });

  it('lets nobody in who is suspended, until they are no longer', async () => {
    const person = scene.someone('google');
    const user = await scene.enter(person);
    const suspendedUntil = new Date(scene.campus.clock.now().getTime() + DAY).toISOString();
    const admin = await scene.api.admin();
    expect((await admin.patch(`/admin/users/${user.id}`, { suspendedUntil })).status).to.equal(200);
    const end = await scene.signIn(person);
    expect(end.said).to.deep.equal({ problem: 'ACCOUNT_SUSPENDED' });
    expect(end.browser.cookie('atrium_refresh')).to.equal(undefined);
    await admin.patch(`/admin/users/${user.id}`, { suspendedUntil: null });
    expect((await scene.enter(person)).id).to.equal(user.id);
  });

  it('links nothing to an account that is suspended', async () => {
    const owner = await confirmed();
    const suspendedUntil = new Date(scene.campus.clock.now().getTime() + DAY).toISOString();
    await (await scene.api.admin()).patch(`/admin/users/${owner.id}`, { suspendedUntil });
    expect(await said(scene.someone('google', { email: owner.email }))).to.deep.equal({ problem: 'ACCOUNT_SUSPENDED' });
    expect(await linked(owner.id)).to.equal(0);
  });

  it('takes back an account that was given up, and makes no new one while it is being erased', async () => {
    const owner = await confirmed();
    const person = scene.someone('google', { email: owner.email });
    await scene.enter(person);
    const code = await newCode(scene.campus, owner, 'erasure');
    expect((await owner.delete('/users/me', { password: owner.password, code })).status).to.equal(202);
    const back = await scene.enter(person);
    expect(back.id).to.equal(owner.id);
    expect((await back.get('/users/me')).status).to.equal(200);

    const { db } = scene.campus;
    const deletion = { requestedAt: new Date(), dueAt: new Date(Date.now() + DAY), startedAt: new Date(), done: [] };
    await db.collection('users').updateOne({ _id: new ObjectId(owner.id) }, { $set: { deletion } });
    expect(await said(person)).to.deep.equal({ problem: 'OAUTH_REFUSED' });
    const sameAddress = scene.someone('apple', { email: owner.email });
    expect(await said(sameAddress)).to.deep.equal({ problem: 'OAUTH_ADDRESS_TAKEN' });
  });

  it('leaves an account that is given up at the same moment either given up or with a session, never both', async () => {
    for (let round = 0; round < 3; round += 1) {
      const owner = await confirmed();
      const person = scene.someone('google', { email: owner.email });
      await scene.enter(person);
      const browser = scene.browser();
      const back = await toTheWayBack(browser, person);
      const code = await newCode(scene.campus, owner, 'erasure');
      const [page] = await Promise.all([
        goBack(browser, back),
        owner.delete('/users/me', { password: owner.password, code }),
      ]);
      expect(new Outcome(scene.api, browser, page).said).to.deep.equal({ oauth: 'signed-in' });
      const { db } = scene.campus;
      const userId = new ObjectId(owner.id);
      const givenUp = (await db.collection('users').findOne({ _id: userId }))!['deletion'] !== undefined;
      const sessions = await db.collection('sessions').countDocuments({ userId, endedAt: { $exists: false } });
      expect(sessions > 0, `${sessions} sessions, given up: ${givenUp}`).to.equal(!givenUp);
    }
  });

  it('stands in the audit once it is linked, with where that came from', async () => {
    const owner = await confirmed();
    await scene.enter(scene.someone('google', { email: owner.email }));
    const admin = await scene.api.admin();
    const rows = await until(
      async () => (await admin.get(`/audit?targetId=${owner.id}&action=identity.linked`)).body.data,
      (list: Json[]) => list.length > 0,
    );
    expect(rows[0]).to.include({ action: 'identity.linked', actorId: owner.id, targetId: owner.id });
    expect(rows[0].entity.kind).to.equal('identity');
    expect(rows[0].origin).to.have.property('ip');
  });

  it('is for people who are not signed in as well as for those who are', async () => {
    const signedIn = await scene.api.register();
    expectProblem(await scene.api.request('GET', '/auth/identities'), 401, 'UNAUTHORIZED');
    const answer = await fetch(`${scene.api.url}${startOf('google')}`, {
      redirect: 'manual',
      headers: { authorization: `Bearer ${signedIn.token}` },
    });
    expect(answer.status).to.equal(302);
  });
});
