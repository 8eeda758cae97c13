import { generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { type Authority } from './certificates.js';
import { fcmError, fcmErrorFor } from './fcm-errors.js';
import { Inbox } from './inbox.js';
import { asError, LocalHttps, LOOPBACK, retryAfterHeader, type Reply, type Request } from './loopback.js';

/** A message of the HTTP v1 API, as it was sent. */
export interface FcmMessage {
  token?: string;
  notification?: { title?: string; body?: string };
  data?: Record<string, string>;
  [field: string]: unknown;
}

export interface ReceivedFcm {
  at: Date;
  projectId: string;
  message: FcmMessage;
  authorization: string;
}

/** The key file of a service account, as the Firebase console gives it out. */
export interface ServiceAccount {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  token_uri: string;
}

const SEND_PATH = /^\/v1\/projects\/([^/]+)\/messages:send$/;
const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const TOKEN_LIFE_SECONDS = 3_599;
const LARGEST_PAYLOAD = 4_096;

let madeKeys: { privateKey: string; publicKey: string } | undefined;
/** Of all accounts that this process gives out: finding two primes takes up to a second. */
const keys = () =>
  (madeKeys ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }));

/**
 * Firebase Cloud Messaging over HTTP/1.1, and the token endpoint of Google beside it. firebase-admin knows the
 * hosts of both by heart, so it has to be given an agent that connects here whatever the host is.
 */
export class FcmEdge {
  readonly #inbox = new Inbox<ReceivedFcm>(({ message }) => `message ${JSON.stringify(message)}`);
  readonly received = this.#inbox.received;
  readonly rejected = this.#inbox.rejected;
  readonly faults = this.#inbox.faults;
  readonly waitFor = this.#inbox.waitFor;
  readonly onReceived = this.#inbox.onReceived;
  readonly #unregistered = new Set<string>();
  readonly #invalid = new Set<string>();
  readonly #unknownProjects = new Set<string>();
  readonly #server: LocalHttps;

  constructor(authority: Authority) {
    const hosts = ['fcm.googleapis.com', 'oauth2.googleapis.com', LOOPBACK, 'localhost'];
    this.#server = new LocalHttps(authority, hosts, (request) => this.#answer(request));
  }

  get port(): number {
    return this.#server.port;
  }

  /** The value for `FCM_ENDPOINT`. */
  get endpoint(): string {
    return `${LOOPBACK}:${this.port}`;
  }

  start(port = 0): Promise<void> {
    return this.#server.start(port);
  }

  async stop(): Promise<void> {
    this.#inbox.close();
    await this.#server.stop();
  }

  /** The app was removed from the device: 404 UNREGISTERED from now on. */
  unregister(token: string): void {
    this.#unregistered.add(token);
  }

  /** The token never was one: 400 INVALID_ARGUMENT that names the token. */
  invalid(token: string): void {
    this.#invalid.add(token);
  }

  /** There is no such project: a bare 404 to whatever is sent to it, dry runs too, until the answer is called. */
  withoutProject(projectId: string): () => void {
    this.#unknownProjects.add(projectId);
    return () => void this.#unknownProjects.delete(projectId);
  }

  /** Forgets messages, faults, hooks, and what was said of tokens and projects. */
  clear(): void {
    this.#inbox.clear();
    this.#unregistered.clear();
    this.#invalid.clear();
    this.#unknownProjects.clear();
  }

  /** A service account whose signature the token endpoint here accepts. */
  serviceAccount(projectId = 'atrium-local'): ServiceAccount {
    return {
      type: 'service_account',
      project_id: projectId,
      private_key_id: 'local',
      private_key: keys().privateKey,
      client_email: `atrium@${projectId}.iam.gserviceaccount.com`,
      client_id: '1',
      token_uri: TOKEN_URI,
    };
  }

  async #answer(request: Request): Promise<Reply | undefined> {
    if (request.method === 'POST' && request.path === '/token') return this.#grantToken(request);
    const projectId = SEND_PATH.exec(request.path)?.[1];
    if (request.method !== 'POST' || projectId === undefined) {
      return this.#refuse(fcmError(404, 'NOT_FOUND', `nothing at ${request.path}`));
    }
    const authorization = request.headers.authorization ?? '';
    if (!/^Bearer \S+$/.test(authorization)) {
      return this.#refuse(fcmError(401, 'UNAUTHENTICATED', 'Request is missing required authentication credential.'));
    }
    const { message, validate_only: dryRun } = read(request.body);
    if (message === undefined) {
      return this.#refuse(fcmError(400, 'INVALID_ARGUMENT', 'The message is missing.', 'INVALID_ARGUMENT'));
    }
    const item: ReceivedFcm = { at: new Date(), projectId, message, authorization };
    const refusal = this.#unknownProjects.has(projectId) ? fcmErrorFor(404) : this.#judge(message);
    if (refusal !== undefined) return this.#refuse(refusal, item);
    if (dryRun === true) return named(projectId, 'fake_message_id');

    const verdict = await this.#inbox.receive(item);
    switch (verdict.kind) {
      case 'accept':
        return named(projectId, randomUUID());
      case 'refuse': {
        const { status, retryAfter, body } = verdict.fault;
        const reply = fcmErrorFor(status);
        return { ...reply, headers: { ...reply.headers, ...retryAfterHeader(retryAfter) }, body: body ?? reply.body };
      }
      case 'cut':
        return undefined;
    }
  }

  #judge({ token, notification, data }: FcmMessage): Reply | undefined {
    if (Buffer.byteLength(JSON.stringify({ notification, data })) > LARGEST_PAYLOAD) {
      return fcmError(400, 'INVALID_ARGUMENT', 'Message is too big', 'INVALID_ARGUMENT');
    }
    if (token === undefined) return undefined;
    if (this.#unregistered.has(token)) {
      return fcmError(404, 'NOT_FOUND', 'Requested entity was not found.', 'UNREGISTERED');
    }
    if (this.#invalid.has(token)) {
      const description = 'The registration token is not a valid FCM registration token';
      const violation = { field: 'message.token', description };
      return fcmError(400, 'INVALID_ARGUMENT', description, 'INVALID_ARGUMENT', [violation]);
    }
    return undefined;
  }

  /** OAuth 2.0 for service accounts: a signed assertion for an access token. */
  #grantToken({ body }: Request): Reply {
    const form = new URLSearchParams(body.toString('utf8'));
    try {
      jwt.verify(form.get('assertion') ?? '', keys().publicKey, { algorithms: ['RS256'], audience: TOKEN_URI });
    } catch (error) {
      const reason = asError(error).message;
      this.#inbox.reject({ status: 400, reason: `token endpoint: ${reason}` });
      return json(400, { error: 'invalid_grant', error_description: reason });
    }
    return json(200, { access_token: `local-${randomUUID()}`, expires_in: TOKEN_LIFE_SECONDS, token_type: 'Bearer' });
  }

  #refuse(reply: Reply, item?: ReceivedFcm): Reply {
    const rejection = { status: reply.status, reason: reply.body ?? '' };
    this.#inbox.reject(item === undefined ? rejection : { ...rejection, item });
    return reply;
  }
}

function read(body: Buffer): { message?: FcmMessage; validate_only?: boolean } {
  try {
    return JSON.parse(body.toString('utf8')) as { message?: FcmMessage; validate_only?: boolean };
  } catch {
    return {};
  }
}

function named(projectId: string, id: string): Reply {
  return json(200, { name: `projects/${projectId}/messages/${id}` });
}

function json(status: number, body: object): Reply {
  return { status, headers: { 'Content-Type': 'application/json; charset=UTF-8' }, body: JSON.stringify(body) };
}
