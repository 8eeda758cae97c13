import { expect } from 'chai';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { clientId, converse } from '../support/chat.js';
import { type Span, Spans } from '../support/spans.js';
import { until } from '../support/until.js';
import { gate } from './scene.js';

const traceOf = (span: Span): string => span.spanContext().traceId;
const REACTED = 'POST /api/v1/posts/:postId/react';

describe('What one action leads to', () => {
  let campus: Campus;
  let api: Api;
  let spans: Spans;
  before(async () => {
    spans = new Spans();
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode({ traced: true });
  });
  after(async () => {
    await campus.close();
    await spans.stop();
  });

  async function withPhone(): Promise<Person> {
    const person = await api.register();
    await person.post('/push/register', { token: `token-${person.id}`, platform: 'ANDROID' });
    return person;
  }

  it('is one trace, from the request to the phone and to the open app', async () => {
    const [author, reader] = await Promise.all([withPhone(), api.register()]);
    const [socket, postId] = await Promise.all([author.connect('/notifications'), author.publish()]);

    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });

    await Promise.all([socket.next('notification:new'), campus.edge.fcm.waitFor()]);
    const [call] = await spans.named('call fcm');
    const [shown] = await spans.named('emit notification:new');
    const [request] = await spans.named(REACTED);
    const written = [REACTED, 'transaction', 'event post.reacted', 'reactor', 'listener notifications'];
    expect(await spans.wayTo(call!)).to.deep.equal([...written, 'deliver mobilePush', 'call fcm']);
    expect(await spans.wayTo(shown!)).to.deep.equal([
      ...written,
      'event notifications.created',
      'emit notification:new',
    ]);
    // That it is being sent is shown as well and then that it was, and this, too, is part of what the reaction led to.
    const [, updated] = await spans.named('emit notification:updated', 2);
    expect(await spans.wayTo(updated!)).to.include.members(['deliver mobilePush', 'event deliveries.recorded']);

    const [attempt] = await spans.named('deliver mobilePush');
    expect(request!.attributes).to.deep.equal({
      'http.request.method': 'POST',
      'http.route': '/api/v1/posts/:postId/react',
      'http.response.status_code': 200,
    });
    expect(attempt!.attributes).to.deep.equal({
      'atrium.channel': 'mobilePush',
      'atrium.attempt': 1,
      'atrium.outcome': 'sent',
    });
    expect(call!.attributes).to.deep.equal({ 'atrium.provider': 'fcm', 'messaging.batch.message_count': 1 });
    expect(shown!.attributes).to.deep.equal({ 'atrium.namespace': '/notifications' });
    const told = JSON.stringify((await spans.all()).map(({ name, attributes, status }) => [name, attributes, status]));
    for (const { id, name, email, token } of [author, reader])
      for (const secret of [id, name, email, token, postId, `token-${id}`]) expect(told).not.to.contain(secret);
  });

  it('is a trace of its own for each of several that went out together', async () => {
    const [reader, ...authors] = await Promise.all([api.register(), ...Array.from({ length: 6 }, () => withPhone())]);
    const postIds = await Promise.all(authors.map((author) => author.publish()));
    const react = (index: number) => reader.post(`/posts/${postIds[index]!}/react`, { type: 'LIKE' });
    const { fcm } = campus.edge;
    const { open, opened } = gate();
    const busy = authors.slice(0, 4).map(({ id }) => `token-${id}`);
    fcm.onReceived(({ message }) => (busy.includes(message.token ?? '') ? opened : undefined));
    const phonesIn = (status: string, count: number) =>
      until(
        () => campus.db.collection('notifications').countDocuments({ 'channels.mobilePush.status': status }),
        (found) => found === count,
      );
    // As many as there may be at once do not come to an end: what is due meanwhile has to go together.
    for (const index of busy.keys()) {
      await react(index);
      await phonesIn('sending', index + 1);
    }
    const before = new Set(await spans.all());
    await Promise.all([react(4), react(5)]);
    await phonesIn('pending', 2);
    open();

    const requests = (await spans.named(REACTED, 7)).filter((span) => !before.has(span)).map(traceOf);
    const together = async (name: string): Promise<Span[]> =>
      until(
        async () => (await spans.named(name)).filter((span) => requests.includes(traceOf(span))),
        (found) => found.length === 2,
      );
    expect(new Set(requests)).to.have.length(2);
    for (const name of ['listener notifications', 'deliver mobilePush'])
      expect((await together(name)).map(traceOf)).to.have.members(requests);
    // They went in one call, which each trace has; that it was one is what the link says.
    const calls = await together('call fcm');
    expect(calls.map(traceOf)).to.have.members(requests);
    expect(calls[0]!.attributes).to.include({ 'messaging.batch.message_count': 2 });
    const links = calls.flatMap((call) => call.links.map(({ context }) => context.spanId));
    expect(links).to.have.length(1);
    expect(calls.map((call) => call.spanContext().spanId)).to.include(links[0]);
  });

  it('goes on from a socket to the sockets of others', async () => {
    const [amal, bob] = await Promise.all([api.register(), api.register()]);
    const conversationId = await converse(amal, [bob]);
    const [hers, his] = await Promise.all([amal.connect('/messages'), bob.connect('/messages')]);

    await hers.ask('message:send', { conversationId, clientId: clientId(), body: 'Hello' });

    await his.next('message:new');
    const [shown] = await spans.named('emit message:new');
    const way = await spans.wayTo(shown!);
    expect(way).to.deep.equal(['/messages message:send', 'event message.sent', 'emit message:new']);
  });

  it('is traced anew where a client says that it is traced already, with a link to that', async () => {
    const [theirs, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

    await api.request('GET', '/push/vapid-key', undefined, { headers: { traceparent: `00-${theirs}-${span}-01` } });

    const [request] = await spans.named('GET /api/v1/push/vapid-key');
    expect(request!.spanContext().traceId).not.to.equal(theirs);
    expect(request!.links.map(({ context }) => [context.traceId, context.spanId])).to.deep.equal([[theirs, span]]);
  });
});

describe('Traces', () => {
  it('are off unless there is somewhere to send them: nothing that is answered or kept mentions any', async () => {
    const campus = await Campus.open(WITHOUT_MAIL);
    const api = await campus.startNode();
    const [author, reader] = await Promise.all([api.register(), api.register()]);
    const [socket, postId] = await Promise.all([author.connect('/notifications'), author.publish()]);
    const theirs = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

    const answer = await reader.post(
      `/posts/${postId}/react`,
      { type: 'LIKE' },
      { headers: theirs, token: reader.token },
    );

    await socket.next('notification:new');
    expect(answer.status).to.equal(200);
    expect([...answer.headers.keys()].filter((name) => name.includes('trace'))).to.deep.equal([]);
    for (const name of ['events', 'notifications'])
      expect(await campus.db.collection(name).countDocuments({ traceparent: { $exists: true } })).to.equal(0);
    await campus.close();
  });

  it('go to the collector, the last ones when the process stops, and name what the log lines are of', async () => {
    const bodies: Json[] = [];
    const collector = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        bodies.push({ path: request.url, ...JSON.parse(text) });
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    const campus = await Campus.open(WITHOUT_MAIL);
    const env = { ROLE: 'api', OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_SERVICE_NAME: 'campus' };
    const node = await campus.startProcess({ env });

    await node.api.request('GET', '/push/vapid-key');
    expect(await node.terminate()).to.equal(0);

    const [resource] = bodies.flatMap(({ resourceSpans }) => resourceSpans as Json[]);
    expect(bodies[0].path).to.equal('/v1/traces');
    expect(resource.resource.attributes).to.deep.include({ key: 'service.name', value: { stringValue: 'campus' } });
    const span = resource.scopeSpans[0].spans.find(({ name }: Json) => name === 'GET /api/v1/push/vapid-key');
    const line = node.log.find(({ msg }) => msg === 'request completed');
    expect(line).to.include({ traceId: span.traceId });
    await campus.close();
    collector.close();
  });
});
