import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Route, roles, route, signedIn } from '../../core/http/route.js';
import { oneOf, shape, withDefault } from '../../core/http/schema.js';
import { type MessageEvidence, type Testimony } from '../chat/index.js';
import { type UserService, type UserSummary } from '../users/index.js';
import { type Report, REPORT_STATUSES } from './report.model.js';
import { reportAnswer, reportBody, reportCaseAnswer, reportParams } from './report.schemas.js';
import { type ReportService } from './report.service.js';
import { type FindTarget } from './report.targets.js';

export interface ReportRouteDeps {
  reports: ReportService;
  findTarget: FindTarget;
  users: UserService;
  messages: Pick<MessageEvidence, 'of'>;
}

const tag = 'reports';
const moderators = roles('moderator', 'admin');

export function reportRoutes({ reports, findTarget, users, messages }: ReportRouteDeps): Route[] {
  const presentAll = async (found: Report[]) => {
    const ids = found.flatMap(({ reporterId, userId, handledBy = userId }) => [reporterId, userId, handledBy]);
    const messageIds = found.flatMap(({ target: { kind, id } }) => (kind === 'message' ? [id] : []));
    const [people, testimonies] = await Promise.all([
      users.summaries(ids.map((id) => id.toHexString())),
      messages.of(messageIds),
    ]);
    return found.map((report) => presentCase(report, people, testimonies.get(report.target.id.toHexString())));
  };
  const presentOne = async (report: Report) => {
    const [presented] = await presentAll([report]);
    if (!presented) throw new Error('one report makes one answer');
    return presented;
  };
  const endings = [
    ['resolve', 'resolved', 'Closes a report that was right'],
    ['dismiss', 'dismissed', 'Closes a report that calls for nothing'],
  ] as const;
  return [
    route({
      method: 'post',
      path: '/reports',
      tag,
      summary: 'Reports a user, post, comment or message to the moderators',
      access: signedIn,
      body: reportBody,
      limits: [{ name: 'reports', points: 10, seconds: 86_400 }],
      idempotent: true,
      load: ({ actor, body }) => findTarget(actor.id, body),
      missing: 'TARGET_NOT_FOUND',
      problems: ['CANNOT_REPORT_YOURSELF', 'ALREADY_REPORTED'],
      answer: { status: 201, body: reportAnswer },
      handle: ({ actor, resource, body }) => reports.create(actor.id, resource, body),
      present: presentReport,
    }),
    route({
      method: 'get',
      path: '/reports',
      tag,
      summary: 'Reports to deal with, newest first, and those dealt with',
      description:
        'Nobody is shown what is reported of themselves. Of a reported message they read what it says and what it said.',
      access: moderators,
      query: shape({ ...pageQuery, status: withDefault(oneOf(REPORT_STATUSES), 'open') }),
      answer: { status: 200, body: pageOf(reportCaseAnswer) },
      handle: ({ actor, query }) => reports.list(actor.id, query),
      present: async ({ data, nextCursor }) => ({ data: await presentAll(data), nextCursor }),
    }),
    ...endings.map(([word, status, summary]) =>
      route({
        method: 'put',
        path: `/reports/:reportId/${word}`,
        tag,
        summary,
        access: moderators,
        params: reportParams,
        load: ({ actor, params }) => reports.find(actor.id, params.reportId),
        missing: 'REPORT_NOT_FOUND',
        problems: ['REPORT_NOT_OPEN'],
        answer: { status: 200, body: reportCaseAnswer },
        handle: ({ actor, resource }) => reports.close(actor.id, resource, status),
        present: presentOne,
      }),
    ),
  ];
}

function presentReport({
  _id,
  target: { kind, id, postId, conversationId },
  category,
  details,
  status,
  createdAt,
}: Report) {
  return {
    id: _id.toHexString(),
    target: {
      kind,
      id: id.toHexString(),
      ...(postId && { postId: postId.toHexString() }),
      ...(conversationId && { conversationId: conversationId.toHexString() }),
    },
    category,
    ...(details !== undefined && { details }),
    status,
    createdAt,
  };
}

function presentCase(report: Report, people: Map<string, UserSummary>, testimony: Testimony | undefined) {
  const { reporterId, userId, handledBy, handledAt } = report;
  const personOf = (id: string): UserSummary => people.get(id) ?? { id, name: 'Deleted user', role: 'student' };
  return {
    ...presentReport(report),
    reporter: personOf(reporterId.toHexString()),
    user: personOf(userId.toHexString()),
    ...(testimony && { message: presentTestimony(testimony) }),
    ...(handledBy && { handledBy: personOf(handledBy.toHexString()) }),
    ...(handledAt && { handledAt }),
  };
}

function presentTestimony({ message, edits }: Testimony) {
  const { createdAt, editedAt, deletedAt } = message;
  return {
    ...wordsOf(message),
    createdAt,
    edits: edits.map(({ at, ...said }) => ({ ...wordsOf(said), at })),
    ...(editedAt && { editedAt }),
    ...(deletedAt && { deletedAt }),
  };
}

function wordsOf({ body, attachments }: Pick<Testimony['message'], 'body' | 'attachments'>) {
  const shown = attachments?.map(({ type, name, altText }) => ({
    type,
    ...(name !== undefined && { name }),
    ...(altText !== undefined && { altText }),
  }));
  return { body, ...(shown && { attachments: shown }) };
}
