import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL, WITHOUT_WORKERS } from '../support/campus.js';
import { clientId, converse, read, say, send } from '../support/chat.js';
import { follow, image, pdf, uploaded } from '../support/media.js';
import { Profiler } from '../support/profiler.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem, NOBODY } from '../api/helpers.js';

describe('Attachments of messages', () => {
  let campus: Campus;
  let nodes: [Api, Api];
  let sara: Person;
  let omar: Person;
  let id: string;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    nodes = [await campus.startNode(), await campus.startNode({ env: { ROLE: 'api' } })];
  });
  beforeEach(async () => {
    [sara, omar] = [await nodes[0].register(), await nodes[0].register()];
    id = await converse(sara, [omar]);
  });
  after(() => campus.close());

  const photoOf = async (person: Person): Promise<string> => (await uploaded(person, await image())).id as string;
  const usesOf = async (mediaId: string): Promise<string[]> => {
    const found = await campus.db.collection('media').findOne({ _id: new ObjectId(mediaId) });
    return (found?.['uses'] as ObjectId[]).map((use) => use.toHexString());
  };
  const ask = async (person: Person, message: object): Promise<Json> =>
    (await person.connect('/messages')).ask('message:send', { conversationId: id, clientId: clientId(), ...message });

  it('are told the same by REST, by sockets and to who was away, on every node', async () => {
    campus.clock.toNextMinute();
    const [photo, thesis] = [
      await uploaded(sara, await image('jpeg', 900, 600), { altText: 'A wall' }),
      await uploaded(sara, pdf(), { type: 'DOCUMENT', name: 'thesis.pdf' }),
    ];
    const { body: begun } = await omar.get('/sync');
    const [here, there] = [await omar.connect('/messages'), await omar.on(nodes[1]).connect('/messages')];
    const attachments = [thesis.id, photo.id] as string[];
    const byRest = await say(sara, id, '', { attachments });
    const bySocket = (await ask(sara.on(nodes[1]), { body: 'Both', attachments })).message;
    expect(byRest.attachments).to.deep.equal([
      { id: thesis.id, type: 'DOCUMENT', url: thesis.url, name: 'thesis.pdf' },
      {
        ...{ id: photo.id, type: 'IMAGE', url: photo.url, thumbnailUrl: photo.thumbnailUrl },
        ...{ width: 900, height: 600, altText: 'A wall' },
      },
    ]);
    expect(bySocket.attachments).to.deep.equal(byRest.attachments);
    for (const socket of [here, there]) {
      expect(await socket.collect('message:new', 2)).to.have.deep.members([byRest, bySocket]);
    }
    for (const node of nodes) expect(await read(omar.on(node), id)).to.deep.equal([byRest, bySocket]);
    const { body: missed } = await omar.get(`/sync?since=${begun.position as string}`);
    expect(missed.messages).to.deep.equal([byRest, bySocket]);
    for (const { url } of byRest.attachments as Json[]) {
      expect((await follow(omar, url)).response.status).to.equal(200);
    }
    // What is changed later keeps them.
    await omar.post(`/conversations/${id}/messages/${byRest.id as string}/reactions`, { emoji: '👍' });
    const changed = await there.next('message:updated');
    expect(changed.attachments).to.deep.equal(byRest.attachments);
    const edited = await sara.patch(`/conversations/${id}/messages/${byRest.id as string}`, { body: 'With words' });
    expect(edited.body).to.deep.include({ body: 'With words', attachments: byRest.attachments });
  });

  it('are kept without links, which end', async () => {
    const message = await say(sara, id, 'Look', { attachments: [await photoOf(sara)] });
    await omar.post(`/conversations/${id}/messages/${message.id as string}/reactions`, { emoji: '👍' });
    const stored = await campus.db.collection('messages').findOne({ _id: new ObjectId(message.id as string) });
    const events = await campus.db
      .collection('events')
      .find({ 'entity.id': message.id as string })
      .toArray();
    expect(events).to.have.length(1);
    for (const kept of [stored, ...events]) {
      expect(JSON.stringify(kept))
        .to.include(message.attachments[0].id)
        .and.not.match(/signature|expires|\/media\//);
    }
  });

  it('must be one’s own and still be there, and nobody is told which of both they are not', async () => {
    const [mine, removed, theirs] = [await photoOf(sara), await photoOf(sara), await photoOf(omar)];
    await sara.delete(`/media/${removed}`);
    const unfinished = new ObjectId();
    const { _id: _own, ...document } = (await campus.db.collection('media').findOne({ _id: new ObjectId(mine) }))!;
    await campus.db.collection('media').insertOne({ ...document, _id: unfinished, status: 'PROCESSING' });
    const refused = [theirs, removed, NOBODY, unfinished.toHexString()];
    const answers = await Promise.all(refused.map((each) => send(sara, id, 'x', { attachments: [mine, each] })));
    for (const answer of answers) {
      expectProblem(answer, 400, 'UNKNOWN_ATTACHMENT');
      expect(answer.body.detail).to.equal(answers[0]!.body.detail);
    }
    for (const each of refused) {
      const { ok, error } = await ask(sara, { body: 'x', attachments: [each] });
      expect([ok, error.code]).to.deep.equal([false, 'UNKNOWN_ATTACHMENT']);
    }
    expect(await read(omar, id)).to.deep.equal([]);
    expect(await usesOf(mine)).to.deep.equal([]);
    expect((await sara.delete(`/media/${mine}`)).status).to.equal(204);
  });

  it('stand beside words or alone, ten at most and each once', async () => {
    const photo = await photoOf(sara);
    const path = `/conversations/${id}/messages`;
    const bodies: [object, string][] = [
      [{ body: '' }, 'body.body'],
      [{}, 'body.body'],
      [{ body: ' ', attachments: [] }, 'body.body'],
      [{ attachments: [photo, photo] }, 'body.attachments.1'],
      [{ attachments: Array.from({ length: 11 }, () => new ObjectId().toHexString()) }, 'body.attachments'],
      [{ attachments: ['x'] }, 'body.attachments.0'],
      [{ attachments: [{ id: photo }] }, 'body.attachments.0'],
    ];
    for (const [body, where] of bodies) expectInvalid(await sara.post(path, { clientId: clientId(), ...body }), where);
    expect((await ask(sara, {})).error.code).to.equal('VALIDATION_FAILED');
    expect(await sara.post(path, { clientId: clientId(), attachments: [photo] })).to.include({ status: 201 });
    expect(await ask(sara, { attachments: [photo] })).to.include({ ok: true });
    const [first, second] = await read(omar, id);
    expect([first.body, second.body]).to.deep.equal(['', '']);
    expect(await usesOf(photo)).to.have.members([first.id, second.id]);
  });

  it('are seen by members of the conversation alone, and not by whom a block keeps out', async () => {
    const stranger = await nodes[0].register();
    const photo = await photoOf(sara);
    expectProblem(await send(stranger, id, 'x', { attachments: [photo] }), 404, 'CONVERSATION_NOT_FOUND');
    await say(sara, id, 'x', { attachments: [photo] });
    expectProblem(await stranger.get(`/conversations/${id}/messages`), 404, 'CONVERSATION_NOT_FOUND');
    expectProblem(await omar.get(`/media/${photo}`), 404, 'MEDIA_NOT_FOUND');
    expectProblem(await omar.delete(`/media/${photo}`), 404, 'MEDIA_NOT_FOUND');
    const theirs = await photoOf(omar);
    await sara.post(`/users/${omar.id}/block`);
    await until(
      () => omar.get(`/conversations/${id}/messages`),
      ({ status }) => status === 404,
    );
    expectProblem(await send(omar, id, 'x', { attachments: [theirs] }), 404, 'CONVERSATION_NOT_FOUND');
    expect((await ask(omar, { attachments: [theirs] })).error.code).to.equal('CONVERSATION_NOT_FOUND');
    expect(await usesOf(theirs)).to.deep.equal([]);
  });

  it('are attached once where the same message is sent five times at once, by REST and by sockets', async () => {
    const photo = await photoOf(sara);
    const same = { clientId: clientId(), body: 'Once', attachments: [photo] };
    const answers = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const device = sara.on(nodes[index % 2]!);
        if (index < 3) return (await device.post(`/conversations/${id}/messages`, same)).body;
        return (await ask(device, same)).message;
      }),
    );
    const ids = answers.map((answer) => answer.id as string);
    expect(new Set(ids), JSON.stringify(answers)).to.have.length(1);
    expect(await read(omar, id)).to.have.length(1);
    await until(
      () => usesOf(photo),
      (uses) => uses.length === 1 && uses[0] === ids[0],
    );
    // Whatever has become of it since, it is the same message.
    await sara.delete(`/conversations/${id}/messages/${ids[0]!}`);
    expect((await sara.delete(`/media/${photo}`)).status).to.equal(204);
    const late = await sara.post(`/conversations/${id}/messages`, same);
    expect(late.status).to.equal(201);
    expect(late.body).to.deep.include({ id: ids[0], attachments: [] });
    const other = await converse(sara, [await nodes[0].register()]);
    expectProblem(await sara.post(`/conversations/${other}/messages`, same), 409, 'CLIENT_ID_REUSED');
  });

  it('are let go where their message is deleted for everyone, and not before', async () => {
    const photo = await photoOf(sara);
    const [one, other] = [
      await say(sara, id, 'One', { attachments: [photo] }),
      await say(sara, id, 'Two', { attachments: [photo] }),
    ];
    const path = (message: Json) => `/conversations/${id}/messages/${message.id as string}`;
    expectProblem(await sara.delete(`/media/${photo}`), 409, 'MEDIA_IN_USE');
    await omar.delete(`${path(one)}?for=me`);
    await sara.delete(`${path(one)}?for=me`);
    expect(await usesOf(photo)).to.have.length(2);
    await Promise.all([0, 1, 0].map((node) => sara.on(nodes[node]!).delete(path(other))));
    expect(await usesOf(photo)).to.deep.equal([one.id]);
    expect((await read(omar, id)).at(-1)).to.deep.include({ id: other.id, body: '', attachments: [] });
    expectProblem(await sara.delete(`/media/${photo}`), 409, 'MEDIA_IN_USE');
    // Hidden for oneself it is not found; it is deleted for everyone by nobody then.
    expect(await usesOf(photo)).to.deep.equal([one.id]);
  });

  it('are attached by a message or removed, whichever comes first', async () => {
    for (let round = 0; round < 8; round += 1) {
      const photo = await photoOf(sara);
      const [sent, removed] = await Promise.all([
        send(sara, id, 'x', { attachments: [photo] }),
        sara.on(nodes[1]).delete(`/media/${photo}`),
      ]);
      const outcome = [sent.status, removed.status];
      expect([
        [201, 409],
        [400, 204],
      ]).to.deep.include(outcome);
      expect((await sara.get(`/media/${photo}`)).status).to.equal(sent.status === 201 ? 200 : 404);
    }
  });
});

describe('Messages without attachments', () => {
  let campus: Campus;
  // Nothing else works beside what is counted.
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
  });
  after(() => campus.close());

  it('do not pay for those that have some', async () => {
    const node = await campus.startNode();
    const [sara, omar] = [await node.register(), await node.register()];
    const id = await converse(sara, [omar]);
    await say(sara, id, 'Everything is remembered now');
    const profiler = await Profiler.start(campus.db);
    for (const body of ['One', 'Two', 'Three']) await say(sara, id, body);
    await read(omar, id);
    await profiler.stop();
    const asked = (await profiler.ran()).map(({ what }) => what).filter((what) => / (media|messages)$/.test(what));
    expect(asked).to.deep.equal(['query messages']);
  });
});
