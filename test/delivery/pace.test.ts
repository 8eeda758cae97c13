import { expect } from 'chai';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

const PER_SECOND = 20;
/** What has leave to be sent takes a moment to arrive: on each connection of three workers one may be about to. */
const ON_THE_WAY = 15;

describe('The pace of a provider', function () {
  // Several nodes start and stop in each.
  this.timeout(90_000);
  let campus: Campus;
  beforeEach(async () => {
    // A busy machine is no reason for a claim to run out, which would rightly mean a second copy.
    campus = await Campus.open(SWEPT_OFTEN);
  });
  afterEach(() => campus.close());

  it('holds for three workers together, and nothing is lost', async () => {
    const pace = { SMTP_PER_SECOND: String(PER_SECOND) };
    const scene = new Scene(campus, await campus.startNode({ env: pace }));
    const worker = { env: { ROLE: 'worker', ...pace } };
    await Promise.all([campus.startNode(worker), campus.startNode(worker)]);
    const people = await scene.crowd(80);
    const batches = Array.from({ length: 8 }, (_, index) => people.slice(index * 10, index * 10 + 10));
    const ids = await Promise.all(batches.map((batch) => scene.notify(batch, { channels: ['email'] })));
    for (const id of ids) await scene.allSent(id, ['email']);

    const { received } = campus.edge.smtp;
    expect(received.flatMap(({ envelope }) => envelope.to)).to.have.members(people.map(({ email }) => email));
    const times = received.map(({ at }) => at.getTime()).sort((one, other) => one - other);
    for (const [first, start] of times.entries()) {
      for (const [last, end] of times.entries()) {
        if (last < first) continue;
        // A second's worth is in the bucket at most, and as much flows in every second.
        const allowed = PER_SECOND + ((end - start) / 1_000) * PER_SECOND + ON_THE_WAY;
        expect(last - first + 1, `within ${end - start} ms`).to.be.at.most(allowed);
      }
    }
  });

  it('makes calls smaller where they hold many mails', async () => {
    const { apiKey, url } = campus.edge.sendgrid;
    const env = { SENDGRID_API_KEY: apiKey, SENDGRID_BASE_URL: url, SENDGRID_PER_SECOND: '50' };
    const scene = new Scene(campus, await campus.startNode({ env }));
    const people = await scene.crowd(120);
    await scene.allSent(await scene.notify(people, { channels: ['email'] }), ['email']);

    const { received, recipients } = campus.edge.sendgrid;
    expect(received[0]!.mail.personalizations).to.have.length(50);
    expect(received.every(({ mail }) => mail.personalizations.length <= 50)).to.equal(true);
    expect(recipients).to.have.members(people.map(({ email }) => email));
  });

  it('holds up no worker that is to stop: what waits is given back untried, and another sends it', async () => {
    const scene = new Scene(campus, await campus.startNode({ env: { SMTP_PER_SECOND: '1' } }));
    const people = await scene.crowd(30);
    const batchId = await scene.notify(people, { channels: ['email'] });
    await campus.edge.smtp.waitFor();
    await campus.stopNodes();

    const waiting = await campus.db
      .collection('notifications')
      .find({ 'channels.email.status': { $ne: 'sent' } })
      .toArray();
    expect(waiting).to.have.length.within(15, 29);
    for (const { channels } of waiting) {
      expect(channels.email).to.include({ status: 'pending', attempts: 0 }).and.to.not.have.property('claim');
    }

    const next = new Scene(campus, await campus.startNode());
    await until(
      () => next.progress(batchId),
      ({ channels }) => channels.email.sent === 30,
    );
    const recipients = campus.edge.smtp.received.flatMap(({ envelope }) => envelope.to);
    expect(recipients.sort()).to.deep.equal(people.map(({ email }) => email).sort());
  });
});
