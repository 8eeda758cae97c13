import { type UserSummary } from '../../users/index.js';
import { type Invitation } from './invitation.model.js';
import { type JoinRequest } from './join-request.model.js';
import { type Previewed } from './joining.service.js';

type People = ReadonlyMap<string, UserSummary>;

/** A link as the leaders of its group see it, without its secret. */
export function presentInvitation(invitation: Invitation, people: People) {
  const { _id, conversationId, createdBy, needsApproval, uses, maxUses, createdAt, expiresAt, revokedAt } = invitation;
  return {
    id: _id.toHexString(),
    conversationId: conversationId.toHexString(),
    createdBy: people.get(createdBy?.toHexString() ?? '') ?? null,
    needsApproval,
    uses,
    createdAt,
    expiresAt,
    ...(maxUses !== undefined && { maxUses }),
    ...(revokedAt && { revokedAt }),
  };
}

/** What whoever follows a link is told of the group: nothing of who is in it but the one who invites. */
export function presentPreview({ invitation, conversation, standing }: Previewed, people: People) {
  const { createdBy, needsApproval, expiresAt } = invitation;
  const { _id, title, memberCount } = conversation;
  return {
    conversationId: _id.toHexString(),
    memberCount,
    invitedBy: people.get(createdBy?.toHexString() ?? '') ?? null,
    needsApproval,
    expiresAt,
    standing,
    ...(title !== undefined && { title }),
  };
}

/** Someone who waits to be let in. */
export function presentJoinRequest({ userId, askedAt }: JoinRequest, people: People) {
  if (!askedAt) throw new Error('who does not wait is no request');
  const id = userId.toHexString();
  return { userId: id, user: people.get(id) ?? null, askedAt };
}
