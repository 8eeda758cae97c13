import { expect } from 'chai';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { newDatabase } from '../support/databases.js';
import { notificationsOf } from '../support/everywhere.js';
import { type ProcessNode } from '../support/process-node.js';
import { holderOf, leads, startDoomedWorker, startWorker } from '../support/processes.js';
import { until } from '../support/until.js';

describe('Several nodes on one database', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(100_000);

  let campus: Campus;
  let first: ProcessNode;
  let second: ProcessNode;
  let worker: ProcessNode;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN, newDatabase());
    // All at once on an empty database: one of them makes the collections, the others wait.
    [first, second, worker] = await Promise.all([
      campus.startProcess({ env: { ROLE: 'api' } }),
      campus.startProcess({ env: { ROLE: 'api' } }),
      startWorker(campus),
    ]);
  });
  after(() => campus.close());

  it('start together on an empty database: it is set up once, and they agree on its secrets', async () => {
    const made = [first, second, worker].flatMap(({ log }) =>
      log.filter(({ msg }) => msg === 'migrations: collections and indexes are in place'),
    );
    expect(made).to.have.length(1);
    const person = await first.api.register();
    expect((await person.on(second.api).get('/notifications')).status).to.equal(200);
    const [one, other] = await Promise.all([first, second].map(({ api }) => person.on(api).get('/push/vapid-key')));
    expect(one!.body.publicKey).to.be.a('string').and.to.equal(other!.body.publicKey);
  });

  it('show a reaction made on one to a device connected to the other', async () => {
    const author = await first.api.register();
    const reader = await first.api.register();
    const postId = await author.publish();
    const phone = await author.on(second.api).connect('/notifications');

    expect((await reader.post(`/posts/${postId}/react`, { type: 'LIKE' })).status).to.equal(200);

    const shown = await phone.next('notification:new');
    expect(shown).to.deep.include({ type: 'REACTION', userId: author.id, actorIds: [reader.id] });
    phone.socket.disconnect();
  });

  it('move the reactor’s lease within ten seconds when its holder is killed, and tell once what happened meanwhile', async () => {
    const [author, reader] = [await first.api.register(), await first.api.register()];
    const postId = await author.publish();
    const workers = [worker, await startWorker(campus)];
    const holder = await holderOf(campus, workers);
    worker = workers.find((each) => each !== holder)!;

    await holder.kill();
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });

    await leads(campus, worker, 10_000);
    await until(
      () => notificationsOf(campus, author),
      ({ length }) => length > 0,
      10_000,
    );
    await reader.post(`/posts/${postId}/comments`, { content: 'a marker' });
    const told = await until(
      () => notificationsOf(campus, author),
      (found) => found.some(({ type }) => type === 'COMMENT'),
    );
    expect(told.map(({ type }) => type)).to.deep.equal(['REACTION', 'COMMENT']);
  });

  it('refuse the writes of a holder that slept longer than its lease; it steps down and competes again', async () => {
    const [author, reader] = [await first.api.register(), await first.api.register()];
    const postId = await author.publish('a lullaby');
    await worker.kill();
    const sleeper = await startDoomedWorker(campus, 'a lullaby', 'SIGSTOP');
    await leads(campus, sleeper);
    worker = await startWorker(campus);

    // It falls asleep with its notification written and not committed.
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await leads(campus, worker);
    await until(
      () => notificationsOf(campus, author),
      ({ length }) => length > 0,
    );
    sleeper.signal('SIGCONT');
    await until(() => sleeper.log.some(({ msg }) => msg === 'consumer: another node took the lease'));
    await leads(campus, worker);

    await worker.kill();
    await leads(campus, sleeper, 10_000);
    await reader.post(`/posts/${postId}/comments`, { content: 'good morning' });
    const told = await until(
      () => notificationsOf(campus, author),
      (found) => found.some(({ type }) => type === 'COMMENT'),
    );
    expect(told.map(({ type }) => type)).to.deep.equal(['REACTION', 'COMMENT']);
    await sleeper.kill();
  });
});
