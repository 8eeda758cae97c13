import { expect } from 'chai';
import { Passwords } from '../../src/modules/auth/password.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { expectProblem } from './helpers.js';
import { elsewhere } from './two-factor.js';

/** So many failures leave an account unlocked. */
const FAILURES_PER_ACCOUNT = 4;
const PASSWORD_MEMORY_KIB = 19_456;
const passwords = new Passwords(PASSWORD_MEMORY_KIB);
const ROUNDS = 12;
const MOST_BLOCKS = 5;

const median = (samples: number[]): number => samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;

/** In another order: each kind follows on each other equally often. */
const shuffled = <T>(items: T[]): T[] =>
  items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);

describe('How long a refused sign-in takes', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode({ env: { TRUST_PROXY: '1', PASSWORD_MEMORY_KIB: String(PASSWORD_MEMORY_KIB) } });
  });
  after(() => campus.close());

  const attempt = (email: string, password = 'not the password'): Promise<Answer<Json>> =>
    api.request('POST', '/auth/login', { email, password }, elsewhere());
  /**
   * Milliseconds of the processor, of this process with the node in it. By the clock it would be what else the machine
   * does; what waits for the database is counted elsewhere, by its writes.
   */
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };

  it('tells nothing of the account: unknown, wrong password, or locked', async function () {
    this.timeout(120_000);
    const locked = await api.register();
    for (let at = 0; at < 5; at += 1) await attempt(locked.email);
    // Made beforehand, so that what follows on registering is over.
    const fresh: Person[] = [];
    while (fresh.length * FAILURES_PER_ACCOUNT < ROUNDS * MOST_BLOCKS) fresh.push(await api.register());
    // An address is tried as often whether it has an account or not: its first failure is counted a little slower.
    const wrong = fresh.flatMap(({ email }) => new Array<string>(FAILURES_PER_ACCOUNT).fill(email));
    const unknown = wrong.map((email) => `no-${email}`);
    const answers: Answer<Json>[] = [];
    const refused = async (email: string, password?: string) => answers.push(await attempt(email, password));
    const samples = { unknown: [], wrong: [], locked: [], check: [] } as Record<string, number[]>;
    const medianOf = (kind: string) => median(samples[kind]!);

    // Samples of all kinds come in turn and in any order, so that whatever else the machine does meets all alike;
    // what is left of chance goes with more of them, while a real difference stays.
    let spread = Infinity;
    for (let block = 0; block < MOST_BLOCKS && spread > medianOf('check') / 2; block += 1) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const kinds: [string, () => Promise<unknown>][] = [
          ['unknown', () => refused(unknown.pop()!)],
          ['wrong', () => refused(wrong.pop()!)],
          ['locked', () => refused(locked.email, locked.password)],
          // What a check of a password costs here and now: what would be missing where none is made.
          ['check', () => passwords.fits(undefined, 'not the password')],
        ];
        for (const [kind, work] of shuffled(kinds)) samples[kind]!.push(await timed(work));
      }
      const medians = ['unknown', 'wrong', 'locked'].map(medianOf);
      spread = Math.max(...medians) - Math.min(...medians);
    }
    const report = Object.keys(samples).map((kind) => `${kind} ${medianOf(kind).toFixed(1)} ms`);
    expect(spread, report.join(', ')).to.be.below(medianOf('check') / 2);

    const [first] = answers;
    for (const answer of answers) {
      expectProblem(answer, 401, 'INVALID_CREDENTIALS');
      expect({ ...answer.body, requestId: '' }).to.deep.equal({ ...first!.body, requestId: '' });
      expect([...answer.headers.keys()].sort()).to.deep.equal([...first!.headers.keys()].sort());
    }
  });
});
