import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type ClientRequest } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { cert, deleteApp, initializeApp, type Credential } from 'firebase-admin/app';
import { getMessaging, type Message } from 'firebase-admin/messaging';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import webPush, { WebPushError } from 'web-push';
import { loadOrCreateAuthority, startEdge, type Edge, type ReceivedMail } from '../edge/index.js';

/** What a promise is rejected with, for assertions on its fields. */
async function failureOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('it did not fail');
}

describe('local providers', () => {
  let edge: Edge;

  before(async () => {
    edge = await startEdge();
  });
  after(() => edge.stop());
  afterEach(() => {
    edge.smtp.clear();
    edge.webPush.clear();
    edge.fcm.clear();
  });

  describe('certificates', () => {
    it('are issued by one authority for all processes that share a folder', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'authority-'));
      try {
        const [one, two] = await Promise.all([loadOrCreateAuthority(folder), loadOrCreateAuthority(folder)]);
        expect(one.caPem).to.equal(two.caPem);
        expect((await loadOrCreateAuthority(folder)).caPem).to.equal(one.caPem);
        expect(await readFile(join(folder, 'development-ca.pem'), 'utf8')).to.equal(one.caPem);
        expect((await stat(join(folder, 'development-ca-key.pem'))).mode & 0o777).to.equal(0o600);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    for (const servername of ['fcm.googleapis.com', 'localhost', undefined]) {
      it(`convince a client that expects ${servername ?? 'the address'}`, async () => {
        const socket = await new Promise<TLSSocket>((resolve, reject) => {
          const options = { host: '127.0.0.1', port: edge.fcm.port, ca: edge.authority.caPem };
          const client = connect(servername === undefined ? options : { ...options, servername });
          client.once('secureConnect', () => resolve(client)).once('error', reject);
        });
        expect(socket.authorized).to.be.true;
        socket.destroy();
      });
    }
  });

  describe('mail', () => {
    const mail: SendMailOptions = {
      from: 'Atrium <no-reply@atrium.test>',
      to: 'layla@campus.test',
      subject: 'إعلان جديد',
      text: 'مرحبا',
      html: '<p>مرحبا</p>',
      headers: { 'X-Notification': '1' },
    };
    const send = (options: SendMailOptions = mail) =>
      nodemailer.createTransport({ url: edge.smtp.url }).sendMail(options);

    it('arrives as nodemailer sent it', async () => {
      const arrival = edge.smtp.waitFor(({ subject }) => subject === mail.subject);
      const { messageId } = await send();
      const [received] = await arrival;
      expect(received).to.deep.include({ messageId, text: 'مرحبا', html: '<p>مرحبا</p>' });
      expect(received!.envelope).to.deep.equal({ from: 'no-reply@atrium.test', to: ['layla@campus.test'] });
      expect(received!.headers.get('x-notification')).to.equal('1');
    });

    it('is refused with the code of the fault', async () => {
      edge.smtp.faults.next({ kind: 'status', status: 450 });
      expect(await failureOf(send())).to.include({ code: 'EMESSAGE', responseCode: 450 });
      const toLayla = ({ envelope }: ReceivedMail) => envelope.to.includes('layla@campus.test');
      edge.smtp.faults.when(toLayla, { kind: 'status', status: 421 });
      expect(await failureOf(send())).to.include({ code: 'EMESSAGE', responseCode: 421 });
      const toOmar = { ...mail, to: 'omar@campus.test' };
      await send(toOmar);
      edge.smtp.refuse('omar@campus.test');
      expect(await failureOf(send(toOmar))).to.include({ code: 'EENVELOPE', responseCode: 550 });
      expect(edge.smtp.received).to.have.length(1);
      expect(edge.smtp.rejected).to.have.length(3);
    });

    it('is accepted and its answer lost', async () => {
      edge.smtp.faults.next({ kind: 'accept-and-reset' });
      expect(await failureOf(send())).to.include({ code: 'ESOCKET', originalCode: 'ECONNRESET' });
      expect(edge.smtp.received).to.have.length(1);
    });

    it('is seen by a hook before the sender hears of it', async () => {
      const order: string[] = [];
      edge.smtp.onReceived(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        order.push('hook');
      });
      await send().then(() => order.push('answer'));
      expect(order).to.deep.equal(['hook', 'answer']);
    });

    it('that never comes is reported with what came instead', async () => {
      await send();
      const failure = await failureOf(edge.smtp.waitFor(({ subject }) => subject === 'other', { timeoutMs: 10 }));
      expect(failure['message']).to.match(/0 of 1 expected[^]+mail to layla@campus\.test "إعلان جديد"/);
    });
  });

  describe('web push', () => {
    const vapid = webPush.generateVAPIDKeys();
    let agent: Agent;
    const send = (subscription: webPush.PushSubscription, payload: unknown = { title: 'مرحبا' }) =>
      webPush.sendNotification(subscription, JSON.stringify(payload), {
        vapidDetails: { subject: 'mailto:ops@atrium.test', ...vapid },
        TTL: 60,
        urgency: 'high',
        topic: 'post-1',
        agent,
      });

    before(() => {
      agent = new Agent({ ca: edge.authority.caPem });
    });
    after(() => agent.destroy());

    it('is decrypted as the browser would', async () => {
      const subscription = edge.webPush.subscribe(vapid.publicKey);
      expect(await send(subscription)).to.include({ statusCode: 201 });
      const [received] = await edge.webPush.waitFor(({ endpoint }) => endpoint === subscription.endpoint);
      expect(received).to.deep.include({ payload: { title: 'مرحبا' }, ttl: 60, urgency: 'high', topic: 'post-1' });
      expect(received!.vapid).to.include({ aud: edge.webPush.origin, sub: 'mailto:ops@atrium.test' });
    });

    it('fails as at a push service', async () => {
      const subscription = edge.webPush.subscribe();
      expect(await failureOf(send(subscription, 'x'.repeat(4000)))).to.include({ statusCode: 413 });
      edge.webPush.faults.next({ kind: 'status', status: 429, retryAfter: 30 });
      const limited = await failureOf(send(subscription));
      expect(limited).to.be.instanceOf(WebPushError).and.include({ statusCode: 429 });
      expect(limited['headers']).to.include({ 'retry-after': '30' });
      edge.webPush.faults.next({ kind: 'accept-and-reset' });
      expect(await failureOf(send(subscription))).to.include({ code: 'ECONNRESET' });
      expect(edge.webPush.received).to.have.length(1);
      edge.webPush.expire(subscription.endpoint);
      expect(await failureOf(send(subscription))).to.include({ statusCode: 410 });
      const unknown = { ...subscription, endpoint: `${edge.webPush.origin}/push/0` };
      expect(await failureOf(send(unknown))).to.include({ statusCode: 404 });
    });

    it('is refused when the key is not the one subscribed to', async () => {
      const subscription = edge.webPush.subscribe(webPush.generateVAPIDKeys().publicKey);
      expect(await failureOf(send(subscription))).to.include({ statusCode: 403 });
      expect(edge.webPush.rejected[0]?.reason).to.match(/^VAPID/);
    });
  });

  describe('FCM', () => {
    interface Answer {
      status?: number | undefined;
      retryAfter?: string | undefined;
      body?: string;
    }
    interface Requests {
      addRequest(request: ClientRequest, options: RequestOptions): void;
    }
    const answers = new AsyncLocalStorage<Answer>();

    /** Brings requests for any host to the edge, and notes answers, of which firebase-admin tells little. */
    class EdgeAgent extends Agent {
      override createConnection(): TLSSocket {
        const { port } = edge.fcm;
        return connect({ host: '127.0.0.1', port, servername: 'fcm.googleapis.com', ca: edge.authority.caPem });
      }

      addRequest(request: ClientRequest, options: RequestOptions): void {
        const answer = answers.getStore();
        if (answer !== undefined) {
          request.once('response', (response) => {
            answer.status = response.statusCode;
            answer.retryAfter = response.headers['retry-after'];
            response.on('data', (chunk: Buffer) => (answer.body = `${answer.body ?? ''}${chunk.toString()}`));
          });
        }
        (Agent.prototype as unknown as Requests).addRequest.call(this, request, options);
      }
    }

    const development: Credential = {
      getAccessToken: () => Promise.resolve({ access_token: 'local', expires_in: 3600 }),
    };

    async function sendWith(credential: Credential, agent: Agent, messages: Message[]) {
      const app = initializeApp({ projectId: 'campus', credential, httpAgent: agent }, 'edge');
      try {
        const messaging = getMessaging(app);
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- HTTP/2 takes no agent
        messaging.enableLegacyHttpTransport();
        const answer: Answer = {};
        const { responses } = await answers.run(answer, () => messaging.sendEach(messages));
        return { responses, answer };
      } finally {
        await deleteApp(app);
        agent.destroy();
      }
    }

    const send = (...tokens: string[]) =>
      sendWith(
        development,
        new EdgeAgent({ keepAlive: true }),
        tokens.map((token) => ({ token, data: { id: '1' } })),
      );

    it('takes the messages of firebase-admin, and refuses dead tokens', async () => {
      edge.fcm.unregister('gone');
      edge.fcm.invalid('nonsense');
      const { responses } = await send('phone', 'gone', 'nonsense');
      expect(responses[0]?.messageId).to.match(/^projects\/campus\/messages\/./);
      expect(responses[1]?.error?.code).to.equal('messaging/registration-token-not-registered');
      expect(responses[2]?.error).to.include({ code: 'messaging/invalid-argument' });
      expect(responses[2]?.error?.message).to.include('registration token');
      const [received] = await edge.fcm.waitFor();
      expect(received).to.deep.include({
        projectId: 'campus',
        message: { token: 'phone', data: { id: '1' } },
        authorization: 'Bearer local',
      });
    });

    it('tells only the agent why and until when', async () => {
      edge.fcm.faults.next({ kind: 'status', status: 429, retryAfter: 30 });
      const limited = await send('phone');
      expect(limited.responses[0]?.error?.code).to.equal('messaging/message-rate-exceeded');
      expect(limited.answer).to.include({ status: 429, retryAfter: '30' });

      // Longer than firebase-admin is willing to wait; it would retry by itself otherwise.
      edge.fcm.faults.next({ kind: 'status', status: 503, retryAfter: 120 });
      const unavailable = await send('phone');
      expect(unavailable.responses[0]?.error?.code).to.equal('messaging/server-unavailable');
      expect(unavailable.answer).to.include({ status: 503, retryAfter: '120' });

      edge.fcm.unregister('gone');
      expect((await send('gone')).answer.body).to.include('UNREGISTERED');
      edge.fcm.faults.next({ kind: 'status', status: 404 });
      const wrongProject = await send('phone');
      expect(wrongProject.responses[0]?.error?.code).to.equal('messaging/registration-token-not-registered');
      expect(wrongProject.answer.body).not.to.include('UNREGISTERED');
    });

    it('gets a message twice when its answer is lost, as firebase-admin sends it again', async () => {
      edge.fcm.faults.next({ kind: 'accept-and-reset' });
      const { responses } = await send('phone');
      expect(responses[0]?.success).to.be.true;
      expect(edge.fcm.received).to.have.length(2);
    });

    it('grants tokens to its service account', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'account-'));
      try {
        // From a file: given an object, firebase-admin 13 does not use the agent to fetch the token.
        const file = join(folder, 'account.json');
        await writeFile(file, JSON.stringify(edge.fcm.serviceAccount('campus')));
        const agent = new EdgeAgent();
        const { responses } = await sendWith(cert(file, agent), agent, [{ token: 'phone', data: { id: '1' } }]);
        expect(responses[0]?.error).to.equal(undefined);
        expect(edge.fcm.received[0]?.authorization).to.match(/^Bearer local-/);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  it('come back on the same port', async () => {
    const { port } = edge.smtp;
    await edge.smtp.stop();
    const transport = nodemailer.createTransport({ url: `smtp://127.0.0.1:${port}` });
    const mail = { from: 'a@atrium.test', to: 'b@atrium.test', text: 'hello' };
    expect(await failureOf(transport.sendMail(mail))).to.include({ code: 'ESOCKET' });
    await edge.smtp.start(port);
    await transport.sendMail(mail);
    expect(edge.smtp.received).to.have.length(1);
  });
});
