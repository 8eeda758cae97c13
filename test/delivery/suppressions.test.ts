import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { codeFor, CONFIRM_NEW, EMAIL_CHANGE_CODE, mailTo, tokenFor } from '../api/auth-mail.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY } from '../api/helpers.js';
import { type Answer, type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

const PATH = '/admin/suppressions';
const SKIPPED = { status: 'skipped', attempts: 0, reason: 'SUPPRESSED' };

describe('Addresses that get no mail', () => {
  let scene: Scene;
  let admin: Person;
  before(async () => {
    scene = await Scene.open();
    admin = await scene.api.admin();
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  const suppress = (address: string): Promise<Answer<Json>> => admin.post(PATH, { address });
  const found = async (query: string): Promise<Json[]> => (await admin.get(`${PATH}?${query}`)).body.data as Json[];
  /** What was mailed about the account, or was not, as soon as that is known. */
  const accountMail = (person: Person, kind: string): Promise<Json> =>
    until(() =>
      scene.campus.db.collection('notifications').findOne({
        ...{ userId: new ObjectId(person.id), 'entity.kind': kind },
        'channels.email.status': { $nin: ['pending', 'sending'] },
      }),
    );

  it('are none at first', async () => {
    expect((await admin.get(PATH)).body).to.deep.equal({ data: [], nextCursor: null });
  });

  it('are told of in the app all the same, where it says why no mail came', async () => {
    const [person, other] = await Promise.all([scene.register(), scene.register()]);
    const { status, body } = await suppress(` ${person.email.toUpperCase()} `);
    expect(status).to.equal(201);
    const { id, createdAt } = body;
    const facts = { address: person.email, userId: person.id, reason: 'manual', source: 'admin' };
    expect(body).to.deep.equal({ id, createdAt, ...facts });

    await scene.notify([person, other], { channels: ['email'], title: 'خبر' });
    expect(await scene.delivery(person, 'email', 'skipped')).to.deep.equal(SKIPPED);
    expect((await scene.notification(person)).channels.inApp).to.deep.equal({ status: 'unread' });
    await scene.delivery(other, 'email', 'sent');
    expect(scene.edge.smtp.received.flatMap(({ envelope }) => envelope.to)).to.deep.equal([other.email]);
  });

  it('by an admin’s wish get nothing, whoever asks for a new password there', async () => {
    const person = await scene.register();
    await suppress(person.email);
    await scene.api.request('POST', '/auth/password/forgot', { email: person.email });
    const { channels } = await accountMail(person, 'passwordReset');
    expect(channels).to.deep.equal({ email: SKIPPED });
  });

  it('are found out about before anything is sent, though it was written before', async () => {
    const person = await scene.register();
    scene.edge.smtp.refuse(person.email);
    await scene.notify([person], { channels: ['email'] });
    await scene.delivery(person, 'email', 'dead');
    scene.edge.smtp.clear();
    await suppress(person.email);

    const [letter] = (await admin.get('/admin/dead-letters')).body.data as Json[];
    expect((await admin.post(`/admin/dead-letters/${letter.id as string}/requeue`)).status).to.equal(204);
    expect(await scene.delivery(person, 'email', 'skipped')).to.deep.equal({ ...SKIPPED, attempts: 1 });
    expect(scene.edge.smtp.received).to.deep.equal([]);
  });

  it('are those where a mail server knows no mailbox, but not those where it refuses this mail alone', async () => {
    const answers = ['5.1.1 no such user', '5.7.1 it looks like spam', 'no'];
    const reasons = [];
    for (const body of answers) {
      const person = await scene.register();
      scene.edge.smtp.faults.next({ kind: 'status', status: 550, body });
      await scene.notify([person], { channels: ['email'] });
      await scene.delivery(person, 'email', 'dead');
      await scene.notify([person], { channels: ['email'], title: 'Next' });
      const { channels } = await scene.notification(
        person,
        (one) => one.title === 'Next' && !['pending', 'sending'].includes(one.channels.email.status as string),
      );
      reasons.push(channels.email.reason ?? channels.email.status);
      const [{ address, userId, ...rest } = {} as Json] = await found(`address=${person.email}&reason=bounce`);
      if (body.startsWith('5.1')) {
        expect({ address, userId }).to.deep.equal({ address: person.email, userId: person.id });
        expect(rest).to.deep.include({ source: 'smtp', error: '5.1.1' });
      } else expect(address).to.equal(undefined);
    }
    expect(reasons).to.deep.equal(['SUPPRESSED', 'sent', 'sent']);
  });

  it('are left behind by whoever has another address', async () => {
    const person = await scene.register();
    await person.post('/auth/codes', { purpose: 'emailChange' });
    const code = await codeFor(scene.campus, person.email, EMAIL_CHANGE_CODE);
    await suppress(person.email);

    const newEmail = `new-${person.email}`;
    const { password } = person;
    expect((await person.post('/auth/email/change', { newEmail, password, code })).status).to.equal(204);
    const token = await tokenFor(scene.campus, newEmail, CONFIRM_NEW);
    expect((await scene.api.request('POST', '/auth/email/confirm', { token })).status).to.equal(204);
    // That goes to the old one.
    expect((await accountMail(person, 'emailChange')).channels.email).to.include({ status: 'sent' });
    await until(
      async () => (await person.get('/notifications')).body.data as Json[],
      (all) => all.some(({ channels }) => channels.email?.reason === 'SUPPRESSED'),
    );

    await scene.notify([person], { channels: ['email'], title: 'To the new one' });
    await mailTo(scene.campus, newEmail, /To the new one/);
  });

  it('are listed newest first, by address and reason, a page at a time', async () => {
    const added = [];
    for (const address of ['one@elsewhere.test', 'two@elsewhere.test', 'ثلاثة@elsewhere.test']) {
      const { status, body } = await suppress(address);
      expect(status, JSON.stringify(body)).to.equal(201);
      expect(body).to.include({ address }).and.not.have.property('userId');
      added.unshift(body);
    }
    const all = await allPages(admin, `${PATH}?reason=manual`, { limit: 2 });
    expect(all.slice(0, 3)).to.deep.equal(added);
    expect(await found('address=ONE@elsewhere.test')).to.deep.equal([added[2]]);
    expect(await found('address=one@elsewhere.test&reason=bounce')).to.deep.equal([]);
    expect(await found('address=nobody@elsewhere.test')).to.deep.equal([]);
    const { nextCursor } = (await admin.get(`${PATH}?limit=1`)).body as { nextCursor: string };
    expectProblem(await admin.get(`${PATH}?reason=manual&cursor=${nextCursor}`), 400, 'INVALID_CURSOR');
    expectInvalid(await admin.get(`${PATH}?address=nowhere&reason=gossip`), 'query.address', 'query.reason');
    expectInvalid(await suppress('nowhere'), 'body.address');
  });

  it('are there once, though several admins suppress one together', async () => {
    const address = 'many@elsewhere.test';
    const answers = await Promise.all(Array.from({ length: 6 }, () => suppress(address)));
    expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 201));
    expect(new Set(idsOf(answers.map(({ body }) => body))).size).to.equal(1);
    expect(await found(`address=${address}`)).to.have.length(1);
  });

  it('get mail again when an admin says so, one of several at once; and all of it is in the audit', async () => {
    const person = await scene.register();
    const { id } = (await suppress(person.email)).body as { id: string };
    const answers = await Promise.all([1, 2, 3].map(() => admin.delete(`${PATH}/${id}`)));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 404, 404]);
    expectProblem(await admin.delete(`${PATH}/${NOBODY}`), 404, 'SUPPRESSION_NOT_FOUND');
    await scene.notify([person], { channels: ['email'] });
    await scene.delivery(person, 'email', 'sent');

    const rows = await until(
      async () => (await admin.get(`/audit?targetId=${person.id}&actorId=${admin.id}`)).body.data as Json[],
      ({ length }) => length === 2,
    );
    expect(rows.map(({ action }) => action as string)).to.deep.equal(['suppression.lifted', 'suppression.added']);
    for (const row of rows) expect(row).to.deep.include({ reason: 'manual', entity: { kind: 'suppression', id } });
  });
});
