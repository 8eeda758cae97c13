import { expect } from 'chai';
import { type Problem } from '../../src/core/http/problem.js';
import { FEWEST_AT_ONCE, LOOK_MS, Overload, SLOW_LOOKS, type UnderWay } from '../../src/core/overload.js';

const AIM_MS = 500;

describe('Admission under overload', () => {
  let now: number;
  let shed: number;
  let overload: Overload;
  let ends: (() => void)[];

  beforeEach(() => {
    [now, shed, ends] = [0, 0, []];
    overload = new Overload({ aimMs: AIM_MS, onShed: () => (shed += 1), now: () => now });
  });

  /** Begins so much work that goes on until it is ended; what is turned away is answered with. */
  async function begin(count: number): Promise<Problem[]> {
    const refused: Problem[] = [];
    for (let index = 0; index < count; index += 1) {
      overload
        .run(() => new Promise<void>((resolve) => ends.push(resolve)))
        .catch((error: unknown) => refused.push(error as Problem));
    }
    await Promise.resolve();
    await Promise.resolve();
    return refused;
  }

  async function endAll(): Promise<void> {
    for (const end of ends.splice(0)) end();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Time goes by as it should, with a look ten times a second. */
  function pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += LOOK_MS) {
      now += LOOK_MS;
      overload.look();
    }
  }

  /** The process stands still for too long before it looks. */
  function comeLate(): void {
    now += LOOK_MS + AIM_MS + 1;
    overload.look();
  }

  it('lets everything in that is done in time', async () => {
    for (let round = 0; round < 10; round += 1) {
      expect(await begin(300)).to.deep.equal([]);
      pass(200);
      await endAll();
    }
    expect(shed).to.equal(0);
  });

  it('turns the rest away where things take too long, and says when to come back', async () => {
    await begin(200);
    pass(AIM_MS + SLOW_LOOKS * LOOK_MS);
    expect(overload.underWay).to.equal(200);
    const refused = await begin(50);
    expect(refused).to.have.length(50);
    for (const { status, code, headers } of refused) {
      expect({ status, code }).to.deep.equal({ status: 503, code: 'OVERLOADED' });
      expect(Number(headers?.['Retry-After'])).to.be.within(1, 3);
    }
    expect(shed).to.equal(50);
  });

  it('lets in again what is done in time within seconds', async () => {
    await begin(400);
    pass(2_000);
    await endAll();
    overload.look();
    pass(3_000);
    expect(await begin(200)).to.deep.equal([]);
  });

  it('never turns the last few away, however slow they are', async () => {
    await begin(FEWEST_AT_ONCE);
    pass(60_000);
    await endAll();
    await begin(200);
    pass(60_000);
    await endAll();
    expect(await begin(FEWEST_AT_ONCE)).to.deep.equal([]);
  });

  it('turns away where the process itself comes late, too', async () => {
    await begin(100);
    for (let look = 0; look < SLOW_LOOKS; look += 1) comeLate();
    expect(await begin(20)).to.have.length(20);
  });

  it('lets in others however many wait for their clients, and counts what these take without that', async () => {
    const waiting: UnderWay[] = [];
    for (let index = 0; index < 100; index += 1) {
      void overload.run((underWay) => {
        underWay.wait();
        waiting.push(underWay);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    }
    pass(60_000);
    expect(overload.underWay).to.equal(0);
    expect(await begin(50)).to.deep.equal([]);
    for (const each of waiting) each.goOn();
    expect(overload.underWay).to.equal(150);
    await endAll();
    for (const each of waiting) each.goOn();
    expect(overload.underWay).to.equal(0);
    pass(LOOK_MS);
    expect(await begin(200)).to.deep.equal([]);
  });

  it('bears with a moment in which everything stands still', async () => {
    await begin(100);
    comeLate();
    await endAll();
    pass(LOOK_MS);
    expect(await begin(200)).to.deep.equal([]);
  });
});
