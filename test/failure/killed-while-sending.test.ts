import { expect } from 'chai';
import { type Api, Campus, SWEPT_OFTEN } from '../support/campus.js';
import { CONFIRM_ADDRESS, Reachable } from '../support/everywhere.js';
import { startWorker } from '../support/processes.js';

describe('A worker that is killed after a provider has taken a message and before it said so', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(60_000);

  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  it('leaves the sending to the next one, whose copy carries the same id on every channel', async () => {
    const author = await Reachable.everywhere(campus, await api.register());
    const reader = await api.register();
    const postId = await author.person.publish();
    const worker = await startWorker(campus);
    const { smtp, webPush, fcm } = campus.edge;
    for (const { email } of [author.person, reader]) {
      await smtp.waitFor(({ envelope, subject }) => envelope.to.includes(email) && subject === CONFIRM_ADDRESS);
    }
    // Nobody is answered before all three have the message, and the worker is dead by then.
    const ends: (() => void)[] = [];
    const handedOver = [smtp, webPush, fcm].map(
      (provider) => new Promise<void>((resolve) => ends.push(provider.onReceived(() => hold(resolve)))),
    );
    const killed = Promise.all(handedOver).then(() => worker.kill());
    async function hold(arrived: () => void): Promise<void> {
      arrived();
      await killed;
    }

    await reader.post(`/posts/${postId}/react`, { type: 'LOVE' });
    await killed;
    for (const end of ends) end();
    expect(await worker.exited()).to.equal('SIGKILL');
    const [interrupted] = await author.stored();
    expect(interrupted.channels).to.deep.include.keys('email', 'webPush', 'mobilePush');
    expect(interrupted.channels.email.status).to.equal('sending');

    const next = await startWorker(campus);
    const stored = await author.sent(1);
    expect(stored).to.have.length(1);
    const id = String(stored[0]._id);
    expect(author.mails.map(({ messageId }) => messageId)).to.deep.equal(Array(2).fill(`<${id}@campus.test>`));
    expect(author.pushes.map(({ topic }) => topic)).to.deep.equal(Array(2).fill(id));
    const collapseIds = author.messages.map(
      ({ message }) => (message['android'] as { collapse_key: string }).collapse_key,
    );
    expect(collapseIds).to.deep.equal(Array(2).fill(id));
    expect((await author.person.get('/notifications')).body.data).to.have.length(1);
    await next.kill();
  });
});
