import { once } from 'node:events';
import { type Socket } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { Inbox } from './inbox.js';
import { asError, listen, LOOPBACK, track } from './loopback.js';

export interface ReceivedMail {
  at: Date;
  envelope: { from: string; to: string[] };
  messageId: string | undefined;
  /** Decoded, as are the texts. */
  subject: string | undefined;
  text: string | undefined;
  html: string | undefined;
  /** By lower-case name, as they stood in the message; repeated ones joined by a line break. */
  headers: Map<string, string>;
  raw: string;
}

/** A mail server that takes every message, without TLS and without a login. */
export class SmtpEdge {
  readonly #inbox = new Inbox<ReceivedMail>(
    ({ envelope, subject }) => `mail to ${envelope.to.join(', ')} "${subject ?? ''}"`,
  );
  readonly received = this.#inbox.received;
  readonly rejected = this.#inbox.rejected;
  readonly faults = this.#inbox.faults;
  readonly waitFor = this.#inbox.waitFor;
  readonly onReceived = this.#inbox.onReceived;
  readonly #refused = new Map<string, number>();
  readonly #sockets = new Set<Socket>();
  #server: SMTPServer | undefined;
  #port = 0;

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `smtp://${LOOPBACK}:${this.port}`;
  }

  async start(port = 0): Promise<void> {
    this.#server = this.#createServer();
    this.#port = await listen(this.#server.server, port);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#inbox.close();
    if (server === undefined) return;
    const closed = once(server.server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Refuses a recipient while the envelope is given, as servers do for an unknown mailbox. */
  refuse(address: string, status = 550): void {
    this.#refused.set(address.toLowerCase(), status);
  }

  /** Forgets messages, faults, hooks and refused recipients. */
  clear(): void {
    this.#inbox.clear();
    this.#refused.clear();
  }

  #createServer(): SMTPServer {
    const server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      onRcptTo: ({ address }, _session, callback) => {
        const status = this.#refused.get(address.toLowerCase());
        if (status === undefined) {
          callback();
          return;
        }
        this.#inbox.reject({ reason: `recipient ${address} refused`, status });
        callback(refusal(status, status < 500 ? 'Mailbox busy' : 'No such mailbox'));
      },
      onData: (stream, session, callback) => {
        this.#take(stream, session).then(
          (answer) => answer?.(callback),
          (error: unknown) => callback(asError(error)),
        );
      },
    });
    server.server.on('connection', (socket: Socket) => track(this.#sockets, socket));
    // A client that is killed in the middle of a message is part of the tests, not a failure of the server.
    server.on('error', () => undefined);
    return server;
  }

  /** Reads a message; answers how to reply, or nothing when the connection is cut instead. */
  async #take(
    stream: AsyncIterable<Buffer>,
    session: SMTPServerSession,
  ): Promise<((callback: (error?: Error | null) => void) => void) | undefined> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const mail = await parse(Buffer.concat(chunks), session);
    const verdict = await this.#inbox.receive(mail);
    const socket = [...this.#sockets].find(({ remotePort }) => remotePort === session.remotePort);
    switch (verdict.kind) {
      case 'accept':
        return (callback) => callback();
      case 'cut':
        socket?.resetAndDestroy();
        return undefined;
      case 'refuse':
        return (callback) => {
          const { status, body } = verdict.fault;
          callback(refusal(status, body ?? (status < 500 ? 'Try again later' : 'Message refused')));
          // 421 says that the server closes the channel (RFC 5321, section 3.8).
          if (status === 421) socket?.end();
        };
    }
  }
}

async function parse(raw: Buffer, { envelope }: SMTPServerSession): Promise<ReceivedMail> {
  const email = await PostalMime.parse(raw);
  const headers = new Map<string, string>();
  for (const { key, value } of email.headers) {
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}\n${value}`);
  }
  return {
    at: new Date(),
    envelope: {
      from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
      to: envelope.rcptTo.map(({ address }) => address),
    },
    messageId: email.messageId,
    subject: email.subject,
    text: email.text,
    html: email.html,
    headers,
    raw: raw.toString('utf8'),
  };
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
