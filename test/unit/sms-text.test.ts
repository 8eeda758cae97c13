import { expect } from 'chai';
import fc from 'fast-check';
import { fitSms, MOST_SEGMENTS, segmentsOf } from '../../src/modules/notifications/delivery/sms-text.js';

const LINK = 'https://campus.test/posts/ffffffffffffffffffffffff';

describe('The text of an SMS', () => {
  it('is one message of 160 plain characters or 70 others, and of parts where it is longer', () => {
    for (const [text, segments] of [
      ['', 1],
      ['a'.repeat(160), 1],
      ['a'.repeat(161), 2],
      ['€'.repeat(80), 1],
      ['€'.repeat(81), 2],
      ['م'.repeat(70), 1],
      ['م'.repeat(71), 2],
      ['م'.repeat(199), 4],
    ] as const) {
      expect(segmentsOf(text), text).to.equal(segments);
    }
  });

  it('is as it was where there is room for it, but for typography that would double the price', () => {
    const quoted = '\u2068Amal\u2069 commented on your post\n“It’s here…”';
    expect(fitSms(quoted, LINK)).to.equal(`Amal commented on your post\n"It's here..."\n${LINK}`);
    // Where it costs as much anyway, the name in another script stays set apart.
    const arabic = 'علّق \u2068Amal\u2069 على منشورك\n«مرحبا»';
    expect(fitSms(arabic, LINK)).to.equal(`${arabic}\n${LINK}`);
  });

  it('is cut to three messages at most, in whole characters, and keeps its end', () => {
    const words = fc.oneof(
      fc.string({ maxLength: 900, unit: 'grapheme' }),
      fc
        .array(fc.constantFrom('مرحبا ', 'word ', '👩‍👩‍👧‍👦', 'é', '€', '“'), { maxLength: 300 })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(words, (text) => {
        const fitted = fitSms(text, LINK);
        expect(segmentsOf(fitted)).to.be.at.most(MOST_SEGMENTS);
        expect(fitted.endsWith(`\n${LINK}`)).to.equal(true);
        // No half of a character that takes two units.
        expect(encodeURI(fitted)).to.be.a('string');
      }),
    );
    const family = '👩‍👩‍👧‍👦';
    const [first = ''] = fitSms(family.repeat(50), LINK).split('…');
    expect(first.replaceAll(family, '')).to.equal('');
    expect(first.length).to.be.above(100);
  });
});
