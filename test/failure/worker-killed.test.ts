import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Api, Campus, SWEPT_OFTEN } from '../support/campus.js';
import { Reachable } from '../support/everywhere.js';
import { type ProcessNode } from '../support/process-node.js';
import { leads, startDoomedWorker, startWorker } from '../support/processes.js';

describe('A worker that is killed', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(60_000);

  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  let worker: ProcessNode | undefined;

  /** Every start costs seconds: whoever is alive after one test serves the next. */
  async function leadingWorker(): Promise<ProcessNode> {
    if (worker?.ended !== undefined) worker = undefined;
    worker ??= await startWorker(campus);
    await leads(campus, worker);
    return worker;
  }

  async function expectToldOnce(author: Reachable): Promise<void> {
    const stored = await author.sent(1);
    expect(stored).to.have.length(1);
    const listed = await author.person.get('/notifications');
    expect(listed.body.data).to.have.length(1);
    expect([author.mails.length, author.pushes.length, author.messages.length]).to.deep.equal([1, 1, 1]);
  }

  it('within the transaction that handles an event: another takes over in seconds and tells of it once', async () => {
    const author = await Reachable.everywhere(campus, await api.register());
    const reader = await api.register();
    const postId = await author.person.publish('the last straw');
    const doomed = await startDoomedWorker(campus, 'the last straw', 'SIGKILL');
    await leads(campus, doomed);
    worker = await startWorker(campus);

    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    expect(await doomed.exited()).to.equal('SIGKILL');
    expect(await author.stored()).to.have.length(0);

    // The server would keep what the dead transaction has locked for a minute.
    await author.sent(1);
    await expectToldOnce(author);
  });

  it('before it has handled what was written: the next one tells of it, once on every channel', async () => {
    const author = await Reachable.everywhere(campus, await api.register());
    const reader = await api.register();
    const postId = await author.person.publish();
    const victim = await leadingWorker();
    victim.signal('SIGSTOP');

    expect((await reader.post(`/posts/${postId}/react`, { type: 'LIKE' })).status).to.equal(200);
    await victim.kill();
    expect(await author.stored()).to.have.length(0);

    await leadingWorker();
    await expectToldOnce(author);
  });

  it('as soon as it has committed what it handled: nothing is told again, and the next one sends it', async () => {
    const author = await Reachable.everywhere(campus, await api.register());
    const reader = await api.register();
    const postId = await author.person.publish();
    const victim = await leadingWorker();
    const ofAuthor = {
      $match: { 'fullDocument.userId': new ObjectId(author.person.id), 'fullDocument.type': 'REACTION' },
    };
    const commits = campus.db.collection('notifications').watch([ofAuthor]);
    await commits.tryNext();

    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await commits.next();
    await victim.kill();
    await commits.close();
    // In a transaction that it had begun it would keep locked for a minute what it was about to send.
    await campus.forgetTheDead();

    await leadingWorker();
    // A marker that is handled later shows that nothing was handled again before it.
    const marker = await Reachable.everywhere(campus, await api.register());
    await reader.post(`/posts/${await marker.person.publish()}/react`, { type: 'LIKE' });
    await expectToldOnce(marker);
    const [stored, ...others] = await author.sent(1);
    expect(others).to.have.length(0);
    // It may have got as far as the mail server before it died: then the mail came twice, as the same mail.
    expect([...new Set(author.mails.map(({ messageId }) => messageId))]).to.deep.equal([
      `<${String(stored._id)}@campus.test>`,
    ]);
  });
});
