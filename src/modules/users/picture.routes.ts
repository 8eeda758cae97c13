import { type Route, anyone, route, signedIn } from '../../core/http/route.js';
import { matching, objectId, shape } from '../../core/http/schema.js';
import { FORM, readUpload, uploads } from '../../core/http/upload.js';
import { PICTURES, type PictureKind } from './picture.js';
import { type PictureService } from './picture.service.js';
import { presentUser } from './user.presenter.js';
import { userAnswer } from './user.schemas.js';

const YEAR_IN_SECONDS = 31_536_000;
const pictureName = matching(/^(avatar|banner)-[0-9a-f]{32}-[0-9a-f]{8}\.webp$/, {
  max: 60,
  message: 'must be the name of a picture',
});

export function pictureRoutes(pictures: PictureService): Route[] {
  const kinds = Object.keys(PICTURES) as PictureKind[];
  return [...kinds.flatMap((kind) => changing(kind, pictures)), reading(pictures)];
}

function changing(kind: PictureKind, pictures: PictureService): Route[] {
  const { maxBytes, width, height } = PICTURES[kind];
  const path = `/profiles/me/${kind}`;
  return [
    route({
      method: 'put',
      path,
      tag: 'users',
      summary: `Sets one’s ${kind}`,
      description: `A JPEG, PNG or WebP image of at most ${maxBytes / 1_048_576} MB; it is cut to ${width} × ${height}.`,
      access: signedIn,
      upload: [FORM],
      limits: [uploads],
      problems: ['FILE_REQUIRED', 'FILE_TOO_LARGE', 'UNSUPPORTED_IMAGE', 'IMAGE_UNREADABLE', 'MALFORMED_FORM'],
      answer: { status: 200, body: userAnswer },
      handle: async ({ actor, request, response }) =>
        pictures.set(actor.id, kind, await readUpload(request, response, maxBytes)),
      present: (user, { actor }) => presentUser(user, actor),
    }),
    route({
      method: 'delete',
      path,
      tag: 'users',
      summary: `Takes one’s ${kind} away`,
      access: signedIn,
      answer: { status: 200, body: userAnswer },
      handle: ({ actor }) => pictures.remove(actor.id, kind),
      present: (user, { actor }) => presentUser(user, actor),
    }),
  ];
}

function reading(pictures: PictureService): Route {
  return route({
    method: 'get',
    path: '/pictures/:userId/:name',
    tag: 'users',
    summary: 'A picture of a profile',
    description: 'Under this name it never changes. It needs no token, so that pages can show it.',
    access: anyone,
    params: shape({ userId: objectId(), name: pictureName }),
    load: ({ params }) => pictures.read(params.userId, params.name),
    missing: 'PICTURE_NOT_FOUND',
    answer: { status: 200, contentType: 'image/webp' },
    handle: ({ resource, response }) => {
      response.set({
        'Cache-Control': `public, max-age=${YEAR_IN_SECONDS}, immutable`,
        // Pages of other origins show it, too.
        'Cross-Origin-Resource-Policy': 'cross-origin',
        'X-Content-Type-Options': 'nosniff',
      });
      response.removeHeader('Vary');
      return Promise.resolve(resource);
    },
  });
}
