import { pageOf, pageQuery } from '../../../core/http/paging.js';
import { type Route, roles, route } from '../../../core/http/route.js';
import { objectId, shape } from '../../../core/http/schema.js';
import { presentAnnouncement } from './announcement.presenter.js';
import {
  announcementAnswer,
  announcementBody,
  announcementFilter,
  audiencePreview,
  audiencePreviewAnswer,
} from './announcement.schemas.js';
import { type AnnouncementService } from './announcement.service.js';

const tag = 'announcements';
const access = roles('admin');
const params = shape({ announcementId: objectId() });

/** What admins tell many at once. */
export function announcementRoutes(announcements: AnnouncementService): Route[] {
  return [
    route({
      method: 'post',
      path: '/admin/announcements',
      tag,
      summary: 'Tells something to an audience, now or later',
      description:
        'The audience is that of the moment when sending begins: who joins later does not get it. Each recipient gets ' +
        'it in their language, or in the other one where it is not there.',
      access,
      body: announcementBody,
      idempotent: true,
      problems: ['EXPIRES_TOO_EARLY'],
      answer: { status: 202, body: announcementAnswer },
      handle: ({ actor, body }) => announcements.schedule(actor, body),
      present: presentAnnouncement,
    }),
    route({
      method: 'post',
      path: '/admin/announcements/preview',
      tag,
      summary: 'How many an audience has, and some of them',
      access,
      body: audiencePreview,
      answer: { status: 200, body: audiencePreviewAnswer },
      handle: ({ body }) => announcements.preview(body.audience),
    }),
    route({
      method: 'get',
      path: '/admin/announcements',
      tag,
      summary: 'Announcements and how far they have come, newest first',
      access,
      query: shape(pageQuery, announcementFilter),
      answer: { status: 200, body: pageOf(announcementAnswer) },
      handle: ({ query }) => announcements.list(query),
      present: ({ data, nextCursor }) => ({ data: data.map(presentAnnouncement), nextCursor }),
    }),
    route({
      method: 'get',
      path: '/admin/announcements/:announcementId',
      tag,
      summary: 'An announcement and how far it has come',
      description: 'Admins hear of its progress live: `announcement:progress` on `/notifications`.',
      access,
      params,
      load: ({ params: { announcementId } }) => announcements.find(announcementId),
      missing: 'ANNOUNCEMENT_NOT_FOUND',
      answer: { status: 200, body: announcementAnswer },
      handle: ({ resource }) => Promise.resolve(resource),
      present: presentAnnouncement,
    }),
    route({
      method: 'post',
      path: '/admin/announcements/:announcementId/cancel',
      tag,
      summary: 'Stops an announcement: nobody else gets it, and what waits to be sent is not sent',
      description: 'Whoever has it in the app keeps it. What a provider is being handed at that moment still goes out.',
      access,
      params,
      problems: ['ANNOUNCEMENT_NOT_FOUND', 'ANNOUNCEMENT_EXPIRED'],
      answer: { status: 200, body: announcementAnswer },
      handle: ({ actor, params: { announcementId } }) => announcements.cancel(actor.id, announcementId),
      present: presentAnnouncement,
    }),
  ];
}
