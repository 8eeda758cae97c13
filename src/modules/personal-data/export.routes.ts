import { type Route, route, signedIn } from '../../core/http/route.js';
import { described, instant, named, objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { mailedCode } from '../auth/index.js';
import { type Export, EXPORT_STATUSES } from './export.model.js';
import { type ExportService } from './export.service.js';

const DAY_IN_SECONDS = 86_400;

const exportBody = named('NewExport', shape({ code: mailedCode }));

const exportAnswer = named(
  'Export',
  shape(
    { id: objectId(), status: oneOf(EXPORT_STATUSES), requestedAt: instant() },
    {
      readyAt: instant(),
      expiresAt: described(instant(), 'The file is gone then.'),
      size: described(whole({ min: 0 }), 'Bytes.'),
      downloadUrl: described(text(), 'For oneself, signed in.'),
    },
  ),
);

/** All that is kept of oneself, as a file. */
export function exportRoutes(exports: ExportService): Route[] {
  const tag = 'users';
  return [
    route({
      method: 'post',
      path: '/users/me/export',
      tag,
      summary: 'Asks for all that is kept of oneself',
      description:
        'Needs a code that was mailed for `export`. A notification tells when it can be downloaded. There is one at a time: while it is being made, asking again answers with the same.',
      access: signedIn,
      body: exportBody,
      limits: [{ name: 'exports', points: 10, seconds: DAY_IN_SECONDS }],
      idempotent: true,
      serialBy: ({ actor }) => `export ${actor.id}`,
      problems: ['CODE_INVALID'],
      answer: { status: 202, body: exportAnswer },
      handle: ({ actor, body }) => exports.request(actor.id, body.code),
      present,
    }),
    route({
      method: 'get',
      path: '/users/me/export',
      tag,
      summary: 'How far the export asked for last has come',
      access: signedIn,
      load: ({ actor }) => exports.latest(actor.id),
      missing: 'EXPORT_NOT_FOUND',
      answer: { status: 200, body: exportAnswer },
      handle: ({ resource }) => Promise.resolve(resource),
      present,
    }),
    route({
      method: 'get',
      path: '/users/me/export/:exportId/file',
      tag,
      summary: 'An export of one’s own: a zip of JSON files and pictures',
      access: signedIn,
      params: shape({ exportId: objectId() }),
      load: ({ actor, params }) => exports.file(actor.id, params.exportId),
      missing: 'EXPORT_NOT_FOUND',
      answer: { status: 200, contentType: 'application/zip' },
      handle: ({ resource, params, response }) => {
        response.set({
          'Cache-Control': 'private, no-store',
          'Content-Disposition': `attachment; filename="atrium-${params.exportId}.zip"`,
          'X-Content-Type-Options': 'nosniff',
        });
        return Promise.resolve(resource);
      },
    }),
  ];
}

function present({ _id, status, requestedAt, readyAt, expiresAt, size }: Export) {
  const id = _id.toHexString();
  return {
    id,
    status,
    requestedAt,
    ...(readyAt && { readyAt }),
    ...(expiresAt && { expiresAt }),
    ...(size !== undefined && { size }),
    ...(status === 'ready' && { downloadUrl: `/api/v1/users/me/export/${id}/file` }),
  };
}
