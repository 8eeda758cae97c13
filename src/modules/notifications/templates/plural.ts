import { type Locale } from '../../users/index.js';

/** The forms that each language has, `#` being the number; that of none only where there can be none. */
export interface Forms {
  en: Record<'one' | 'other', string>;
  ar: Record<Exclude<Intl.LDMLPluralRule, 'zero'>, string> & { zero?: string };
}

const RULES = { en: new Intl.PluralRules('en'), ar: new Intl.PluralRules('ar') };
const NUMBERS = { en: new Intl.NumberFormat('en'), ar: new Intl.NumberFormat('ar-EG') };

/** The form that goes with a number, with the number in it where the form names it. */
export function plural<L extends Locale>(locale: L, count: number, forms: Forms[L]): string {
  const form = (forms as Partial<Forms['ar']>)[RULES[locale].select(count)] ?? forms.other;
  return form.replace('#', NUMBERS[locale].format(count));
}
