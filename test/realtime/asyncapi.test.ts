import { expect } from 'chai';
import { MINUTE } from '../../src/core/clock.js';
import { createLog } from '../../src/core/observability/log.js';
import { type NamespaceDefinition } from '../../src/core/realtime/namespace.js';
import { standardServerEvents } from '../../src/core/realtime/standard-events.js';
import { callNamespace } from '../../src/modules/calls/call.sockets.js';
import { type NotificationService } from '../../src/modules/notifications/notification.service.js';
import { messageNamespace } from '../../src/modules/chat/chat.sockets.js';
import { notificationNamespace } from '../../src/modules/notifications/notification.sockets.js';
import { feedNamespace } from '../../src/modules/posts/post.sockets.js';
import { presenceNamespace } from '../../src/modules/presence/presence.sockets.js';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';
import { converse } from '../support/chat.js';
import { uploaded } from '../support/media.js';
import { mismatches, resolve } from './json-schema.js';

describe('The AsyncAPI document', () => {
  let campus: Campus;
  let api: Api;
  let document: Json;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    document = await (await fetch(`${api.url}/asyncapi.json`)).json();
  });
  after(() => campus.close());

  const STANDARD = { client: ['session:renew'], server: ['problem', ...Object.keys(standardServerEvents)] };
  /** Said where a node stops (see below) or its change stream has lost its place. */
  const RARE = ['server:closing', 'resync'];
  /** The test of announcements hears it. */
  const FOR_ADMINS = ['announcement:progress'];

  function namesBy(action: string, namespace: string): string[] {
    return Object.values<Json>(document.operations)
      .filter((one) => one.action === action && resolve(document, one.channel.$ref)['address'] === namespace)
      .map((one) => resolve(document, one.messages[0].$ref)['name'] as string);
  }

  it('is served as AsyncAPI 3, and all its references lead somewhere', () => {
    expect(document.asyncapi).to.equal('3.0.0');
    expect(document.servers.atrium).to.include({ host: 'campus.test', protocol: 'wss' });
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!);
    expect(references).not.to.be.empty;
    for (const reference of references) expect(resolve(document, reference)).to.be.an('object');
    for (const part of ['schemas', 'securitySchemes']) {
      for (const key of Object.keys(document.components[part])) expect(key).to.match(/^[\w.-]+$/);
    }
  });

  it('has every event that the code knows, on its namespace and in its direction', () => {
    const log = createLog('silent');
    const definitions: NamespaceDefinition[] = [
      feedNamespace({} as Parameters<typeof feedNamespace>[0]),
      callNamespace({} as Parameters<typeof callNamespace>[0]),
      notificationNamespace({} as NotificationService, {
        log,
        onShown: () => undefined,
        streams: { has: () => false, emit: () => undefined, evict: () => undefined },
        foreground: { set: () => Promise.resolve(), ended: () => undefined },
      }),
      presenceNamespace({} as Parameters<typeof presenceNamespace>[0]),
      messageNamespace({} as Parameters<typeof messageNamespace>[0]),
    ];
    const addresses = Object.values<Json>(document.channels).map(({ address }) => address);
    expect(addresses).to.have.members(definitions.map(({ name }) => name));
    for (const { name, clientEvents, serverEvents } of definitions) {
      expect(namesBy('receive', name)).to.have.members([...Object.keys(clientEvents), ...STANDARD.client]);
      expect(namesBy('send', name)).to.have.members([...Object.keys(serverEvents), ...STANDARD.server]);
    }
  });

  it('describes what is really said, acknowledgements and problems included', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const postId = await author.publish();
    const sockets: Record<string, LiveSocket> = {
      '/notifications': await author.connect('/notifications'),
      '/feed': await author.connect('/feed'),
      '/messages': await author.connect('/messages'),
      '/presence': await author.connect('/presence'),
    };
    const [notifications, feed, presence] = [sockets['/notifications']!, sockets['/feed']!, sockets['/presence']!];

    /** A conversation in which everything happens once. */
    async function talk(): Promise<void> {
      const [own, other] = [sockets['/messages']!, await reader.connect('/messages')];
      const conversationId = await converse(author, [reader]);
      const say = (name: string, payload: object): Promise<Json> =>
        ask(own, '/messages', name, { conversationId, ...payload });
      expect(await say('conversation:join', {})).to.include({ ok: true });
      const { message } = await say('message:send', {
        ...{ clientId: '1', body: 'مرحبًا', mentions: [reader.id] },
        attachments: [(await uploaded(author)).id],
      });
      expect(message.attachments).to.have.length(1);
      const messageId = message.id as string;
      expect(await say('message:edit', { messageId, body: 'Hello' })).to.include({ ok: true });
      expect(await say('message:react', { messageId, emoji: '👍' })).to.include({ ok: true });
      for (const name of ['message:delivered', 'message:read']) {
        expect(await say(name, { seq: 1 })).to.include({ ok: true });
        await other.ask(name, { conversationId, seq: 1 });
      }
      expect(await say('typing:start', {})).to.include({ ok: true });
      expect(await say('typing:stop', {})).to.include({ ok: true });
      await other.ask('typing:start', { conversationId });
      await own.next('typing');
      expect(await say('message:delete', { messageId })).to.include({ ok: true });
      expect(await say('message:delete', { messageId: 'f'.repeat(24) })).to.include({ ok: false });
      expect(await say('conversation:leave', {})).to.include({ ok: true });
      for (const name of ['message:new', 'message:updated', 'message:deleted', 'receipt', 'conversation:updated']) {
        await own.next(name);
      }
      reader.disconnect();
    }

    /** Sends an event of which the document must know payload and answer. */
    async function ask(socket: LiveSocket, namespace: string, name: string, payload: object): Promise<Json> {
      const operation = Object.values<Json>(document.operations).find(
        (one) =>
          one.action === 'receive' &&
          resolve(document, one.channel.$ref)['address'] === namespace &&
          resolve(document, one.messages[0].$ref)['name'] === name,
      );
      expect(mismatches(document, resolve(document, operation.messages[0].$ref)['payload'], payload), name).to.be.empty;
      const answer = await socket.ask(name, payload);
      const schema = resolve(document, operation.reply.messages[0].$ref)['payload'];
      expect(mismatches(document, schema, answer), `${name}: ${JSON.stringify(answer)}`).to.be.empty;
      return answer;
    }

    expect(await ask(feed, '/feed', 'post:watch', { postId })).to.include({ ok: true });
    expect(await ask(feed, '/feed', 'post:watch', { postId: 'f'.repeat(24) })).to.include({ ok: false });
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await reader.post(`/posts/${postId}/comments`, { content: 'Hello' });
    const [{ id }] = await notifications.collect('notification:new', 2);
    const read = await ask(notifications, '/notifications', 'notification:read', { id });
    expect(read.notification).to.deep.include({ id });
    expect(await ask(notifications, '/notifications', 'notification:read-all', {})).to.include({ ok: true });
    expect(await ask(feed, '/feed', 'post:unwatch', { postId })).to.include({ ok: true });
    const renewed = await ask(feed, '/feed', 'session:renew', { token: author.token });
    expect(renewed).to.have.keys('ok', 'expiresAt');

    const { presences } = await ask(presence, '/presence', 'presence:subscribe', { userIds: [author.id, reader.id] });
    expect(presences).to.have.length(2);
    expect(await ask(presence, '/presence', 'presence:set', { state: 'busy' })).to.include({ ok: true });
    expect(await ask(presence, '/presence', 'presence:set', { state: 'invisible' })).to.include({ ok: true });
    await presence.next('presence', ({ lastSeenAt }) => lastSeenAt !== undefined);
    await talk();

    await feed.next('comment:new');
    await notifications.next('notification:updated');
    await notifications.next('unread-count', ({ readUpTo }) => readUpTo !== undefined);
    await author.delete(`/notifications/${id as string}`);
    await notifications.next('notification:withdrawn');
    feed.socket.emit('no:such', {});
    await feed.next('problem');
    campus.clock.advance(16 * MINUTE);
    await Promise.all(Object.values(sockets).map((socket) => socket.next('session:expired')));

    const spoken = new Set<string>();
    for (const [namespace, { heard }] of Object.entries(sockets)) {
      const channel = Object.values<Json>(document.channels).find(({ address }) => address === namespace);
      for (const { event, payload } of heard) {
        const message = Object.values<Json>(channel.messages).find(({ name }) => name === event);
        expect(message, `${namespace} ${event}`).to.be.an('object');
        expect(mismatches(document, message.payload, payload), `${event}: ${JSON.stringify(payload)}`).to.be.empty;
        spoken.add(event);
      }
    }
    const all = Object.keys(sockets).flatMap((name) => namesBy('send', name));
    expect([...spoken]).to.have.members([...new Set(all)].filter((name) => ![...RARE, ...FOR_ADMINS].includes(name)));
  });

  it('has the farewell of a node that stops', async () => {
    const other = await Campus.open(WITHOUT_MAIL);
    try {
      const leaving = await other.startNode({ env: { ROLE: 'api' } });
      const socket = await (await leaving.register()).connect('/feed');
      await other.stopNodes();
      expect(await socket.next('server:closing')).to.deep.equal({});
      await socket.closed();
    } finally {
      await other.close();
    }
  });
});
