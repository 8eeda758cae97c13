import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { SECOND } from '../../src/core/clock.js';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

describe('A push to the phone of someone who has the app open', function () {
  // A process of its own starts.
  this.timeout(60_000);

  let campus: Campus;
  let scene: Scene;
  let elsewhere: Api;
  let reader: Person;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    scene = new Scene(campus, await campus.startNode());
    elsewhere = await campus.startNode({ env: { ROLE: 'api' } });
    reader = await scene.register();
  });
  after(() => campus.close());

  const owner = async (): Promise<{ person: Person; token: string }> => {
    const person = await scene.register();
    return { person, token: await scene.phone(person) };
  };
  const look = async (socket: LiveSocket, foreground: boolean): Promise<void> => {
    expect(await socket.ask('presence:foreground', { foreground })).to.deep.equal({ ok: true });
  };
  const comment = async (person: Person, content: string): Promise<Json> => {
    await reader.post(`/posts/${await person.publish()}/comments`, { content });
    return scene.notification(person, ({ data }) => data.excerpt === content);
  };
  const state = (person: Person, fits: (delivery: Json) => boolean): Promise<Json> =>
    until(async () => (await scene.notification(person)).channels.mobilePush, fits);
  const pushesTo = (token: string) => scene.edge.fcm.received.filter(({ message }) => message.token === token);

  it('waits no longer for a node that has died than it takes to notice', async () => {
    const { person, token } = await owner();
    const node = await campus.startProcess({ env: { ROLE: 'api' } });
    await look(await person.on(node.api).connect('/notifications'), true);
    await node.kill();
    const { channels } = await comment(person, 'Nobody knows yet');
    expect(channels.mobilePush).to.include({ status: 'pending', reason: 'PRESENT' });
    // As if the time had passed.
    const [of] = await campus.db
      .collection<{ nodeId: string }>('foregroundUsers')
      .find({ userId: new ObjectId(person.id) })
      .toArray();
    const age = (milliseconds: number) =>
      campus.db
        .collection<{ _id: string }>('nodes')
        .updateOne({ _id: of!.nodeId }, [{ $set: { seenAt: { $subtract: ['$seenAt', milliseconds] } } }]);
    await age(30_000);
    campus.clock.advance(20 * SECOND);
    await state(person, ({ status }) => status === 'sent');
    await comment(person, 'At once');
    const sent = await state(person, ({ status }) => status === 'sent');
    expect(sent).not.to.have.property('reason');
    expect(pushesTo(token)).to.have.length(2);
    // What it has left is removed by another one, minutes later.
    await age(600_000);
    await campus.startNode({ env: { ROLE: 'api' } });
    expect(await campus.db.collection('foregroundUsers').countDocuments()).to.equal(0);
    person.disconnect();
  });

  it('waits for some seconds, on whatever node they are, and is not sent where it was seen or read', async () => {
    for (const [step, reason] of [
      ['seen', 'SEEN'],
      ['read', 'READ'],
    ]) {
      const { person, token } = await owner();
      const socket = await person.on(elsewhere).connect('/notifications');
      await look(socket, true);
      const { id, channels } = await comment(person, `Will be ${step}`);
      expect(channels.mobilePush).to.include({ status: 'pending', attempts: 0, reason: 'PRESENT' });
      await person.put(`/notifications/${id as string}/${step}`);
      campus.clock.advance(20 * SECOND);
      expect(await state(person, ({ status }) => status === 'cancelled')).to.include({ reason });
      expect(pushesTo(token)).to.have.length(0);
      socket.socket.disconnect();
    }
  });

  it('is sent after all where it was not seen, and only once', async () => {
    const { person, token } = await owner();
    const socket = await person.on(elsewhere).connect('/notifications');
    await look(socket, true);
    const { channels } = await comment(person, 'Unseen');
    const due = Date.parse(channels.mobilePush.nextAttemptAt as string);
    expect(Math.abs(due - campus.clock.now().getTime() - 20 * SECOND)).to.be.below(10 * SECOND);
    campus.clock.advance(20 * SECOND);
    await state(person, ({ status }) => status === 'sent');
    expect(pushesTo(token)).to.have.length(1);
    socket.socket.disconnect();
  });

  it('is sent at once where all of their sockets are in the background, closed, or have said nothing', async () => {
    const { person } = await owner();
    const [first, second] = [
      await person.connect('/notifications'),
      await person.on(elsewhere).connect('/notifications'),
    ];
    await comment(person, 'Said nothing');
    expect(await state(person, ({ status }) => status === 'sent')).not.to.have.property('reason');
    for (const socket of [first, second]) await look(socket, true);
    await look(first, false);
    expect((await comment(person, 'One looks')).channels.mobilePush.reason).to.equal('PRESENT');
    second.socket.disconnect();
    await until(
      () => campus.db.collection('foregroundUsers').countDocuments(),
      (count) => count === 0,
    );
    await comment(person, 'Nobody looks');
    expect(await state(person, ({ status }) => status === 'sent')).not.to.have.property('reason');
    person.disconnect();
  });

  it('says so when what a client says of itself makes no sense', async () => {
    const { person } = await owner();
    const socket = await person.connect('/notifications');
    const { ok, error } = await socket.ask('presence:foreground', { foreground: 'maybe' });
    expect({ ok, code: error.code }).to.deep.equal({ ok: false, code: 'VALIDATION_FAILED' });
    person.disconnect();
  });
});
