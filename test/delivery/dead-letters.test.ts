import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

describe('Deliveries that were given up', () => {
  let scene: Scene;
  let admin: Person;
  before(async () => {
    scene = await Scene.open();
    admin = await scene.api.admin();
  });
  afterEach(async () => {
    scene.edge.smtp.clear();
    scene.edge.webPush.clear();
    await admin.post('/admin/dead-letters/requeue', {});
    await scene.settled();
  });
  after(() => scene.close());

  const list = async (query = ''): Promise<Json> => (await admin.get(`/admin/dead-letters${query}`)).body;
  const letterOf = async ({ id }: Person): Promise<Json> =>
    (await list()).data.find(({ userId }: Json) => userId === id);
  const auditOf = ({ id }: Person, action: string): Promise<Json[]> =>
    until(
      async () => (await admin.get(`/audit?targetId=${id}&action=${action}`)).body.data as Json[],
      ({ length }) => length > 0,
    );

  /** People whose mail the server refused for good. */
  async function refused(count: number): Promise<Person[]> {
    const people = await Promise.all(Array.from({ length: count }, () => scene.register()));
    for (const { email } of people) scene.edge.smtp.refuse(email);
    await scene.notify(people, { channels: ['email'], title: 'خبر' });
    for (const person of people) await scene.delivery(person, 'email', 'dead');
    return people;
  }

  it('are none at first', async () => {
    expect(await list()).to.deep.equal({ data: [], nextCursor: null });
  });

  it('are listed newest first, by channel, type and error, a page at a time', async () => {
    const people = await refused(3);
    const [browsing] = await Promise.all([scene.register()]);
    await scene.browser(browsing);
    scene.edge.webPush.faults.next({ kind: 'status', status: 400 });
    await scene.notify([browsing], { channels: ['webPush'] });
    await scene.delivery(browsing, 'webPush', 'dead');

    const whose = ({ data }: Json): string[] => data.map(({ userId }: Json) => userId as string);
    const all = await list();
    expect(whose(all)).to.have.length(4);
    expect(whose(all)[0]).to.equal(browsing.id);
    expect(whose(await list('?channel=webPush'))).to.deep.equal([browsing.id]);
    expect(whose(await list('?error=SMTP_550&type=SYSTEM'))).to.have.members(people.map(({ id }) => id));
    expect(await list('?type=SECURITY')).to.deep.equal({ data: [], nextCursor: null });

    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${first.nextCursor as string}`);
    expect([...first.data, ...second.data]).to.deep.equal(all.data);
    expect(second.nextCursor).to.equal(null);
    expect((await admin.get(`/admin/dead-letters?channel=email&cursor=${first.nextCursor as string}`)).status).to.equal(
      400,
    );

    const metrics = await (await fetch(`${scene.api.url}/metrics`)).text();
    expect(metrics).to.contain('atrium_dead_letters{channel="email"} 3');
    expect(metrics).to.contain('atrium_dead_letters{channel="webPush"} 1');
  });

  it('say what the provider said', async () => {
    const [person] = (await refused(1)) as [Person];
    const { id: notificationId } = await scene.notification(person);
    const { id } = await letterOf(person);
    const { status, body } = await admin.get(`/admin/dead-letters/${id as string}`);
    expect(status).to.equal(200);
    expect(body).to.deep.include({
      id,
      notificationId,
      userId: person.id,
      channel: 'email',
      type: 'SYSTEM',
      error: 'SMTP_550',
      detail: '550 No such mailbox',
      attempts: 1,
    });
  });

  it('are sent after all where an admin has one tried again, once however often that is asked at once', async () => {
    const [person] = (await refused(1)) as [Person];
    const { id } = await letterOf(person);
    scene.edge.smtp.clear();
    const path = `/admin/dead-letters/${id as string}/requeue`;
    const answers = await Promise.all([1, 2, 3].map(() => admin.post(path)));

    expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 404, 404]);
    await scene.delivery(person, 'email', 'sent', 1);
    expect(scene.edge.smtp.received.map(({ subject }) => subject)).to.deep.equal(['خبر']);
    expect((await admin.get(`/admin/dead-letters/${id as string}`)).body.code).to.equal('DEAD_LETTER_NOT_FOUND');
    const [row, ...others] = await auditOf(person, 'dead-letter.requeued');
    expect(row).to.deep.include({ actorId: admin.id, targetId: person.id, entity: { kind: 'deadLetter', id } });
    expect(others).to.deep.equal([]);
  });

  it('that fit are tried again together, each once though two admins ask', async () => {
    const people = await refused(4);
    scene.edge.smtp.clear();
    const ask = () => admin.post('/admin/dead-letters/requeue', { channel: 'email', error: 'SMTP_550' });
    expect((await admin.post('/admin/dead-letters/requeue', { error: 'SMTP_554' })).body.requeued).to.equal(0);
    const answers = await Promise.all([ask(), ask()]);

    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200]);
    expect(answers.map(({ body }) => body.requeued as number).sort()).to.deep.equal([0, 4]);
    for (const person of people) await scene.delivery(person, 'email', 'sent', 1);
    const addresses = scene.edge.smtp.received.flatMap(({ envelope }) => envelope.to);
    expect(addresses.sort()).to.deep.equal(people.map(({ email }) => email).sort());
    expect((await ask()).body).to.deep.equal({ requeued: 0, remaining: 0 });
  });

  it('are put back 500 at a time, and what is no longer there is only taken off the list', async () => {
    const letters = Array.from({ length: 501 }, () => ({
      notificationId: new ObjectId(),
      userId: new ObjectId(),
      ...{ channel: 'email', type: 'SYSTEM', error: 'OF_ANOTHER_TIME', attempts: 4, diedAt: new Date() },
    }));
    await scene.campus.db.collection('deadLetters').insertMany(letters);
    const ask = async () => (await admin.post('/admin/dead-letters/requeue', { error: 'OF_ANOTHER_TIME' })).body;
    expect(await ask()).to.deep.equal({ requeued: 0, remaining: 1 });
    expect(await ask()).to.deep.equal({ requeued: 0, remaining: 0 });
  });

  it('stay given up where an admin discards them', async () => {
    const [person] = (await refused(1)) as [Person];
    const { id } = await letterOf(person);
    expect((await admin.post(`/admin/dead-letters/${id as string}/discard`)).status).to.equal(204);

    expect(await letterOf(person)).to.equal(undefined);
    expect((await admin.post(`/admin/dead-letters/${id as string}/requeue`)).body.code).to.equal(
      'DEAD_LETTER_NOT_FOUND',
    );
    expect((await admin.post(`/admin/dead-letters/${id as string}/discard`)).status).to.equal(404);
    expect(await scene.delivery(person, 'email', 'dead')).to.include({ attempts: 1 });
    await auditOf(person, 'dead-letter.discarded');
  });
});
