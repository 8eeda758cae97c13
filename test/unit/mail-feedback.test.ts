import { expect } from 'chai';
import fc from 'fast-check';
import { transition } from '../../src/modules/notifications/delivery/outcome.js';
import { type Feedback, withFeedback } from '../../src/modules/notifications/feedback/feedback.js';
import { type Delivery } from '../../src/modules/notifications/delivery.model.js';

const sentAt = new Date('2026-11-21T10:00:00Z');
const sent: Delivery = { status: 'sent', attempts: 1, sentAt, providerMessageId: 'x' };
const sending: Delivery = { status: 'sending', attempts: 1, claim: 'c', nextAttemptAt: sentAt };

/** No two at the same time: which of those counts is all the same. */
const told = fc
  .uniqueArray(fc.tuple(fc.constantFrom('delivered', 'opened', 'bounced'), fc.integer({ min: 1, max: 10_000 })), {
    selector: ([, at]) => at,
    maxLength: 8,
  })
  .map((all) => all.map(([kind, at]) => ({ kind, at: new Date(sentAt.getTime() + at), error: `E${at}` })));
const after = (delivery: Delivery, feedback: Feedback[]): Delivery => withFeedback(delivery, feedback) ?? delivery;
const oneByOne = (delivery: Delivery, feedback: Feedback[]): Delivery =>
  feedback.reduce((so, one) => after(so, [one]), delivery);

describe('A delivery and what its provider tells of it', () => {
  it('end the same in whatever order it is told, together or one by one, once or twice', () => {
    const cases = told.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
    );
    fc.assert(
      fc.property(cases, ([all, shuffled]) => {
        const ended = after(sent, all);
        expect(oneByOne(sent, shuffled)).to.deep.equal(ended);
        expect(withFeedback(ended, shuffled)).to.equal(undefined);
        const kinds = all.map(({ kind }) => kind);
        const status = kinds.includes('bounced') ? 'dead' : kinds.length > 0 ? 'delivered' : 'sent';
        expect(ended.status).to.equal(status);
        expect(ended.openedAt === undefined).to.equal(!kinds.includes('opened'));
      }),
    );
  });

  it('end the same whether it is told before or after the worker has its answer', () => {
    fc.assert(
      fc.property(told, (all) => {
        const outcome = { kind: 'sent', providerMessageId: 'x' } as const;
        const noted = after(sending, all);
        expect(noted.status).to.equal('sending');
        expect(transition(noted, outcome, sentAt)).to.deep.equal(after(sent, all));
      }),
    );
  });

  it('end well where the answer was lost on the way: it is not sent again', () => {
    const lost = { kind: 'retry', error: 'ECONNRESET' } as const;
    const delivered: Feedback = { kind: 'delivered', at: sentAt };
    const expected: Delivery = { status: 'delivered', attempts: 1, deliveredAt: sentAt };
    expect(transition(after(sending, [delivered]), lost, sentAt)).to.deep.equal(expected);
    expect(after(transition(sending, lost, sentAt), [delivered])).to.deep.equal(expected);
    const taken: Feedback = { kind: 'taken', at: sentAt };
    const known: Delivery = { status: 'sent', attempts: 1, sentAt };
    expect(transition(after(sending, [taken]), lost, sentAt)).to.deep.equal(known);
    expect(after(transition(sending, lost, sentAt), [taken])).to.deep.equal(known);
    // Which it says of what it has answered as well: that is no news.
    expect(withFeedback(sent, [taken])).to.equal(undefined);
  });

  it('have nothing to do with each other where it was not sent, or was given up before', () => {
    const all: Feedback[] = [
      { kind: 'delivered', at: sentAt },
      { kind: 'bounced', at: sentAt },
    ];
    for (const status of ['pending', 'skipped', 'cancelled', 'dead'] as const) {
      expect(withFeedback({ status, attempts: 1 }, all)).to.equal(undefined);
    }
  });
});
