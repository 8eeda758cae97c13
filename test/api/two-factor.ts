import { expect } from 'chai';
import { generateSync } from 'otplib';
import { SECOND } from '../../src/core/clock.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, type Campus, type Person } from '../support/campus.js';

const STEP = 30 * SECOND;
let addresses = 0;

/** Failures count per network address, too: each request comes from one of its own. */
export const elsewhere = () => ({
  headers: { 'x-forwarded-for': `10.5.${Math.floor(++addresses / 250)}.${(addresses % 250) + 1}` },
});

/** An authenticator app with one account in it, and the recovery codes beside it. */
export class Authenticator {
  recoveryCodes: string[] = [];

  constructor(
    private readonly campus: Campus,
    readonly secret: string,
  ) {}

  /** Turns two-factor sign-in on for someone. */
  static async enabledFor(campus: Campus, person: Person): Promise<Authenticator> {
    const { body } = await person.post('/auth/2fa/setup');
    const app = new Authenticator(campus, body.secret as string);
    const enabled = await person.post('/auth/2fa/enable', { password: person.password, code: app.now() }, elsewhere());
    expect(enabled.status, JSON.stringify(enabled.body)).to.equal(200);
    app.recoveryCodes = enabled.body.recoveryCodes;
    return app;
  }

  /** What the app shows, or would show that many steps later. */
  now(stepsLater = 0): string {
    return generateSync({
      secret: this.secret,
      epoch: Math.floor((this.campus.clock.now().getTime() + stepsLater * STEP) / SECOND),
    });
  }

  /** Lets time pass until the app shows another code, and has just begun to: it stays so for the requests to come. */
  next(): string {
    const intoStep = this.campus.clock.now().getTime() % STEP;
    this.campus.clock.advance(STEP - intoStep + SECOND);
    return this.now();
  }
}

/** Signs in with the password alone. */
export function logIn(api: Api, { email, password }: Person): Promise<Answer<Json>> {
  return api.request('POST', '/auth/login', { email, password }, elsewhere());
}

/** The challenge that signing in with the password gives. */
export async function challengeFor(api: Api, person: Person): Promise<string> {
  const { status, body } = await logIn(api, person);
  expect(status, JSON.stringify(body)).to.equal(200);
  return body.challenge as string;
}

/** Answers a challenge. */
export function verify(api: Api, body: object, choices = elsewhere()): Promise<Answer<Json>> {
  return api.request('POST', '/auth/2fa/verify', body, choices);
}
