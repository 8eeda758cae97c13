import { IANAZone } from 'luxon';
import { described, named, oneOf, type Schema, shape, text } from '../../core/http/schema.js';
import { FEED_SORTS, LOCALES, THEMES } from './user.model.js';

/** A name of the time zone database; `+03:00` is an offset, which does not know of summer time. */
function timeZone(): Schema<string> {
  const schema = text({ max: 64, multiline: false }).custom((value: string, helpers) =>
    /^[A-Z]/i.test(value) && IANAZone.isValidZone(value)
      ? value
      : helpers.message({ custom: 'must be a time zone such as Asia/Amman' }),
  );
  return described(schema, 'An IANA time zone.');
}

const preferences = { theme: oneOf(THEMES), feedSort: oneOf(FEED_SORTS), locale: oneOf(LOCALES), timeZone: timeZone() };

export const preferencesAnswer = named('Preferences', shape(preferences));

/** What is named changes and nothing else. */
export const preferencesPatch = named('PreferencesPatch', shape({}, preferences));
