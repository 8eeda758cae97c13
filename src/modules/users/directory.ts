import { type Document, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { type Infer } from '../../core/http/schema.js';
import { type Visibility } from '../../core/visibility.js';
import { fold } from './fold.js';
import { SUMMARY_FIELDS, type Summarised } from './user.presenter.js';
import { type directoryQuery } from './user.schemas.js';

/** After every character that a name can have. */
const LAST_CHARACTER = '\u{10ffff}';

/** Finds users by what their profiles say. */
export class Directory {
  constructor(
    private readonly deps: { database: Database; pager: Pager; visibility: Pick<Visibility, 'hiddenFrom'> },
  ) {}

  /** Those who fit all filters, in the order of their names. */
  async list(viewerId: string, { limit, cursor, ...filters }: Infer<typeof directoryQuery>): Promise<Page<Summarised>> {
    const { database, pager, visibility } = this.deps;
    const hidden = await visibility.hiddenFrom(viewerId);
    return pager.page<Summarised & Document>({
      collection: database.collection('users'),
      filter: {
        ...filterOf(filters),
        deletion: null,
        ...(hidden.size > 0 && { _id: { $nin: [...hidden].map((id) => new ObjectId(id)) } }),
      },
      projection: { ...SUMMARY_FIELDS, 'keys.name': 1 },
      sort: [
        ['keys.name', 1],
        ['_id', 1],
      ],
      scope: `users ${JSON.stringify(Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1)))}`,
      limit,
      cursor,
    });
  }
}

type Filters = Omit<Infer<typeof directoryQuery>, 'limit' | 'cursor'>;

function filterOf({ q, role, campus, department, graduationYear, company, skill }: Filters): Document {
  return {
    ...(q !== undefined && { 'keys.name': { $gte: fold(q), $lt: `${fold(q)}${LAST_CHARACTER}` } }),
    ...(role !== undefined && { role }),
    ...(campus !== undefined && { 'keys.campus': fold(campus) }),
    ...(department !== undefined && { 'keys.department': fold(department) }),
    ...(graduationYear !== undefined && { graduationYear }),
    ...(company !== undefined && { 'keys.companies': fold(company) }),
    ...(skill !== undefined && { 'keys.skills': fold(skill) }),
  };
}
