import { email as emailSchema, type Infer, type Schema } from '../../../core/http/schema.js';
import { type Profile } from './provider.js';

const LONGEST_NAME = 80;
const LONGEST_SUBJECT = 255;

/** What a provider says, unchecked. */
export interface Statement {
  subject: unknown;
  email?: unknown;
  emailVerified: boolean;
  name?: unknown;
  locale?: unknown;
}

/**
 * Makes what a provider says fit to be stored and shown.
 * @throws Error where it does not say who it is
 */
export function profileOf({ subject, email, emailVerified, name, locale }: Statement): Profile {
  if (typeof subject !== 'string' || subject === '' || subject.length > LONGEST_SUBJECT) {
    throw new Error('the provider does not say who it is');
  }
  const [address, shown] = [addressOf(email), nameOf(name)];
  return {
    subject,
    ...(address !== undefined && { email: address }),
    emailVerified: address !== undefined && emailVerified,
    ...(shown !== undefined && { name: shown }),
    locale: typeof locale === 'string' && /^ar\b/i.test(locale) ? 'ar' : 'en',
  };
}

/**
 * Holds what a provider answers against what it should.
 * @throws Error where it does not fit
 */
export function expectShape<S extends Schema>(schema: S, given: unknown): Infer<S> {
  const { value, error } = schema.validate(given, { convert: false }) as { value: Infer<S>; error?: Error };
  // Without the details, which quote people's data.
  if (error) throw new Error('the provider answers something else than it should');
  return value;
}

/** An address as those of our own accounts are written; what is none counts as absent. */
function addressOf(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const { value, error } = emailSchema().validate(given) as { value: string; error?: Error };
  return error ? undefined : value;
}

/** On one line, and no longer than ours may be; our own rules for names would refuse what people cannot change here. */
function nameOf(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const line = given
    .replace(/[\p{Cc}\p{Surrogate}\s]+/gu, ' ')
    .normalize('NFC')
    .trim();
  const name = Array.from(line).slice(0, LONGEST_NAME).join('').trim();
  return name === '' ? undefined : name;
}
