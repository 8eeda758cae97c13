import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Ledger, type Tally, tallyOf } from './ledger.js';
import { type Random } from '../random.js';

/** What came of a request in the end. */
export type Outcome<T> =
  | { fate: 'done'; body: T }
  | { fate: 'refused'; status: number; code: string }
  /** It was tried again for as long as anyone would. */
  | { fate: 'unknown' };

/** One request. */
export interface Question {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
}

export interface Call extends Question {
  /** What it counts as. */
  action: string;
}

export interface Account {
  id: string;
  email: string;
  password: string;
}

export interface ClientOptions {
  /** The nodes, as a load balancer knows them. */
  urls: readonly string[];
  account: Account;
  random: Random;
  ledger: Ledger;
}

/** What came of one attempt. */
export interface Attempt<T> {
  /** A status; 0 where no answer came. */
  status: number;
  code: string;
  retryAfterMs?: number;
  body?: T;
}

/** Nobody waits longer for one answer, in milliseconds. */
const ANSWER_MS = 10_000;
/** And nobody tries for longer. */
export const PATIENCE_MS = 90_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 4_000;

/**
 * One person's way to the API, by the rules that its document gives: what was not answered, or with 503 or 429, is tried
 * again, after as long as `Retry-After` says; what creates something carries one `Idempotency-Key` for all attempts. A
 * node that does not answer is left for the next one, as a load balancer in front would do.
 */
export class Client {
  private token = '';
  private refreshToken = '';
  private renewing: Promise<void> | undefined;
  private at: number;

  constructor(private readonly options: ClientOptions) {
    this.at = options.random.between(0, options.urls.length - 1);
  }

  get accessToken(): string {
    return this.token;
  }

  /** The node that this one talks to just now. */
  get url(): string {
    return this.options.urls[this.at % this.options.urls.length] ?? '';
  }

  /** Turns to the next node. */
  moveOn(): void {
    this.at += 1;
  }

  /** Signs in with the password. */
  async signIn(): Promise<void> {
    const { email, password } = this.options.account;
    const call: Call = { action: 'sign in', method: 'POST', path: '/auth/login', body: { email, password } };
    const outcome = await this.call<Tokens>(call);
    if (outcome.fate === 'done') this.keep(outcome.body);
  }

  /** Asks until there is an answer, or for as long as anyone would. */
  async call<T>(call: Call): Promise<Outcome<T>> {
    const key = call.method === 'POST' ? randomUUID() : undefined;
    return this.persist<T>(call.action, () => this.attempt<T>(call, key));
  }

  /**
   * Tries something again by the same rules, whatever it is done with.
   * @param attempt answers with a status as HTTP has it; 0 where no answer came
   */
  async persist<T>(action: string, attempt: () => Promise<Attempt<T>>): Promise<Outcome<T>> {
    const tally = tallyOf(this.options.ledger, action);
    const begun = performance.now();
    for (let tries = 0; performance.now() - begun < PATIENCE_MS; tries += 1) {
      const started = performance.now();
      const { status, code, retryAfterMs, body } = await attempt();
      count(tally, status, code);
      if (status >= 200 && status < 300) {
        tally.took.push(performance.now() - started);
        tally.felt.push(performance.now() - begun);
        return { fate: 'done', body: body as T };
      }
      if (status === 401 && action !== 'sign in') {
        await this.renew();
        // A fresh token that is refused as well is no reason to ask without a pause.
        if (tries > 0) await pause(this.backOff(tries));
      } else if (status === 0 || status === 429 || status >= 500) {
        if (status === 0) this.moveOn();
        await pause(Math.min(retryAfterMs ?? this.backOff(tries), PATIENCE_MS));
      } else {
        tally.refused += 1;
        return { fate: 'refused', status, code };
      }
    }
    tally.unknown += 1;
    return { fate: 'unknown' };
  }

  /** Gets a fresh token, once for all who need it; with the password where the session is over. */
  renew(): Promise<void> {
    this.renewing ??= this.refresh().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** Asks once. */
  async attempt<T>({ method, path, body }: Question, key?: string): Promise<Attempt<T>> {
    try {
      const response = await fetch(`${this.url}/api/v1${path}`, {
        method,
        headers: {
          ...(this.token !== '' && { authorization: `Bearer ${this.token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const text = await response.text();
      const read = (text === '' ? undefined : JSON.parse(text)) as unknown;
      const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
      return {
        status: response.status,
        code: response.ok ? '' : ((read as { code?: string } | undefined)?.code ?? ''),
        ...(Number.isFinite(retryAfter) && { retryAfterMs: retryAfter * 1_000 }),
        body: read as T,
      };
    } catch (error) {
      return { status: 0, code: error instanceof Error && error.name === 'TimeoutError' ? 'no answer' : 'cut off' };
    }
  }

  private async refresh(): Promise<void> {
    const { refreshToken } = this;
    const answer = await this.attempt<Tokens>({ method: 'POST', path: '/auth/refresh', body: { refreshToken } });
    count(tallyOf(this.options.ledger, 'refresh'), answer.status, answer.code);
    // An answer that was lost on the way has used the token up all the same.
    if (answer.status === 200 && answer.body) this.keep(answer.body);
    else await this.signIn();
  }

  private keep({ accessToken, refreshToken }: Tokens): void {
    this.token = accessToken;
    this.refreshToken = refreshToken;
  }

  private backOff(tries: number): number {
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries) * (0.5 + this.options.random.between(0, 50) / 100);
  }
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
}

function count({ attempts }: Tally, status: number, code: string): void {
  const what = [...(status === 0 ? [] : [String(status)]), ...(code === '' ? [] : [code])].join(' ');
  attempts[what] = (attempts[what] ?? 0) + 1;
}
