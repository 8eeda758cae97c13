import { expect } from 'chai';
import { HOUR } from '../../src/core/clock.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { CONFIRM, mailTo, RESET, tokenFor } from './auth-mail.js';
import { expectProblem } from './helpers.js';

describe('Confirming an e-mail address', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const confirm = (token: string, on = api!) => on.request('POST', '/auth/verify-email', { token });
  const isConfirmed = async (person: Person): Promise<boolean> => (await person.get('/users/me')).body.emailVerified;

  it('works by the link that is mailed on registration', async () => {
    const person = await api!.register();
    expect(await isConfirmed(person)).to.equal(false);
    const token = await tokenFor(campus, person.email, CONFIRM);
    expect((await confirm(token)).status).to.equal(204);
    expect(await isConfirmed(person)).to.equal(true);
  });

  it('links to the web app, in the language of the account', async () => {
    const person = await api!.register({ locale: 'ar' });
    const mail = await mailTo(campus, person.email, /أكّد عنوان/);
    expect(mail.text).to.include('https://campus.test/verify-email?token=');
    expect(mail.html).to.include('dir="rtl"');
  });

  it('works once, even for many at once on two nodes', async () => {
    const person = await api!.register();
    const token = await tokenFor(campus, person.email, CONFIRM);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => confirm(token, at % 2 ? api : otherNode)));
    expect(answers.filter(({ status }) => status === 204)).to.have.length(1);
    for (const answer of answers.filter(({ status }) => status !== 204)) {
      expectProblem(answer, 400, 'ONE_TIME_TOKEN_INVALID');
    }
  });

  it('works for a day and no longer', async () => {
    const [early, late] = await Promise.all([api!.register(), api!.register()]);
    const [first, second] = [await tokenFor(campus, early.email, CONFIRM), await tokenFor(campus, late.email, CONFIRM)];
    campus.clock.advance(23.9 * HOUR);
    expect((await confirm(first)).status).to.equal(204);
    campus.clock.advance(0.2 * HOUR);
    expectProblem(await confirm(second), 400, 'ONE_TIME_TOKEN_INVALID');
  });

  it('refuses what was never given out, and tokens for another purpose', async () => {
    const person = await api!.register();
    const token = await tokenFor(campus, person.email, CONFIRM);
    await api!.request('POST', '/auth/password/forgot', { email: person.email });
    const forReset = await tokenFor(campus, person.email, RESET);
    const [kid, , mac] = token.split('.');
    for (const forged of ['nonsense', forReset, `${kid}.${person.id}.${mac}`, token.replace(/.....$/, 'AAAAA')]) {
      expectProblem(await confirm(forged), 400, 'ONE_TIME_TOKEN_INVALID');
    }
    expect(await isConfirmed(person)).to.equal(false);
  });

  it('can be asked for again, until it is done', async () => {
    const person = await api!.register();
    const first = await tokenFor(campus, person.email, CONFIRM);
    expect((await person.post('/auth/verify-email/resend')).status).to.equal(204);
    const second = await tokenFor(campus, person.email, CONFIRM, 2);
    expect(second).not.to.equal(first);
    expect((await confirm(second)).status).to.equal(204);
    // The other link is of no use any more, and there is nothing more to mail.
    expectProblem(await confirm(first), 400, 'ONE_TIME_TOKEN_INVALID');
    expect((await person.post('/auth/verify-email/resend')).status).to.equal(204);
    await api!.request('POST', '/auth/password/forgot', { email: person.email });
    await mailTo(campus, person.email, RESET);
    expect(
      campus.edge.smtp.received.filter(
        ({ envelope, subject }) => envelope.to[0] === person.email && CONFIRM.test(subject!),
      ),
    ).to.have.length(2);
  });

  it('mails the link though no node works at the moment of the registration', async () => {
    const campusOfTwo = await Campus.open();
    try {
      const server = await campusOfTwo.startNode({ env: { ROLE: 'api' } });
      const person = await server.register();
      await campusOfTwo.stopNodes();
      await campusOfTwo.startNode();
      expect(await tokenFor(campusOfTwo, person.email, CONFIRM)).to.be.a('string');
    } finally {
      await campusOfTwo.close();
    }
  });

  it('leaves no token anywhere in the database, and nothing in the app', async () => {
    const person = await api!.register();
    const token = await tokenFor(campus, person.email, CONFIRM);
    for (const { name } of await campus.db.listCollections().toArray()) {
      if (name.startsWith('system.')) continue;
      const stored = JSON.stringify(await campus.db.collection(name).find().toArray());
      expect(stored, name).not.to.include(token.split('.')[2]!);
    }
    const list = await person.get('/notifications');
    expect(list.body.data, JSON.stringify(list.body)).to.deep.equal([]);
    expect((await person.get('/notifications/unread-count')).body.count).to.equal(0);
  });
});
