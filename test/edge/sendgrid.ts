import { randomUUID } from 'node:crypto';
import { type Authority } from './certificates.js';
import { Inbox } from './inbox.js';
import { LocalHttps, LOOPBACK, retryAfterHeader, type Reply, type Request } from './loopback.js';
import { problemsOf, type SendGridMail, type SendGridProblem } from './sendgrid-rules.js';

/** One call of `/v3/mail/send`, as it was sent. */
export interface ReceivedSendGrid {
  at: Date;
  mail: SendGridMail;
  /** What it was answered in `X-Message-Id`. */
  messageId: string;
}

const UNAUTHORIZED = 'The provided authorization grant is invalid, expired, or revoked';
const WORDS: Record<number, string> = {
  400: 'Bad Request',
  401: UNAUTHORIZED,
  403: 'access forbidden',
  413: 'The request is too large',
  429: 'too many requests',
  500: 'internal error',
  503: 'the service is unavailable',
};

/** SendGrid's v3 API, as far as sending mail goes. */
export class SendGridEdge {
  readonly #inbox = new Inbox<ReceivedSendGrid>(({ mail }) => `mail ${JSON.stringify(mail.personalizations)}`);
  readonly received = this.#inbox.received;
  readonly rejected = this.#inbox.rejected;
  readonly faults = this.#inbox.faults;
  readonly waitFor = this.#inbox.waitFor;
  readonly onReceived = this.#inbox.onReceived;
  readonly #server: LocalHttps;
  readonly #refused = new Set<string>();

  constructor(
    authority: Authority,
    /** The only key it lets in. */
    readonly apiKey = `SG.${randomUUID()}`,
  ) {
    this.#server = new LocalHttps(authority, [LOOPBACK, 'localhost'], (request) => this.#answer(request));
  }

  get port(): number {
    return this.#server.port;
  }

  /** The value for `SENDGRID_BASE_URL`. */
  get url(): string {
    return `https://${LOOPBACK}:${this.port}`;
  }

  /** Every address that a mail was taken for. */
  get recipients(): string[] {
    return this.received.flatMap(({ mail }) => recipientsOf(mail));
  }

  start(port = 0): Promise<void> {
    return this.#server.start(port);
  }

  async stop(): Promise<void> {
    this.#inbox.close();
    await this.#server.stop();
  }

  /** Takes this for no e-mail address: 400 to the whole call that it stands in, naming its place. */
  refuse(address: string): void {
    this.#refused.add(address);
  }

  /** Forgets messages, faults, hooks and refused addresses. */
  clear(): void {
    this.#inbox.clear();
    this.#refused.clear();
  }

  async #answer(request: Request): Promise<Reply | undefined> {
    if (request.method !== 'POST' || request.path !== '/v3/mail/send') {
      return this.#refuse(404, [{ message: `nothing at ${request.path}`, field: null, help: null }]);
    }
    if (request.headers.authorization !== `Bearer ${this.apiKey}`) {
      return this.#refuse(401, [{ message: UNAUTHORIZED, field: null, help: null }]);
    }
    const read = problemsOf(request.body, this.#refused);
    if ('problems' in read) return this.#refuse(400, read.problems);

    const item: ReceivedSendGrid = { at: new Date(), mail: read.mail, messageId: randomUUID() };
    const verdict = await this.#inbox.receive(item);
    switch (verdict.kind) {
      case 'accept':
        return { status: 202, headers: { 'X-Message-Id': item.messageId } };
      case 'refuse': {
        const { status, retryAfter, body } = verdict.fault;
        const reply = errorReply(status, [{ message: WORDS[status] ?? `status ${status}`, field: null, help: null }]);
        return { ...reply, headers: { ...reply.headers, ...retryAfterHeader(retryAfter) }, body: body ?? reply.body! };
      }
      case 'cut':
        return undefined;
    }
  }

  #refuse(status: number, problems: SendGridProblem[]): Reply {
    this.#inbox.reject({ status, reason: problems.map(({ message }) => message).join('; ') });
    return errorReply(status, problems);
  }
}

/** Whom a call is to. */
export function recipientsOf({ personalizations }: SendGridMail): string[] {
  return personalizations.flatMap(({ to }) => to.map(({ email }) => email));
}

function errorReply(status: number, errors: SendGridProblem[]): Reply {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ errors }) };
}
