import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { until } from '../support/until.js';
import {
  EXEMPT,
  EXEMPT_EVENTS,
  type Part,
  type Party,
  SAID_OF_OTHERS,
  type Scene,
  TAKES_PART,
  type Tie,
} from './block-matrix.js';
import { expectProblem } from './helpers.js';

/** Whether anything of the other one stands in what was answered or heard. */
function mentions(content: unknown, { person, postId }: Party): boolean {
  const written = JSON.stringify(content);
  return [person.id, person.name, postId].some((trace) => written.includes(trace));
}

describe('What a block hides', () => {
  let campus: Campus;
  let nodes: [Api, Api];
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    nodes = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  const arrive = async (): Promise<Party> => {
    const person = await nodes[0].register();
    await person.patch('/profiles/me', { department: 'Chemistry' });
    return { person, postId: await person.publish() };
  };
  const connect = async ({ person: one }: Party, { person: other }: Party): Promise<void> => {
    const { body } = await one.post('/connections', { userId: other.id });
    expect((await other.put(`/connections/${body.id}/accept`)).status).to.equal(200);
  };
  const callInVain = async ({ person: one }: Party, { person: other }: Party): Promise<void> => {
    const line = await one.connect('/calls');
    const { call } = await line.ask('call:start', { userIds: [other.id], type: 'voice' });
    expect(await line.ask('call:end', { callId: call.id })).to.include({ ok: true });
    line.socket.disconnect();
  };
  /** Two people who have left their traces all over each other’s campus. */
  const entangle = async (tie: Tie): Promise<Scene> => {
    const [blocker, blocked, neutral] = [await arrive(), await arrive(), await arrive()];
    for (const [one, other] of [
      [blocker, blocked],
      [blocked, blocker],
    ] as const) {
      await one.person.post('/follow', { userId: other.person.id });
      for (const { postId } of [other, neutral]) {
        await one.person.post(`/posts/${postId}/comments`, { content: 'Indeed' });
        await one.person.post(`/posts/${postId}/react`, { type: 'LIKE' });
      }
      await connect(neutral, one);
    }
    neutral.group = await converse(neutral.person, [blocker.person, blocked.person], 'Of three');
    if (tie === 'connected') {
      await connect(blocker, blocked);
      blocked.direct = blocker.direct = await converse(blocker.person, [blocked.person]);
      for (const { person } of [blocker, blocked]) {
        for (const id of [blocker.direct, neutral.group]) await say(person, id, 'Hello');
      }
      await callInVain(blocker, blocked);
    }
    if (tie === 'requested') await blocker.person.post('/connections', { userId: blocked.person.id });
    for (const { person } of [blocker, blocked]) {
      // A comment, a reaction and a follow of the other one.
      await until(
        async () => (await person.get('/notifications')).body.data as Json[],
        ({ length }) => length >= 3,
      );
    }
    return { parties: [blocker, blocked], neutral };
  };
  const directions = ({ parties: [blocker, blocked] }: Scene): [viewer: Party, other: Party][] => [
    [blocker, blocked],
    [blocked, blocker],
  ];
  /** Blocks, and waits until every node has heard of it and what was told before is taken away. */
  const block = async (scene: Scene): Promise<void> => {
    const [blocker, blocked] = scene.parties;
    expect((await blocker.person.post(`/users/${blocked.person.id}/block`)).status).to.equal(201);
    for (const [{ person }, other] of directions(scene)) {
      for (const node of nodes) {
        await until(
          () => person.on(node).get(`/profiles/${other.person.id}`),
          ({ status }) => status === 404,
        );
      }
      await until(
        async () => mentions((await person.get('/notifications')).body, other),
        (found) => !found,
      );
    }
  };

  it('is tried on every route that there is, but for those with a reason', async () => {
    const { paths } = (await (await fetch(`${nodes[0].url}/openapi.json`)).json()) as Json;
    const documented = Object.entries<object>(paths)
      .filter(([, operations]) => 'get' in operations)
      .map(([path]) => `GET ${path}`);
    expect(documented).to.have.members([...Object.keys(TAKES_PART), ...Object.keys(EXEMPT)]);
  });

  for (const tie of ['connected', 'requested', 'strangers'] as const) {
    it(`is found by neither on any route, on any node, once they are blocked (${tie})`, async () => {
      const scene = await entangle(tie);
      const parts = Object.entries(TAKES_PART).filter(([, part]) => part.tie === tie);
      const answers = (viewer: Party, other: Party, { paths }: Part, node: Api) =>
        Promise.all(
          paths(other, scene.neutral).map(async (path) => ({ path, ...(await viewer.person.on(node).get(path)) })),
        );

      for (const [viewer, other] of directions(scene)) {
        for (const [name, part] of parts) {
          for (const node of nodes) {
            const found = await answers(viewer, other, part, node);
            expect(
              found.map(({ status }) => status),
              name,
            ).to.deep.equal(found.map(() => 200));
            expect(
              found.some(({ body }) => mentions(body, other)),
              `${name} shows them before the block`,
            ).to.equal(true);
          }
        }
      }
      await block(scene);
      for (const [viewer, other] of directions(scene)) {
        for (const [, part] of parts) {
          for (const node of nodes) {
            for (const answer of await answers(viewer, other, part, node)) {
              // What is the other’s is as if there were no such thing; everything else is there as ever.
              const isTheirs = [other.person.id, other.postId, other.direct!].some((id) => answer.path.includes(id));
              expect(answer.status, answer.path).to.equal(isTheirs ? 404 : 200);
              expect(mentions(answer.body, other), answer.path).to.equal(false);
            }
          }
        }
      }
    }).timeout(60_000);
  }

  it('is found by the blocker alone among those they have blocked', async () => {
    const scene = await entangle('strangers');
    await block(scene);
    const [blocker, blocked] = scene.parties;
    expect(mentions((await blocker.person.get('/users/blocked')).body, blocked)).to.equal(true);
    expect((await blocked.person.get('/users/blocked')).body.data).to.deep.equal([]);
  });

  it('is tried on every socket event that there is, but for those with a reason', async () => {
    const document = (await (await fetch(`${nodes[0].url}/asyncapi.json`)).json()) as Json;
    const names = Object.values<Json>(document.operations).map(({ action, channel, messages }) => {
      const namespace = document.channels[channel.$ref.split('/').at(-1)];
      const event = `${action as string} ${namespace.messages[messages[0].$ref.split('/').at(-1)].name as string}`;
      return event in EXEMPT_EVENTS ? event : `${namespace.address as string} ${event}`;
    });
    expect([...new Set(names)]).to.have.members([...SAID_OF_OTHERS, ...Object.keys(EXEMPT_EVENTS)]);
  });

  it('is heard by neither on any socket once they are blocked', async () => {
    const scene = await entangle('connected');
    const { neutral } = scene;
    const listeners = await Promise.all(
      directions(scene).map(async ([viewer, other]) => {
        // Each on another node than the one that is told of the block.
        const person = viewer.person.on(nodes[1]);
        const [feed, notifications] = [await person.connect('/feed'), await person.connect('/notifications')];
        const messages = await person.connect('/messages');
        for (const conversationId of [other.direct, neutral.group]) {
          expect(await messages.ask('conversation:join', { conversationId })).to.include({ ok: true });
        }
        for (const { postId } of [other, neutral]) {
          expect(await feed.ask('post:watch', { postId })).to.deep.equal({ ok: true });
        }
        const { data } = (await person.get('/notifications')).body;
        const told = (data as Json[]).find(({ actorIds }) => actorIds[0] === other.person.id);
        return { viewer, other, person, feed, notifications, messages, toldId: told.id as string };
      }),
    );
    const about = (other: Party) => (payload: Json) => mentions(payload, other);

    const inGroup = { conversationId: neutral.group! };
    /** Everything that can be done in a conversation, by one of them. */
    const converseIn = async (by: LiveSocket, body: string): Promise<void> => {
      const { id: messageId, seq } = await say(neutral.person, neutral.group!, 'To both');
      await by.ask('message:read', { ...inGroup, seq });
      await by.ask('message:react', { ...inGroup, messageId, emoji: '👍' });
      await by.ask('message:send', { ...inGroup, clientId: body, body });
      await by.ask('typing:start', inGroup);
      await by.ask('typing:stop', inGroup);
    };
    const socketOf = (party: Party): LiveSocket => listeners.find(({ viewer }) => viewer === party)!.messages;
    // Before the block, each event is heard of the other one.
    for (const { viewer, other, feed, notifications, messages, toldId } of listeners) {
      await converseIn(socketOf(other), `${other.person.id} before`);
      for (const event of ['message:new', 'message:updated', 'receipt', 'typing']) {
        await messages.next(event, about(other));
      }
      await other.person.post(`/posts/${neutral.postId}/comments`, { content: 'to be heard' });
      await other.person.post(`/posts/${viewer.postId}/comments`, { content: 'to be told' });
      await neutral.person.post(`/posts/${other.postId}/react`, { type: 'LOVE' });
      expect(await notifications.ask('notification:read', { id: toldId })).to.include({ ok: true });
      await feed.next('comment:new', about(other));
      await feed.next('post:counts', about(other));
      await notifications.next('notification:new', about(other));
      await notifications.next('notification:updated', about(other));
    }

    await block(scene);
    const heardBefore = new Map<LiveSocket, number>();
    for (const { feed, notifications, messages } of listeners) {
      for (const socket of [feed, notifications, messages]) heardBefore.set(socket, socket.heard.length);
    }

    for (const { viewer, other, feed, notifications, messages, toldId } of listeners) {
      const joined = await messages.ask('conversation:join', { conversationId: other.direct });
      expect(joined.error).to.include({ code: 'CONVERSATION_NOT_FOUND' });
      await converseIn(socketOf(other), `${other.person.id} after`);
      expect((await feed.ask('post:watch', { postId: other.postId })).error).to.include({ code: 'POST_NOT_FOUND' });
      const read = await notifications.ask('notification:read', { id: toldId });
      expect(read.error).to.include({ code: 'NOTIFICATION_NOT_FOUND' });
      await other.person.post(`/posts/${neutral.postId}/comments`, { content: 'to be overheard' });
      await neutral.person.post(`/posts/${other.postId}/comments`, { content: 'to be overheard' });
      expectProblem(
        await other.person.post(`/posts/${viewer.postId}/comments`, { content: 'x' }),
        404,
        'POST_NOT_FOUND',
      );
      // What was on its way when the block came.
      const events = campus.db.collection('events');
      const comment = await events.findOne({ actorId: other.person.id, 'data.excerpt': 'to be told' });
      const { deletedCount } = await campus.db
        .collection('notifications')
        .deleteOne({ dedupeKey: `comment:${comment!['entity'].id as string}` });
      expect(deletedCount).to.equal(1);
      await events.insertOne({ ...comment, _id: new ObjectId() });
    }
    // What comes last is heard last.
    await neutral.person.post(`/posts/${neutral.postId}/comments`, { content: 'the end' });
    await say(neutral.person, neutral.group!, 'the end');
    for (const { viewer, other, feed, notifications, messages } of listeners) {
      await messages.next('message:new', ({ body }) => body === 'the end');
      await neutral.person.post(`/posts/${viewer.postId}/comments`, { content: 'the end' });
      await notifications.next('notification:new', ({ body }) => body.includes('the end') as boolean);
      await feed.next('comment:new', ({ content }) => content === 'the end');
      for (const socket of [feed, notifications, messages]) {
        const since = socket.heard.slice(heardBefore.get(socket));
        expect(since.filter(({ payload }) => mentions(payload, other))).to.deep.equal([]);
      }
    }
    for (const { person } of listeners) person.disconnect();
  }).timeout(60_000);
});
