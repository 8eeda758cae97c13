import { expect } from 'chai';
import fc from 'fast-check';
import { MINUTE, SECOND } from '../../src/core/clock.js';
import { type BreakerState, CircuitBreaker } from '../../src/modules/notifications/delivery/circuit-breaker.js';
import { MovableClock } from '../support/clock.js';

describe('A circuit breaker', () => {
  let clock: MovableClock;
  let breaker: CircuitBreaker;
  let told: BreakerState[];
  beforeEach(() => {
    clock = new MovableClock();
    told = [];
    breaker = new CircuitBreaker({ clock, onChange: (state) => told.push(state) });
  });

  const fail = (times = 1): void => {
    for (let index = 0; index < times; index++) breaker.admit()?.failed('DOWN');
  };

  it('opens after five failures in a row, and not before', () => {
    fail(4);
    breaker.admit()!.answered();
    fail(4);
    expect(breaker.state).to.equal('closed');
    fail();
    expect(breaker.state).to.equal('open');
    expect(breaker.admit()).to.equal(undefined);
    expect(breaker.waitMs).to.be.within(29 * SECOND, 30 * SECOND);
    expect(told).to.deep.equal(['open']);
  });

  it('opens at once, and for as long, where the provider asks to be left alone', () => {
    breaker.admit()!.failed('BUSY', 10 * MINUTE);
    expect(breaker.waitMs).to.be.within(10 * MINUTE - SECOND, 10 * MINUTE);
    clock.advance(9 * MINUTE);
    expect(breaker.room).to.equal(0);
    clock.advance(MINUTE);
    expect(breaker.room).to.equal(1);
  });

  it('lets one call through after a while, which decides', () => {
    fail(5);
    clock.advance(30 * SECOND);
    const probe = breaker.admit()!;
    expect(breaker.admit()).to.equal(undefined);
    probe.answered();
    expect(breaker.state).to.equal('closed');
    expect(told).to.deep.equal(['open', 'halfOpen', 'closed']);
    fail(4);
    expect(breaker.state).to.equal('closed');
  });

  it('waits twice as long after each probe that fails, up to five minutes', () => {
    fail(5);
    const waits = [60, 120, 240, 300, 300].map((seconds) => {
      clock.advance(breaker.waitMs);
      fail();
      return Math.abs(breaker.waitMs - seconds * SECOND) < SECOND;
    });
    expect(waits).to.deep.equal([true, true, true, true, true]);
  });

  it('takes no notice of calls that began before it opened', () => {
    const early = [breaker.admit()!, breaker.admit()!];
    fail(5);
    early[0]!.answered();
    early[1]!.failed('DOWN', MINUTE);
    expect(breaker.state).to.equal('open');
    expect(breaker.waitMs).to.be.at.most(30 * SECOND);
  });

  it('never lets more than one call through between opening and closing, and always lets one through in the end', () => {
    const step = fc.constantFrom('admit', 'answer', 'fail', 'wait');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const time = new MovableClock();
        const one = new CircuitBreaker({ clock: time, onChange: () => undefined });
        const under: { permit: NonNullable<ReturnType<CircuitBreaker['admit']>>; isProbe: boolean }[] = [];
        for (const each of steps) {
          const wasClosed = one.state === 'closed';
          if (each === 'admit') {
            const permit = one.admit();
            if (permit) under.push({ permit, isProbe: !wasClosed });
          } else if (each === 'wait') time.advance(5 * MINUTE);
          else if (each === 'answer') under.shift()?.permit.answered();
          else under.shift()?.permit.failed('DOWN');
          expect(under.filter(({ isProbe }) => isProbe)).to.have.length.at.most(1);
        }
        for (const { permit } of under) permit.failed('DOWN');
        time.advance(5 * MINUTE);
        expect(one.room).to.be.at.least(1);
      }),
    );
  });
});
