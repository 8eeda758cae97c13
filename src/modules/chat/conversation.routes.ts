import { notFound } from '../../core/http/problem.js';
import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Actor, type Route, route, signedIn } from '../../core/http/route.js';
import { shape } from '../../core/http/schema.js';
import {
  conversationAnswer,
  conversationBody,
  conversationParams,
  conversationPatch,
  memberAnswer,
  memberParams,
  membersBody,
  muteBody,
  roleBody,
} from './chat.schemas.js';
import { type ConversationList } from './conversation.list.js';
import { mayLead, mayLeave, mayOwn } from './conversation.policy.js';
import { type ConversationService } from './conversation.service.js';
import { type Gate } from './gate.js';
import { type MemberService } from './member.service.js';

export interface ConversationRouteDeps {
  gate: Gate;
  conversations: ConversationService;
  list: ConversationList;
  members: MemberService;
}

const tag = 'conversations';
const OPENING = ['UNKNOWN_USERS', 'CANNOT_MESSAGE_YOURSELF', 'CANNOT_MESSAGE_USER', 'CANNOT_ADD_USERS'];
const HOUR_IN_SECONDS = 3_600;

export function conversationRoutes({ gate, conversations, list, members }: ConversationRouteDeps): Route[] {
  const entered = {
    tag,
    access: signedIn,
    load: ({ actor, params }: { actor: Actor; params: { id: string } }) => gate.enter(actor.id, params.id),
    missing: 'CONVERSATION_NOT_FOUND',
  } as const;
  const one = async (userId: string, conversationId: string) => {
    const found = await list.one(userId, conversationId);
    // Taken out of it, or blocked, at this very moment.
    if (!found) throw notFound('CONVERSATION_NOT_FOUND', 'There is no such conversation.');
    return found;
  };
  return [
    route({
      method: 'get',
      path: '/conversations',
      tag,
      summary: 'One’s conversations, those in which something was said last first',
      access: signedIn,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(conversationAnswer) },
      handle: ({ actor, query }) => list.page(actor.id, query),
    }),
    route({
      method: 'post',
      path: '/conversations',
      tag,
      summary: 'Opens a conversation',
      description:
        'With one other user and no title: the one conversation of the two, which may be there already. With a title ' +
        'or several others: a new group of which one is the owner.',
      access: signedIn,
      body: conversationBody,
      limits: [{ name: 'conversations', points: 60, seconds: HOUR_IN_SECONDS }],
      problems: [...OPENING, 'CONVERSATION_NOT_FOUND'],
      answer: { status: 201, body: conversationAnswer },
      handle: async ({ actor, body }) => one(actor.id, await conversations.open(actor.id, body.userIds, body.title)),
    }),
    route({
      ...entered,
      method: 'get',
      path: '/conversations/:id',
      summary: 'One conversation',
      params: conversationParams,
      answer: { status: 200, body: conversationAnswer },
      handle: ({ actor, params }) => one(actor.id, params.id),
    }),
    route({
      ...entered,
      method: 'patch',
      path: '/conversations/:id',
      summary: 'Gives a group another title',
      params: conversationParams,
      body: conversationPatch,
      policy: mayLead,
      problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN'],
      answer: { status: 200, body: conversationAnswer },
      async handle({ actor, params, body, resource }) {
        await conversations.rename(resource, body.title);
        return one(actor.id, params.id);
      },
    }),
    route({
      ...entered,
      method: 'put',
      path: '/conversations/:id/mute',
      summary: 'Hears nothing of a conversation for a while',
      description:
        'Its messages are told to one nowhere outside of it, and reactions to one’s own are listed as read. Who names ' +
        'one in a message is heard all the same: a group is muted for what everybody says to everybody. Whoever ' +
        'does it too often can be muted as a user.',
      params: conversationParams,
      body: muteBody,
      answer: { status: 200, body: conversationAnswer },
      async handle({ actor, params, body, resource }) {
        await conversations.mute(actor.id, resource, body.until);
        return one(actor.id, params.id);
      },
    }),
    route({
      ...entered,
      method: 'get',
      path: '/conversations/:id/members',
      summary: 'Who is in a conversation, and how far each has read',
      params: conversationParams,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(memberAnswer) },
      handle: ({ resource, query }) => list.members(resource, query),
    }),
    route({
      ...entered,
      method: 'post',
      path: '/conversations/:id/members',
      summary: 'Adds users to a group',
      description: 'They see what is said from then on. Who is in it already stays as they are.',
      params: conversationParams,
      body: membersBody,
      policy: mayLead,
      problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN', 'UNKNOWN_USERS', 'CANNOT_ADD_USERS', 'GROUP_FULL'],
      answer: { status: 200, body: conversationAnswer },
      async handle({ actor, params, body, resource }) {
        await members.add(actor.id, resource, body.userIds);
        return one(actor.id, params.id);
      },
    }),
    route({
      ...entered,
      method: 'patch',
      path: '/conversations/:id/members/:userId',
      summary: 'Gives a member another role',
      description: 'Whom the owner makes the owner gets the group; who was it is an admin then.',
      params: memberParams,
      body: roleBody,
      policy: mayOwn,
      problems: ['NOT_A_GROUP', 'NOT_THE_OWNER', 'MEMBER_NOT_FOUND', 'OWN_ROLE'],
      answer: { status: 204 },
      handle: ({ actor, params, body, resource }) => members.setRole(actor.id, resource, params.userId, body.role),
    }),
    route({
      ...entered,
      method: 'delete',
      path: '/conversations/:id/members/:userId',
      summary: 'Takes a member out of a group',
      params: memberParams,
      policy: mayLead,
      problems: ['NOT_A_GROUP', 'NOT_AN_ADMIN', 'MEMBER_NOT_FOUND', 'HIGHER_ROLE'],
      answer: { status: 204 },
      handle: ({ actor, params, resource }) => members.remove(actor.id, resource, params.userId),
    }),
    route({
      ...entered,
      method: 'post',
      path: '/conversations/:id/leave',
      summary: 'Leaves a group',
      description: 'An owner’s place falls to the admin, or else the member, who has been there longest.',
      params: conversationParams,
      policy: mayLeave,
      problems: ['NOT_A_GROUP'],
      answer: { status: 204 },
      handle: ({ actor, resource }) => members.leave(actor.id, resource),
    }),
  ];
}
