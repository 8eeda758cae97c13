import { randomUUID } from 'node:crypto';
import { type Authority } from './certificates.js';
import { Inbox } from './inbox.js';
import { LocalHttps, LOOPBACK, retryAfterHeader, type Reply, type Request } from './loopback.js';

/** What a notification of OneSignal is made of, as far as Atrium sends it. */
export interface OneSignalNotification {
  app_id: string;
  target_channel: string;
  include_subscription_ids: string[];
  idempotency_key: string;
  headings: Record<string, string>;
  contents: Record<string, string>;
  data: Record<string, string>;
  collapse_id: string;
  [more: string]: unknown;
}

/** One call that was taken, and sent: a repeated one is not sent again and stands here once. */
export interface ReceivedOneSignal {
  at: Date;
  id: string;
  notification: OneSignalNotification;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MOST_SUBSCRIPTIONS = 20_000;
const LONGEST_COLLAPSE_ID = 64;

/** OneSignal's REST API, as far as creating notifications goes. */
export class OneSignalEdge {
  readonly #inbox = new Inbox<ReceivedOneSignal>(({ notification }) => `push ${JSON.stringify(notification)}`);
  readonly received = this.#inbox.received;
  readonly rejected = this.#inbox.rejected;
  readonly faults = this.#inbox.faults;
  readonly waitFor = this.#inbox.waitFor;
  readonly onReceived = this.#inbox.onReceived;
  readonly appId = randomUUID();
  readonly apiKey = `os_v2_app_${randomUUID()}`;
  readonly #server: LocalHttps;
  readonly #unknown = new Set<string>();
  readonly #unsubscribed = new Set<string>();
  /** Calls that were made before, by their keys. */
  readonly #known = new Map<string, string>();

  constructor(authority: Authority) {
    this.#server = new LocalHttps(authority, [LOOPBACK, 'localhost'], (request) => this.#answer(request));
  }

  /** The value for `ONESIGNAL_BASE_URL`. */
  get url(): string {
    return `https://${LOOPBACK}:${this.#server.port}`;
  }

  start(port = 0): Promise<void> {
    return this.#server.start(port);
  }

  async stop(): Promise<void> {
    this.#inbox.close();
    await this.#server.stop();
  }

  /** There is no such subscription. */
  forget(token: string): void {
    this.#unknown.add(token);
  }

  /** Pushes are switched off on that phone. */
  unsubscribe(token: string): void {
    this.#unsubscribed.add(token);
  }

  async #answer(request: Request): Promise<Reply | undefined> {
    if (request.method !== 'POST' || request.path !== '/notifications') {
      return this.#refuse(404, [`nothing at ${request.path}`]);
    }
    if (request.headers.authorization !== `Key ${this.apiKey}`) return this.#refuse(403, ['Access denied.']);
    const notification = JSON.parse(request.body.toString('utf8')) as OneSignalNotification;
    const problems = this.#problemsOf(notification);
    if (problems.length > 0) return this.#refuse(400, problems);

    const { idempotency_key: key, include_subscription_ids: tokens } = notification;
    const before = this.#known.get(key);
    if (before !== undefined) return reply(200, { id: before }, { 'Idempotent-Replayed': 'true' });
    const invalid = tokens.filter((token) => this.#unknown.has(token));
    const reached = tokens.filter((token) => !this.#unknown.has(token) && !this.#unsubscribed.has(token));
    if (reached.length === 0 && invalid.length === 0) {
      return reply(200, { id: '', errors: ['All included players are not subscribed'] });
    }
    const item = { at: new Date(), id: reached.length > 0 ? randomUUID() : '', notification };
    // From now on: it may be asked again while this takes its time.
    this.#known.set(key, item.id);
    const verdict = await this.#inbox.receive(item);
    if (!this.received.includes(item)) this.#known.delete(key);
    if (verdict.kind === 'refuse') {
      const { status, retryAfter, body } = verdict.fault;
      return {
        ...reply(status, { errors: [`status ${status}`] }, retryAfterHeader(retryAfter)),
        ...(body && { body }),
      };
    }
    if (verdict.kind === 'cut') return undefined;
    return reply(200, { id: item.id, ...(invalid.length > 0 && { errors: { invalid_player_ids: invalid } }) });
  }

  #problemsOf({ app_id: app, contents, include_subscription_ids: tokens, ...rest }: OneSignalNotification): string[] {
    const problems: string[] = [];
    if (app !== this.appId) problems.push('app_id not found');
    if (rest.target_channel !== 'push') problems.push('target_channel must be push');
    if (!contents['en']) problems.push('Message Notifications must have English language content');
    if (tokens.length === 0 || tokens.length > MOST_SUBSCRIPTIONS) problems.push('include_subscription_ids is wrong');
    if (!UUID.test(rest.idempotency_key)) problems.push('idempotency_key must be a UUID');
    if (rest.collapse_id.length > LONGEST_COLLAPSE_ID) problems.push('collapse_id is too long');
    return problems;
  }

  #refuse(status: number, errors: string[]): Reply {
    this.#inbox.reject({ status, reason: errors.join('; ') });
    return reply(status, { errors });
  }
}

function reply(status: number, body: object, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
