import { type Document, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { type Actor } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { type Connections, type Visibility } from '../../core/visibility.js';
import { fold } from './fold.js';
import { type User } from './user.model.js';
import { SUMMARY_FIELDS, type Summarised } from './user.presenter.js';
import { type directoryQuery } from './user.schemas.js';

/** After every character that a name can have. */
const LAST_CHARACTER = '\u{10ffff}';

/** Someone whom the directory has found. */
export interface Listed {
  user: Summarised;
  /** Whether the viewer may view the profile. */
  isOpen: boolean;
}

type Found = Summarised & Pick<User, 'profileAudience'>;

/** Finds users by what their profiles say. */
export class Directory {
  constructor(
    private readonly deps: {
      database: Database;
      pager: Pager;
      visibility: Pick<Visibility, 'hiddenFrom'>;
      connections: Connections;
    },
  ) {}

  /**
   * Those who fit all filters, in the order of their names. By what a profile says only those find its owner who may
   * view it; admins may view all.
   */
  async list(viewer: Actor, { limit, cursor, ...filters }: Infer<typeof directoryQuery>): Promise<Page<Listed>> {
    const { database, pager, visibility, connections } = this.deps;
    const seesAll = viewer.role === 'admin';
    const [hidden, connected] = await Promise.all([
      visibility.hiddenFrom(viewer.id),
      seesAll ? [] : connections.connectedWith(viewer.id),
    ]);
    const friends = new Set(connected);
    const { data, nextCursor } = await pager.page<Found & Document>({
      collection: database.collection('users'),
      filter: {
        ...filterOf(filters),
        deletion: null,
        ...(!seesAll && asksForFacts(filters) && openTo(viewer.id, connected)),
        ...(hidden.size > 0 && { _id: { $nin: [...hidden].map((id) => new ObjectId(id)) } }),
      },
      projection: { ...SUMMARY_FIELDS, profileAudience: 1, 'keys.name': 1 },
      sort: [
        ['keys.name', 1],
        ['_id', 1],
      ],
      scope: `users ${JSON.stringify(Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1)))}`,
      limit,
      cursor,
    });
    const isOpen = ({ _id, profileAudience }: Found): boolean => {
      const id = _id.toHexString();
      if (seesAll || profileAudience == null || id === viewer.id) return true;
      return profileAudience === 'connections' && friends.has(id);
    };
    return { data: data.map((user) => ({ user, isOpen: isOpen(user) })), nextCursor };
  }
}

/** Whether something is asked for that stands in profiles: name and role everyone may see. */
function asksForFacts({ q: _q, role: _role, ...facts }: Filters): boolean {
  return Object.keys(facts).length > 0;
}

/** Whose profile a viewer may view. It has no index of its own: what is asked for beside it has. */
function openTo(viewerId: string, connected: string[]): Document {
  return {
    $or: [
      { profileAudience: null },
      { profileAudience: 'connections', _id: { $in: connected.map((id) => new ObjectId(id)) } },
      { _id: new ObjectId(viewerId) },
    ],
  };
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
