import { pageOf, pageQuery } from '../../../core/http/paging.js';
import { type Route, roles, route } from '../../../core/http/route.js';
import { described, instant, named, objectId, oneOf, shape, text, whole } from '../../../core/http/schema.js';
import { NOTIFICATION_TYPE_NAMES, OUTSIDE_CHANNELS } from '../notification.types.js';
import { type DeadLetter } from './dead-letter.model.js';
import { type DeadLetterService } from './dead-letter.service.js';

const deadLetterAnswer = named(
  'DeadLetter',
  shape(
    {
      id: objectId(),
      notificationId: objectId(),
      userId: described(objectId(), 'The recipient.'),
      channel: oneOf(OUTSIDE_CHANNELS),
      type: oneOf(NOTIFICATION_TYPE_NAMES),
      error: described(text(), 'The last error’s code, as in `SMTP_550`.'),
      attempts: whole({ min: 0 }),
      diedAt: instant(),
    },
    { detail: described(text(), 'What the provider said, in its own words.') },
  ),
);

const filters = {
  channel: oneOf(OUTSIDE_CHANNELS),
  type: oneOf(NOTIFICATION_TYPE_NAMES),
  error: described(text({ max: 200, multiline: false }), 'A code, as in `SMTP_550`.'),
};

const requeuedAnswer = named(
  'RequeuedDeadLetters',
  shape({
    requeued: whole({ min: 0 }),
    remaining: described(whole({ min: 0 }), 'How many that fit are still there: ask again for them.'),
  }),
);

const tag = 'dead letters';
const access = roles('admin');
const params = shape({ deadLetterId: objectId() });
const problems = ['DEAD_LETTER_NOT_FOUND'];

/** Deliveries that were given up. */
export function deadLetterRoutes(letters: DeadLetterService): Route[] {
  return [
    route({
      method: 'get',
      path: '/admin/dead-letters',
      tag,
      summary: 'Deliveries that were given up, newest first',
      access,
      query: shape(pageQuery, filters),
      answer: { status: 200, body: pageOf(deadLetterAnswer) },
      handle: ({ query }) => letters.list(query),
      present: ({ data, nextCursor }) => ({ data: data.map(present), nextCursor }),
    }),
    route({
      method: 'get',
      path: '/admin/dead-letters/:deadLetterId',
      tag,
      summary: 'A delivery that was given up, and why',
      access,
      params,
      load: ({ params: { deadLetterId } }) => letters.find(deadLetterId),
      missing: 'DEAD_LETTER_NOT_FOUND',
      answer: { status: 200, body: deadLetterAnswer },
      handle: ({ resource }) => Promise.resolve(resource),
      present,
    }),
    route({
      method: 'post',
      path: '/admin/dead-letters/requeue',
      tag,
      summary: 'Has the oldest that fit tried again, up to 500 at once',
      access,
      body: named('DeadLetterFilter', shape({}, filters)),
      idempotent: true,
      answer: { status: 200, body: requeuedAnswer },
      handle: ({ actor, body }) => letters.requeueAll(actor.id, body),
    }),
    route({
      method: 'post',
      path: '/admin/dead-letters/:deadLetterId/requeue',
      tag,
      summary: 'Has one tried again, with all its attempts before it',
      access,
      params,
      problems,
      answer: { status: 204 },
      handle: ({ actor, params: { deadLetterId } }) => letters.requeue(actor.id, deadLetterId),
    }),
    route({
      method: 'post',
      path: '/admin/dead-letters/:deadLetterId/discard',
      tag,
      summary: 'Takes one off the list; its delivery stays given up',
      access,
      params,
      problems,
      answer: { status: 204 },
      handle: ({ actor, params: { deadLetterId } }) => letters.discard(actor.id, deadLetterId),
    }),
  ];
}

function present({ _id, notificationId, userId, channel, type, error, detail, attempts, diedAt }: DeadLetter) {
  return {
    id: _id.toHexString(),
    notificationId: notificationId.toHexString(),
    userId: userId.toHexString(),
    channel,
    type,
    error,
    ...(detail !== undefined && { detail }),
    attempts,
    diedAt,
  };
}
