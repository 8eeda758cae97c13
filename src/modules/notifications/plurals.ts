import { type Locale } from '../users/index.js';

/** What is said of how many, `#` being the number; Arabic has a form of its own for two, for few and for many. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

const PLURALS: Record<Locale, Intl.PluralRules> = { en: new Intl.PluralRules('en'), ar: new Intl.PluralRules('ar') };
/** Western digits in both languages, as in whatever else is said beside them. */
const NUMBERS = new Intl.NumberFormat('en');

/** The form that fits the number, with the number in it. */
export function counted(locale: Locale, forms: Forms, count: number): string {
  return (forms[PLURALS[locale].select(count)] ?? forms.other).replace('#', NUMBERS.format(count));
}
