import { pageOf, pageQuery } from '../../../core/http/paging.js';
import { type Route, roles, route } from '../../../core/http/route.js';
import { described, email, instant, named, objectId, oneOf, shape, text } from '../../../core/http/schema.js';
import { type Suppression, SUPPRESSION_REASONS, SUPPRESSION_SOURCES } from './suppression.model.js';
import { type SuppressionService } from './suppression.service.js';

const suppressionAnswer = named(
  'Suppression',
  shape(
    {
      id: objectId(),
      reason: oneOf(SUPPRESSION_REASONS),
      source: described(oneOf(SUPPRESSION_SOURCES), 'Who said so.'),
      createdAt: instant(),
    },
    {
      address: described(
        text(),
        'Until its owner is erased; the address stays suppressed then, and `?address=` finds it.',
      ),
      userId: described(objectId(), 'Whose address it was then, if anyone’s.'),
      error: described(text(), 'What the mail was refused with, as in `5.1.1`.'),
    },
  ),
);

const tag = 'suppressions';
const access = roles('admin');

/** Addresses that get no mail, and numbers that get no SMS. */
export function suppressionRoutes(suppressions: SuppressionService): Route[] {
  return [
    route({
      method: 'get',
      path: '/admin/suppressions',
      tag,
      summary: 'Addresses that get no mail and numbers that get no SMS, newest first',
      description:
        'With `bounce` and `manual` an address gets nothing at all. With `complaint` and `unsubscribe` it still gets ' +
        'what concerns the security of its owner’s account, or nobody who once called a mail spam could set a new ' +
        'password. `stop` is for numbers whose owner has answered STOP; the carrier holds back what is sent there all ' +
        'the same until they send START. An address or number may be here once for each reason.',
      access,
      query: shape(pageQuery, { address: email(), reason: oneOf(SUPPRESSION_REASONS) }),
      answer: { status: 200, body: pageOf(suppressionAnswer) },
      handle: ({ query }) => suppressions.list(query),
      present: ({ data, nextCursor }) => ({ data: data.map(present), nextCursor }),
    }),
    route({
      method: 'post',
      path: '/admin/suppressions',
      tag,
      summary: 'Has an address get no mail, whether it is a user’s or not',
      access,
      body: named('NewSuppression', shape({ address: email() })),
      idempotent: true,
      answer: { status: 201, body: suppressionAnswer },
      handle: ({ actor, body }) => suppressions.suppress(actor.id, body.address),
      present,
    }),
    route({
      method: 'delete',
      path: '/admin/suppressions/:suppressionId',
      tag,
      summary: 'Takes a suppression back; one for another reason stays',
      access,
      params: shape({ suppressionId: objectId() }),
      problems: ['SUPPRESSION_NOT_FOUND'],
      answer: { status: 204 },
      handle: ({ actor, params }) => suppressions.lift(actor.id, params.suppressionId),
    }),
  ];
}

function present({ _id, address, userId, reason, source, error, createdAt }: Suppression) {
  return {
    id: _id.toHexString(),
    ...(address !== undefined && { address }),
    ...(userId && { userId: userId.toHexString() }),
    reason,
    source,
    ...(error !== undefined && { error }),
    createdAt,
  };
}
