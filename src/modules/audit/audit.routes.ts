import { type Filter, ObjectId } from 'mongodb';
import { type Page, pageOf, pageQuery } from '../../core/http/paging.js';
import { type Route, roles, route } from '../../core/http/route.js';
import { described, type Infer, instant, list, named, objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { type ModuleContext } from '../../core/module.js';
import { type AuditOrigin, auditCollection, auditOriginCollection, type AuditRow } from './audit.model.js';
import { AUDITED } from './audited.js';

const ACTIONS = AUDITED.map(({ type }) => type);

const auditAnswer = named(
  'AuditRow',
  shape(
    {
      id: objectId(),
      action: oneOf(ACTIONS),
      entity: shape({ kind: text(), id: text() }),
      at: instant(),
    },
    {
      actorId: described(objectId(), 'Whoever did it; absent where nobody was signed in.'),
      targetId: described(objectId(), 'Whose account it concerns; absent where there is no such account.'),
      changed: described(list(text()), 'Names of fields.'),
      reason: text(),
      requestId: text(),
      origin: described(shape({ ip: text() }, { userAgent: text({ min: 0 }) }), 'Until whoever it tells of is erased.'),
    },
  ),
);

const filters = {
  actorId: objectId(),
  targetId: objectId(),
  action: oneOf(ACTIONS),
  since: instant(),
  until: described(instant(), 'Before then.'),
};
const auditQuery = shape(pageQuery, filters);

/** Reading is all that can be done with the audit. */
export function auditRoutes({ database, pager }: ModuleContext): Route[] {
  const rows = database.collection<AuditRow>(auditCollection.name);
  const origins = database.collection<AuditOrigin>(auditOriginCollection.name);
  return [
    route({
      method: 'get',
      path: '/audit',
      tag: 'audit',
      summary: 'What was done to accounts that matters to their security, newest first',
      access: roles('admin'),
      query: auditQuery,
      answer: { status: 200, body: pageOf(auditAnswer) },
      handle: ({ query: { limit, cursor, ...wanted } }) =>
        pager.page<AuditRow>({
          collection: rows,
          filter: filterOf(wanted),
          sort: [
            ['at', -1],
            ['_id', -1],
          ],
          scope: `audit ${JSON.stringify(filterOf(wanted))}`,
          limit,
          cursor,
        }),
      async present({ data, nextCursor }: Page<AuditRow>) {
        const found = await origins.find({ _id: { $in: data.map(({ _id }) => _id) } }).toArray();
        const byRow = new Map(found.map((origin) => [origin._id.toHexString(), origin]));
        return { data: data.map((row) => present(row, byRow.get(row._id.toHexString()))), nextCursor };
      },
    }),
  ];
}

type Wanted = Omit<Infer<typeof auditQuery>, 'limit' | 'cursor'>;

function filterOf({ actorId, targetId, action, since, until }: Wanted): Filter<AuditRow> {
  return {
    ...(actorId !== undefined && { actorId: new ObjectId(actorId) }),
    ...(targetId !== undefined && { targetId: new ObjectId(targetId) }),
    ...(action !== undefined && { action }),
    ...((since ?? until) && { at: { ...(since && { $gte: since }), ...(until && { $lt: until }) } }),
  };
}

function present(row: AuditRow, origin: AuditOrigin | undefined) {
  const { _id, action, actorId, targetId, entity, changed, reason, at, requestId } = row;
  return {
    id: _id.toHexString(),
    action,
    entity: { kind: entity.kind, id: entity.id },
    at,
    ...(actorId && { actorId: actorId.toHexString() }),
    ...(targetId && { targetId: targetId.toHexString() }),
    ...(changed && { changed }),
    ...(reason !== undefined && { reason }),
    ...(requestId !== undefined && { requestId }),
    ...(origin && {
      origin: { ip: origin.ip, ...(origin.userAgent !== undefined && { userAgent: origin.userAgent }) },
    }),
  };
}
