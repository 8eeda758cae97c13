import { anyone, type Route, route, signedIn } from '../../core/http/route.js';
import { FORM, readForm, uploads } from '../../core/http/upload.js';
import { type MediaLinks } from './media.links.js';
import { type Media, MEDIA_FILES, type MediaFile } from './media.model.js';
import { MOST_BYTES } from './media.preparation.js';
import { presentMedia } from './media.presenter.js';
import { linkQuery, mediaAnswer, mediaFields, mediaParams } from './media.schemas.js';
import { type MediaService } from './media.service.js';

export interface MediaRouteDeps {
  media: MediaService;
  links: MediaLinks;
}

const tag = 'media';
const missing = 'MEDIA_NOT_FOUND';

export function mediaRoutes({ media, links }: MediaRouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/media/upload',
      tag,
      summary: 'Uploads an image or a document',
      description:
        'A JPEG, PNG, WebP or GIF image of at most 10 MB, of which a WebP is kept that fits into 1,200 × 1,200 (of an ' +
        'animation its first image), or a PDF, DOCX or PPTX of at most 25 MB. What nothing refers to is removed after ' +
        '24 hours.',
      access: signedIn,
      upload: [FORM],
      uploadFields: mediaFields,
      limits: [uploads],
      problems: [
        ...['FILE_REQUIRED', 'FILE_TOO_LARGE', 'MALFORMED_FORM', 'UNSUPPORTED_IMAGE', 'IMAGE_UNREADABLE'],
        ...['UNSUPPORTED_DOCUMENT', 'DOCUMENT_UNREADABLE'],
      ],
      answer: { status: 201, body: mediaAnswer },
      async handle({ actor, request, response }) {
        const maxBytes = Math.max(...Object.values(MOST_BYTES));
        const { file, name, fields } = await readForm(request, response, { maxBytes, fields: mediaFields });
        return media.upload(actor.id, { file, name, ...fields });
      },
      present: (uploaded) => presentMedia(uploaded, links),
    }),
    route({
      method: 'get',
      path: '/media/:id',
      tag,
      summary: 'What one has uploaded, with new links to it',
      access: signedIn,
      params: mediaParams,
      load: ({ actor, params }) => media.find(actor.id, params.id),
      missing,
      answer: { status: 200, body: mediaAnswer },
      handle: ({ resource }) => Promise.resolve(resource),
      present: (found) => presentMedia(found, links),
    }),
    route({
      method: 'delete',
      path: '/media/:id',
      tag,
      summary: 'Removes what one has uploaded, unless it is attached to something',
      access: signedIn,
      params: mediaParams,
      problems: [missing, 'MEDIA_IN_USE'],
      answer: { status: 204 },
      handle: ({ actor, params }) => media.remove(actor.id, params.id),
    }),
    ...MEDIA_FILES.map((file) => following(file, { media, links })),
  ];
}

const SUMMARIES: Readonly<Record<MediaFile, string>> = {
  file: 'The file that a link leads to',
  thumbnail: 'The small image that a link leads to',
};

function following(file: MediaFile, { media, links }: MediaRouteDeps): Route {
  return route({
    method: 'get',
    path: `/media/:id/${file}`,
    tag,
    summary: SUMMARIES[file],
    description: 'The signature in the link says that whoever has it may see this, for 15 minutes. It needs no token.',
    access: anyone,
    params: mediaParams,
    query: linkQuery,
    async load({ params: { id }, query }) {
      const secondsLeft = links.check({ mediaId: id, file, ...query });
      const found = await media.read(id, file);
      return found && { ...found, secondsLeft };
    },
    missing,
    problems: ['LINK_INVALID', 'LINK_EXPIRED'],
    answer: { status: 200, contentType: 'application/octet-stream', description: 'In its own content type.' },
    handle({ resource: { media: found, content, secondsLeft }, response }) {
      response.attachment(nameOf(found)).type(found.contentType);
      if (found.type === 'IMAGE') response.set('Content-Disposition', 'inline');
      response.set({
        'Cache-Control': `private, max-age=${secondsLeft}`,
        // Whatever it may be, it must not be taken for a page of ours.
        'Content-Security-Policy': "default-src 'none'; sandbox",
        'X-Content-Type-Options': 'nosniff',
        // Pages of other origins show it, too.
        'Cross-Origin-Resource-Policy': 'cross-origin',
        'Referrer-Policy': 'no-referrer',
        // Nothing but the link decides what is sent.
        Vary: 'Origin',
      });
      return Promise.resolve(content);
    },
  });
}

function nameOf({ name }: Media): string {
  return name ?? 'image.webp';
}
