import { type NewSuppression } from '../suppressions/suppression.service.js';

/** There is no such number, or nothing that takes SMS: 21211, 21614, 30005, 30006. */
const NO_PHONE = new Set<number | undefined>([21211, 21614, 30005, 30006]);
/** Its owner has answered STOP. */
const UNSUBSCRIBED = 21610;

/**
 * Whether a number gets no SMS any more after this error of Twilio's, and why. A phone that is switched off (30003), a
 * carrier that takes one for spam (30007) or a country that the account may not write to (21408) say nothing of the
 * number.
 */
export function closureOf(code: number | undefined): Pick<NewSuppression, 'reason' | 'error'> | undefined {
  if (code === UNSUBSCRIBED) return { reason: 'stop', error: String(code) };
  return NO_PHONE.has(code) ? { reason: 'bounce', error: String(code) } : undefined;
}
