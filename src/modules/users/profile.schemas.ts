import {
  described,
  flag,
  type Infer,
  list,
  named,
  nullable,
  type Schema,
  shape,
  text,
  whole,
} from '../../core/http/schema.js';
import { parseInstant } from '../../core/http/values.js';
import { fold } from './fold.js';

const MOST_SKILLS = 50;
const MOST_ENTRIES = 30;
const MOST_LINKS = 10;
const MAX_URL = 2_048;

const line = (max: number): Schema<string> => text({ max, multiline: false });

const DAY_OR_MONTH = /^\d{4}-\d\d(-\d\d)?$/;

/** A calendar date as people know it: `2024-09` or `2024-09-01`, without a time zone. */
export function calendarDate(): Schema<string> {
  const schema = text({ max: 10 }).custom((value: string, helpers) => {
    const day = value.length === 7 ? `${value}-01` : value;
    const isDate = DAY_OR_MONTH.test(value) && parseInstant(`${day}T00:00:00Z`) !== undefined;
    return isDate ? value : helpers.message({ custom: 'must be a date: YYYY-MM or YYYY-MM-DD' });
  });
  return described(schema, 'A calendar date, YYYY-MM or YYYY-MM-DD.');
}

/** Refuses what ends before it begins; a month covers any of its days. */
function inOrder<T extends { startDate: string; endDate?: string | undefined }>(schema: Schema<T>): Schema<T> {
  return schema.custom((value: T, helpers) => {
    const { startDate, endDate = startDate } = value;
    const length = Math.min(startDate.length, endDate.length);
    return endDate.slice(0, length) < startDate.slice(0, length)
      ? helpers.message({ custom: 'must not end before it starts' })
      : value;
  });
}

function httpsUrl(): Schema<string> {
  return line(MAX_URL).custom((value: string, helpers) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '';
    return isPlain ? url.href : helpers.message({ custom: 'must be an https URL without a password' });
  });
}

function uniqueFolded(schema: Schema<string[]>): Schema<string[]> {
  return schema.custom((values: string[], helpers) =>
    new Set(values.map(fold)).size === values.length
      ? values
      : helpers.message({ custom: 'must not name anything twice' }),
  );
}

export const about = shape({}, { en: text({ max: 2_600 }), ar: text({ max: 2_600 }) });

const experience = named(
  'Experience',
  inOrder(
    shape(
      { company: line(120), position: line(120), startDate: calendarDate() },
      { endDate: calendarDate(), location: line(120), description: text({ max: 2_000 }) },
    ),
  ),
);

const education = named(
  'Education',
  inOrder(
    shape(
      { school: line(160), startDate: calendarDate() },
      { endDate: calendarDate(), degree: line(120), field: line(120), description: text({ max: 2_000 }) },
    ),
  ),
);

const lists = {
  skills: uniqueFolded(list(line(60), { max: MOST_SKILLS })),
  experience: list(experience, { max: MOST_ENTRIES }),
  education: list(education, { max: MOST_ENTRIES }),
  links: list(httpsUrl(), { max: MOST_LINKS, unique: true }),
};

/** Where a student or graduate has found a position. */
export const placementBody = named(
  'Placement',
  shape({ company: line(120), position: line(120), startDate: calendarDate() }),
);

/** What a profile can say beside what every account has. */
export const profileFields = {
  headline: text({ max: 220 }),
  about,
  location: text({ max: 120 }),
  ...lists,
  openToWork: flag(),
  campus: line(120),
  department: line(120),
  graduationYear: whole({ min: 1900, max: 2100 }),
  placement: placementBody,
};

export const profileShape = shape({}, profileFields);
export type Profile = Infer<typeof profileShape>;

/** What is named changes and nothing else; null takes a text or number away. */
export const profilePatch = named(
  'ProfilePatch',
  shape(
    {},
    {
      headline: nullable(profileFields.headline),
      about,
      location: nullable(profileFields.location),
      ...lists,
      openToWork: profileFields.openToWork,
      campus: nullable(profileFields.campus),
      department: nullable(profileFields.department),
      graduationYear: nullable(profileFields.graduationYear),
    },
  ),
);
