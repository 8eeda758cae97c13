import { expect } from 'chai';
import { type Listener } from '../../src/core/events/listener.js';
import { commentCreated, postReacted } from '../../src/modules/posts/post.events.js';
import { type Json } from '../support/api.js';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { gate, type Member, OUTSIDE, Scene } from './scene.js';

describe('Every notification, once', function () {
  // Several nodes start and stop in each.
  this.timeout(90_000);
  let campus: Campus;
  beforeEach(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
  });
  afterEach(() => campus.close());

  it('is written and sent once, though all that happened is handled a second time', async () => {
    const first = new Scene(campus, await campus.startNode());
    const [author, reader] = await Promise.all([first.register(), first.register()]);
    await Promise.all([first.browser(author), first.phone(author)]);
    const postId = await author.publish();
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    for (const content of ['One', 'Two']) await reader.post(`/posts/${postId}/comments`, { content });
    await until(
      async () => (await author.get('/notifications')).body.data?.length,
      (count) => count === 3,
    );
    await first.settled();
    await campus.stopNodes();

    await campus.forgetWhatWasHandled();
    const handledAgain: string[] = [];
    const witness: Listener = {
      name: 'witness',
      types: [postReacted, commentCreated],
      handle: (events) => {
        handledAgain.push(...events.map(({ type }) => type));
        return Promise.resolve();
      },
    };
    const second = new Scene(campus, await campus.startNode({ listeners: [witness] }));
    await reader.on(second.api).post(`/posts/${postId}/comments`, { content: 'Marker' });

    const again = author.on(second.api);
    const marker = await second.notification(again, ({ body }: Json) => body.includes('Marker'));
    for (const channel of OUTSIDE) await second.delivery(again, channel, 'sent');
    expect(marker.type).to.equal('COMMENT');
    expect(handledAgain).to.include.members(['post.reacted', 'comment.created']).and.to.have.length.at.least(4);
    expect((await again.get('/notifications')).body.data).to.have.length(4);
    expect(campus.edge.smtp.received).to.have.length(4);
    expect(campus.edge.webPush.received).to.have.length(4);
    expect(campus.edge.fcm.received).to.have.length(4);
  });

  it('is delivered once on each channel by two workers that share 200 notifications', async () => {
    const scene = new Scene(campus, await campus.startNode({ env: { ROLE: 'api' } }));
    const env = { ROLE: 'worker' };
    await Promise.all([campus.startNode({ env }), campus.startNode({ env })]);
    const people = await scene.crowd(200, { phones: 1, browsers: 1 });

    const batches = Array.from({ length: 10 }, (_, index) => people.slice(index * 20, index * 20 + 20));
    const ids = await Promise.all(batches.map((batch) => scene.notify(batch, { channels: OUTSIDE })));
    for (const id of ids) await scene.allSent(id, OUTSIDE);

    expectOnceEach(people);
    expect(await campus.db.collection('notifications').countDocuments()).to.equal(200);
    // Nobody took up what another had in hand.
    expect(await campus.db.collection('notifications').distinct('channels.email.attempts')).to.deep.equal([1]);
  });

  it('is delivered once where workers are woken again and again while it is being sent', async () => {
    const scene = new Scene(campus, await campus.startNode());
    await campus.startNode({ env: { ROLE: 'worker' } });
    const [slow, ...others] = await scene.crowd(6, { phones: 1, browsers: 1 });
    const { open, opened } = gate();
    campus.edge.smtp.onReceived(({ envelope }) => (envelope.to.includes(slow!.email) ? opened : undefined));
    campus.edge.fcm.onReceived(({ message }) => (message.token === slow!.tokens[0] ? opened : undefined));
    campus.edge.webPush.onReceived(({ endpoint }) => (endpoint === slow!.endpoints[0] ? opened : undefined));

    const held = await scene.notify([slow!], { channels: OUTSIDE });
    await campus.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(slow!.email));
    // Each of these wakes every worker, and so does each sweep.
    for (const other of others) await scene.allSent(await scene.notify([other], { channels: OUTSIDE }), OUTSIDE);
    const sweeps = campus.db.collection('agendaJobs');
    const since = new Date();
    const sweepAfter = { name: 'send-notification', lastFinishedAt: { $gt: since } };
    await until(() => sweeps.countDocuments(sweepAfter), Boolean);

    open();
    await scene.allSent(held, OUTSIDE);
    expectOnceEach([slow!, ...others]);
  });

  function expectOnceEach(people: Member[]): void {
    const { smtp, webPush, fcm } = campus.edge;
    expect(smtp.received.map(({ envelope }) => envelope.to[0]).sort()).to.deep.equal(
      people.map(({ email }) => email).sort(),
    );
    expect(webPush.received.map(({ endpoint }) => endpoint).sort()).to.deep.equal(
      people.flatMap(({ endpoints }) => endpoints).sort(),
    );
    expect(fcm.received.map(({ message }) => message.token).sort()).to.deep.equal(
      people.flatMap(({ tokens }) => tokens).sort(),
    );
  }
});
