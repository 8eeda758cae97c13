import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** Where the numbers of a campus are. */
export interface NumberPlan {
  /** Whose numbers may be written as they are dialled at home; absent where each must begin with `+`. */
  country: string | undefined;
  /** The only ones that messages are sent to; all where there are none. */
  countries: readonly string[];
}

/** Others ring at a desk, or cost whoever writes to them. */
const TAKES_SMS: ReadonlySet<string | undefined> = new Set<string | undefined>(['MOBILE', 'FIXED_LINE_OR_MOBILE']);

/** Whether that is a country with numbers of its own, by its two letters. */
export function isCountry(code: string): code is CountryCode {
  return isSupportedCountry(code);
}

/** A mobile number in its international form (E.164), however it was written; `undefined` where it is none of the plan. */
export function readNumber(text: string, { country, countries }: NumberPlan): string | undefined {
  const home = country !== undefined && isCountry(country) ? country : undefined;
  const read = parsePhoneNumberFromString(text, home);
  if (!read?.isValid() || read.ext !== undefined || !TAKES_SMS.has(read.getType())) return undefined;
  const isAllowed = countries.length === 0 || (read.country !== undefined && countries.includes(read.country));
  return isAllowed ? read.number : undefined;
}
