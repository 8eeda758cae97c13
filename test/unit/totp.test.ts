import { expect } from 'chai';
import { SECOND } from '../../src/core/clock.js';
import { hashRecoveryCode, newRecoveryCodes } from '../../src/modules/auth/recovery-codes.js';
import { newTotpSecret, totpStep, totpUri } from '../../src/modules/auth/totp.js';

/** "12345678901234567890" in base32, the key of RFC 6238's vectors. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (seconds: number) => new Date(seconds * SECOND);

describe('A time-based code', () => {
  // RFC 6238, appendix B, SHA-1: of its eight digits the last six are the code of six digits.
  const vectors: [seconds: number, code: string][] = [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ];
  for (const [seconds, code] of vectors) {
    it(`is that of the standard at ${seconds} s`, () => {
      expect(totpStep(SECRET, code.slice(2), at(seconds))).to.equal(Math.floor(seconds / 30));
    });
  }

  it('is good for its own step, the one before and the one after', () => {
    const steps = [0, 29, 30, 59, 60, 89, 90, 119].map((seconds) => totpStep(SECRET, '287082', at(seconds)));
    expect(steps).to.deep.equal([1, 1, 1, 1, 1, 1, undefined, undefined]);
    expect(totpStep(SECRET, '287083', at(59))).to.equal(undefined);
  });

  it('comes from a secret of 160 bits, which an app reads from a URI', () => {
    const secrets = Array.from({ length: 20 }, newTotpSecret);
    expect(new Set(secrets).size).to.equal(20);
    for (const secret of secrets) expect(secret).to.match(/^[A-Z2-7]{32}$/);
    const uri = new URL(totpUri(SECRET, 'layla+1@campus.test'));
    expect(uri.protocol + uri.host).to.equal('otpauth:totp');
    expect(decodeURIComponent(uri.pathname)).to.equal('/Atrium:layla+1@campus.test');
    expect(Object.fromEntries(uri.searchParams)).to.include({ secret: SECRET, issuer: 'Atrium' });
  });
});

describe('Recovery codes', () => {
  it('are ten, all different, with what is stored of each', () => {
    const made = [newRecoveryCodes('a'), newRecoveryCodes('a')];
    const codes = made.flatMap((each) => each.codes);
    expect(new Set(codes).size).to.equal(20);
    for (const code of codes) expect(code).to.match(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    expect(made.flatMap(({ hashes }) => hashes)).to.deep.equal(codes.map((code) => hashRecoveryCode('a', code)));
  });

  it('mean the same however they are copied, and something else for each user', () => {
    const hash = hashRecoveryCode('a', '01AB-CDEF-GHJK-MNPQ');
    for (const copied of ['01abcdefghjkmnpq', 'oiab cdef ghjk mnpq', 'OLAB-CDEF-GHJK-MNPQ']) {
      expect(hashRecoveryCode('a', copied)).to.equal(hash);
    }
    expect(hashRecoveryCode('b', '01AB-CDEF-GHJK-MNPQ')).not.to.equal(hash);
  });
});
