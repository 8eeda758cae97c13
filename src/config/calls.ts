import Joi from 'joi';
import { type IceSettings } from '../modules/calls/index.js';
import { commaSeparated, setting, type ValueOf } from './setting.js';

/** Enough that nobody finds it by trying: whoever knows it can use the relays. */
const LEAST_SECRET = 16;

function urls(pattern: RegExp, example: string) {
  return commaSeparated.custom((value: string[], helpers) =>
    value.every((one) => pattern.test(one))
      ? value
      : helpers.message({ custom: `{{#label}} must be as in ${example}` }),
  );
}

/** What calls need where devices do not find a way to each other by themselves. */
export const callSettings = {
  stunUrls: setting(
    'STUN_URLS',
    urls(/^stuns?:[^\s,?]+$/, 'stun:stun.example.org:3478').default([]),
    'STUN servers for calls, by which devices find out how they are seen from outside, separated by commas.',
    'none',
  ),
  turnUrls: setting(
    'TURN_URLS',
    urls(/^turns?:[^\s,?]+(\?transport=(udp|tcp))?$/, 'turn:turn.example.org:3478?transport=udp').default([]),
    'Relays for calls between devices that do not reach each other, separated by commas; they need `TURN_SECRET`.',
    'none',
  ),
  turnSecret: setting(
    'TURN_SECRET',
    Joi.string().min(LEAST_SECRET).optional() as Joi.Schema<string | undefined>,
    'What the relays know users of this server by: `static-auth-secret` in coturn’s configuration, beside `use-auth-secret`.',
    'none',
  ),
} as const;

type CallConfig = { readonly [K in keyof typeof callSettings]: ValueOf<(typeof callSettings)[K]> };

export function iceSettings({ stunUrls, turnUrls, turnSecret }: CallConfig): IceSettings {
  return { stunUrls, turnUrls, turnSecret };
}

/** @param config without what could not be used */
export function callContradictions({ turnUrls = [], turnSecret }: Partial<CallConfig>): string[] {
  return turnUrls.length > 0 === (turnSecret !== undefined) ? [] : ['TURN_URLS and TURN_SECRET go together'];
}
