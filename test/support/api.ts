import { randomBytes } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { PATIENCE_MS } from './until.js';

/** An answer of the API, read. */
export interface Answer<T = Record<string, never>> {
  status: number;
  headers: Headers;
  body: T;
}

export interface NewPerson {
  name?: string;
  email?: string;
  password?: string;
  role?: 'student' | 'alumni' | 'recruiter';
  locale?: 'en' | 'ar';
}

// What a test looks at differs from test to test; a schema check on the server has vouched for the rest.
export type Json = any;

export interface RequestChoices {
  token?: string | undefined;
  headers?: Record<string, string>;
}

/** The public API of one node, as any client sees it. */
export class Api {
  constructor(readonly url: string) {}

  async request(method: string, path: string, body?: unknown, choices: RequestChoices = {}): Promise<Answer<Json>> {
    const { token, headers } = choices;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`${this.url}${path.startsWith('/api/') ? path : `/api/v1${path}`}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
    });
    const contentType = response.headers.get('content-type') ?? '';
    // It would never end by itself: who wants to hear it follows it.
    const isEndless = contentType.startsWith('text/event-stream');
    if (isEndless) await response.body?.cancel();
    const text = isEndless ? '' : await response.text();
    const isJson = contentType.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Registers someone new; what is not said does not matter to the test. */
  async register(choices: NewPerson = {}): Promise<Person> {
    const unique = randomBytes(5).toString('hex');
    const person = {
      name: `Person ${unique}`,
      email: `person-${unique}@campus.test`,
      password: 'a password of the tests',
      role: 'student',
      ...choices,
    };
    const { status, body } = await this.request('POST', '/auth/register', person);
    if (status !== 201) throw new Error(`registering failed: ${JSON.stringify(body)}`);
    return new Person(this, body as SignIn, person.email, person.password);
  }

  /** Signs someone in on this node. */
  async signIn(email: string, password: string): Promise<Person> {
    const { status, body } = await this.request('POST', '/auth/login', { email, password });
    if (status !== 200) throw new Error(`signing in failed: ${JSON.stringify(body)}`);
    return new Person(this, body as SignIn, email, password);
  }

  /** The admin that every test node has. */
  admin(): Promise<Person> {
    return this.signIn('admin@campus.test', 'an admin of the tests');
  }
}

interface SignIn {
  user: { id: string; name: string };
  accessToken: string;
  refreshToken: string;
}

/** Someone who is signed in. */
export class Person {
  readonly id: string;
  readonly name: string;
  token: string;
  refreshToken: string;
  private readonly sockets: Socket[] = [];

  constructor(
    readonly api: Api,
    signIn: SignIn,
    readonly email: string,
    readonly password: string,
  ) {
    this.id = signIn.user.id;
    this.name = signIn.user.name;
    this.token = signIn.accessToken;
    this.refreshToken = signIn.refreshToken;
  }

  /** The same person on another node, with the same session. */
  on(api: Api): Person {
    const { id, name, token: accessToken, refreshToken, email, password } = this;
    return new Person(api, { user: { id, name }, accessToken, refreshToken }, email, password);
  }

  get(path: string, choices: RequestChoices = {}): Promise<Answer<Json>> {
    return this.api.request('GET', path, undefined, { token: this.token, ...choices });
  }

  post(path: string, body?: unknown, choices: RequestChoices = {}): Promise<Answer<Json>> {
    return this.api.request('POST', path, body, { token: this.token, ...choices });
  }

  put(path: string, body?: unknown, choices: RequestChoices = {}): Promise<Answer<Json>> {
    return this.api.request('PUT', path, body, { token: this.token, ...choices });
  }

  patch(path: string, body?: unknown, choices: RequestChoices = {}): Promise<Answer<Json>> {
    return this.api.request('PATCH', path, body, { token: this.token, ...choices });
  }

  delete(path: string, body?: unknown, choices: RequestChoices = {}): Promise<Answer<Json>> {
    return this.api.request('DELETE', path, body, { token: this.token, ...choices });
  }

  /** Publishes a post and answers with its id. */
  async publish(content = 'Hello, campus'): Promise<string> {
    const { status, body } = await this.post('/posts', { content });
    if (status !== 201) throw new Error(`posting failed: ${JSON.stringify(body)}`);
    return (body as { id: string }).id;
  }

  /** Opens a socket and waits until it is connected. */
  async connect(namespace: string): Promise<LiveSocket> {
    const socket = io(`${this.api.url}${namespace}`, {
      auth: { token: this.token },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    this.sockets.push(socket);
    const live = new LiveSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return live;
  }

  disconnect(): void {
    for (const socket of this.sockets.splice(0)) socket.disconnect();
  }
}

export interface Heard {
  event: string;
  payload: Json;
  at: number;
}

/** A client that remembers everything it hears, by whatever means. */
export class Listening {
  readonly heard: Heard[] = [];
  private readonly waiting = new Set<() => void>();

  /** Everything heard of one kind. */
  all(event: string): Json[] {
    return this.heard.filter((each) => each.event === event).map(({ payload }) => payload);
  }

  /** The first payload of that kind, heard already or still to come, that fits. */
  async next(event: string, fits: (payload: Json) => boolean = () => true, timeoutMs = PATIENCE_MS): Promise<Json> {
    const [found] = await this.collect(event, 1, fits, timeoutMs);
    return found;
  }

  /** The first `count` payloads of that kind that fit. */
  collect(
    event: string,
    count: number,
    fits: (payload: Json) => boolean = () => true,
    timeoutMs = PATIENCE_MS,
  ): Promise<Json[]> {
    const found = (): Json[] => this.all(event).filter(fits);
    return this.wait(
      () => (found().length >= count ? found().slice(0, count) : undefined),
      timeoutMs,
      () => {
        const heard = this.heard.map((each) => each.event).join(', ');
        return `${found().length} of ${count} "${event}" came within ${timeoutMs} ms; heard: ${heard}`;
      },
    );
  }

  protected hear(heard: Heard): void {
    this.heard.push(heard);
    this.look();
  }

  /** Something may be there now that is waited for. */
  protected look(): void {
    for (const look of this.waiting) look();
  }

  protected wait<T>(look: () => T | undefined, timeoutMs: number, describe: () => string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const check = (): void => {
        const result = look();
        if (result === undefined) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(result);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(new Error(describe()));
      }, timeoutMs);
      this.waiting.add(check);
      check();
    });
  }
}

/** A connected socket that remembers everything it hears. */
export class LiveSocket extends Listening {
  constructor(readonly socket: Socket) {
    super();
    socket.onAny((event: string, payload: Json) => this.hear({ event, payload, at: Date.now() }));
    socket.on('disconnect', () => this.look());
  }

  /** Sends an event and waits for its acknowledgement. */
  ask(event: string, payload: unknown): Promise<Json> {
    return this.socket.timeout(10_000).emitWithAck(event, payload);
  }

  /** Resolves once the server has closed the connection. */
  async closed(timeoutMs = PATIENCE_MS): Promise<void> {
    await this.wait(
      () => (this.socket.connected ? undefined : true),
      timeoutMs,
      () => 'the socket is still connected',
    );
  }
}
