import { pageOf, pageQuery } from '../../../core/http/paging.js';
import { type Actor, type Route, route, signedIn } from '../../../core/http/route.js';
import { shape } from '../../../core/http/schema.js';
import { type Visibility } from '../../../core/visibility.js';
import { type UserService, type UserSummary } from '../../users/index.js';
import { conversationParams, memberParams } from '../chat.schemas.js';
import { type ConversationList } from '../conversation.list.js';
import { mayLead } from '../conversation.policy.js';
import { type Gate } from '../gate.js';
import { type Invitation } from './invitation.model.js';
import { type InvitationService } from './invitation.service.js';
import { type JoinRequests } from './join-requests.js';
import { presentInvitation, presentJoinRequest, presentPreview } from './joining.presenter.js';
import {
  invitationAnswer,
  invitationBody,
  invitationParams,
  joinedAnswer,
  joinRequestAnswer,
  newInvitationAnswer,
  previewAnswer,
  tokenParams,
} from './joining.schemas.js';
import { type Joining } from './joining.service.js';

export interface JoiningRouteDeps {
  gate: Gate;
  list: ConversationList;
  invitations: InvitationService;
  requests: JoinRequests;
  joining: Joining;
  users: Pick<UserService, 'summaries'>;
  visibility: Pick<Visibility, 'hiddenFrom'>;
}

const HOUR_IN_SECONDS = 3_600;
const ENDED = ['INVITATION_REVOKED', 'INVITATION_EXPIRED', 'INVITATION_USED_UP'] as const;

export function joiningRoutes(deps: JoiningRouteDeps): Route[] {
  return [...invitationRoutes(deps), ...linkRoutes(deps), ...requestRoutes(deps)];
}

/** What only the leaders of a group may do. */
function led(gate: Gate) {
  return {
    tag: 'conversations',
    access: signedIn,
    load: ({ actor, params }: { actor: Actor; params: { id: string } }) => gate.enter(actor.id, params.id),
    missing: 'CONVERSATION_NOT_FOUND',
    policy: mayLead,
  } as const;
}

/** Who has made these links, as far as they may appear to the one who asks. */
function makersOf({ users, visibility }: Pick<JoiningRouteDeps, 'users' | 'visibility'>) {
  return async (userId: string, invitations: Invitation[]): Promise<Map<string, UserSummary>> => {
    const hidden = await visibility.hiddenFrom(userId);
    const ids = invitations.flatMap(({ createdBy }) => createdBy?.toHexString() ?? []);
    return users.summaries(ids.filter((id) => !hidden.has(id)));
  };
}

function invitationRoutes({ gate, invitations, users, visibility }: JoiningRouteDeps): Route[] {
  const makers = makersOf({ users, visibility });
  return [
    route({
      ...led(gate),
      method: 'post',
      path: '/conversations/:id/invitations',
      summary: 'Makes a link by which users come into a group',
      description:
        'It ends at a time, after so many uses, or when it is revoked. Who was rejected or taken out of the group has to ' +
        'be let in by an admin, whatever the link says.',
      params: conversationParams,
      body: invitationBody,
      limits: [{ name: 'invitations', points: 30, seconds: HOUR_IN_SECONDS }],
      idempotent: true,
      problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN', 'INVALID_EXPIRY'],
      answer: { status: 201, body: newInvitationAnswer },
      handle: ({ actor, params, body }) => invitations.create(actor.id, params.id, body),
      present: async ({ invitation, token }, { actor }) => ({
        ...presentInvitation(invitation, await makers(actor.id, [invitation])),
        token,
      }),
    }),
    route({
      ...led(gate),
      method: 'get',
      path: '/conversations/:id/invitations',
      summary: 'The links into a group, the newest first',
      description: 'Those that have ended are among them for thirty days.',
      params: conversationParams,
      query: shape(pageQuery),
      problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN'],
      answer: { status: 200, body: pageOf(invitationAnswer) },
      handle: ({ params, query }) => invitations.list(params.id, query),
      async present({ data, nextCursor }, { actor }) {
        const people = await makers(actor.id, data);
        return { data: data.map((invitation) => presentInvitation(invitation, people)), nextCursor };
      },
    }),
    route({
      ...led(gate),
      method: 'delete',
      path: '/conversations/:id/invitations/:invitationId',
      summary: 'Revokes a link',
      params: invitationParams,
      problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN', 'INVITATION_NOT_FOUND'],
      answer: { status: 204 },
      handle: ({ actor, params }) => invitations.revoke(actor.id, params.id, params.invitationId),
    }),
  ];
}

function linkRoutes({ joining, list, users, visibility }: JoiningRouteDeps): Route[] {
  const makers = makersOf({ users, visibility });
  const followed = {
    tag: 'conversations',
    access: signedIn,
    params: tokenParams,
    load: ({ actor, params }: { actor: Actor; params: { token: string } }) => joining.find(actor.id, params.token),
    missing: 'INVITATION_NOT_FOUND',
  } as const;
  return [
    route({
      ...followed,
      method: 'get',
      path: '/invitations/:token',
      summary: 'To what a link leads',
      problems: ENDED,
      answer: { status: 200, body: previewAnswer },
      handle: ({ actor, resource }) => joining.preview(actor.id, resource),
      present: async (previewed, { actor }) =>
        presentPreview(previewed, await makers(actor.id, [previewed.invitation])),
    }),
    route({
      ...followed,
      method: 'post',
      path: '/invitations/:token/join',
      summary: 'Follows a link into its group, or asks to be let in',
      description:
        'Again it changes nothing: who is in the group is in it, and who waits goes on waiting. The conversation is ' +
        'answered to those who are in it.',
      limits: [{ name: 'joins', points: 30, seconds: HOUR_IN_SECONDS }],
      serialBy: ({ resource }) => `join ${resource.conversationId.toHexString()}`,
      problems: ['GROUP_FULL', ...ENDED],
      answer: { status: 200, body: joinedAnswer },
      async handle({ actor, resource }) {
        const standing = await joining.join(actor.id, resource);
        const conversationId = resource.conversationId.toHexString();
        const conversation = standing === 'member' ? await list.one(actor.id, conversationId) : undefined;
        return { conversationId, standing, ...(conversation && { conversation }) };
      },
    }),
  ];
}

function requestRoutes({ gate, requests, joining, users }: JoiningRouteDeps): Route[] {
  const decisions = [
    ['accept', 'Lets someone in who has asked to join a group', ['GROUP_FULL']],
    ['reject', 'Turns away someone who has asked to join a group', []],
  ] as const;
  return [
    route({
      ...led(gate),
      method: 'get',
      path: '/conversations/:id/requests',
      summary: 'Who waits to be let into a group, the longest first',
      params: conversationParams,
      query: shape(pageQuery),
      problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN'],
      answer: { status: 200, body: pageOf(joinRequestAnswer) },
      handle: ({ params, query, resource }) => requests.waiting(params.id, resource.hidden, query),
      async present({ data, nextCursor }) {
        const people = await users.summaries(data.map(({ userId }) => userId.toHexString()));
        return { data: data.map((request) => presentJoinRequest(request, people)), nextCursor };
      },
    }),
    ...decisions.map(([decide, summary, problems]) =>
      route({
        ...led(gate),
        method: 'put',
        path: `/conversations/:id/requests/:userId/${decide}`,
        summary,
        params: memberParams,
        serialBy: ({ params }) => `join ${params.id}`,
        problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN', 'REQUEST_NOT_FOUND', ...problems],
        answer: { status: 204 },
        handle: ({ actor, params, resource }) => joining[decide](actor.id, resource, params.userId),
      }),
    ),
    route({
      method: 'delete',
      path: '/conversations/:id/requests/:userId',
      tag: 'conversations',
      summary: 'Takes one’s own request back',
      access: signedIn,
      params: memberParams,
      // Nobody else’s: of those a stranger must not even know.
      load: ({ actor, params }) => Promise.resolve(params.userId === actor.id ? params : undefined),
      missing: 'REQUEST_NOT_FOUND',
      answer: { status: 204 },
      handle: ({ actor, params }) => joining.withdraw(actor.id, params.id),
    }),
  ];
}
