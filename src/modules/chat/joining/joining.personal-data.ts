import { ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { exportedList, type PersonalData } from '../../../core/personal-data.js';
import { type Invitation, invitationCollection } from './invitation.model.js';
import { type JoinRequest, joinRequestCollection } from './join-request.model.js';

/** The links that a user has made, which are the groups’ and stay, and the groups they have asked to be let into. */
export function joiningData({ database }: { database: Database }): PersonalData {
  const invitations = database.collection<Invitation>(invitationCollection.name);
  const requests = database.collection<JoinRequest>(joinRequestCollection.name);
  return {
    name: 'chat-joining',
    collections: [invitationCollection.name, joinRequestCollection.name],
    async *export(userId) {
      const own = new ObjectId(userId);
      yield* exportedList('invitations', invitations.find({ createdBy: own }), (each) => ({
        conversationId: each.conversationId.toHexString(),
        needsApproval: each.needsApproval,
        uses: each.uses,
        ...(each.maxUses !== undefined && { maxUses: each.maxUses }),
        createdAt: each.createdAt,
        expiresAt: each.expiresAt,
        ...(each.revokedAt && { revokedAt: each.revokedAt }),
      }));
      yield* exportedList('join-requests', requests.find({ userId: own }), (each) => ({
        conversationId: each.conversationId.toHexString(),
        ...(each.askedAt && { askedAt: each.askedAt }),
        ...(each.turnedAwayAt && { turnedAwayAt: each.turnedAwayAt }),
      }));
    },
    async erase(userId) {
      const own = new ObjectId(userId);
      await invitations.updateMany({ createdBy: own }, { $set: { createdBy: null } });
      await requests.deleteMany({ userId: own });
    },
  };
}
