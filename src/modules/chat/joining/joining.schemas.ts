import {
  described,
  flag,
  instant,
  matching,
  named,
  nullable,
  objectId,
  oneOf,
  shape,
  text,
  whole,
  withDefault,
} from '../../../core/http/schema.js';
import { userSummary } from '../../users/index.js';
import { conversationAnswer } from '../chat.schemas.js';
import { MOST_MEMBERS } from '../conversation.model.js';
import { STANDINGS } from './joining.service.js';

const TOKEN_CHARACTERS = 43;
/** The secret of a link. */
const token = matching(/^[\w-]{43}$/, { max: TOKEN_CHARACTERS, message: 'must be the token of an invitation' });

export const tokenParams = shape({ token });
export const invitationParams = shape({ id: objectId(), invitationId: objectId() });

const maxUses = whole({ min: 1, max: MOST_MEMBERS });
const needsApproval = described(flag(), 'Whether those who follow it ask to be let in, instead of being in at once.');

export const invitationBody = named(
  'NewInvitation',
  shape(
    { needsApproval: withDefault(needsApproval, false) },
    { expiresAt: described(instant(), 'Within a year; in seven days unless told.'), maxUses },
  ),
);

const invitation = {
  id: objectId(),
  conversationId: objectId(),
  createdBy: nullable(userSummary),
  needsApproval,
  uses: described(whole({ min: 0 }), 'How many have come in, or asked to, by it.'),
  createdAt: instant(),
  expiresAt: instant(),
};
const perhapsSet = { maxUses, revokedAt: instant() };
export const invitationAnswer = named('Invitation', shape(invitation, perhapsSet));
export const newInvitationAnswer = named(
  'IssuedInvitation',
  shape(
    { ...invitation, token: described(text(), 'What a link is made of. It is said this once and never again.') },
    perhapsSet,
  ),
);

export const previewAnswer = named(
  'InvitationPreview',
  shape(
    {
      conversationId: objectId(),
      memberCount: whole({ min: 0 }),
      invitedBy: nullable(userSummary),
      needsApproval,
      expiresAt: instant(),
      standing: described(oneOf(STANDINGS), 'How one stands to the group oneself.'),
    },
    { title: text() },
  ),
);

export const joinedAnswer = named(
  'Joined',
  shape(
    { conversationId: objectId(), standing: oneOf(['requested', 'member'] as const) },
    { conversation: conversationAnswer },
  ),
);

export const joinRequestAnswer = named(
  'JoinRequest',
  shape({ userId: objectId(), user: nullable(userSummary), askedAt: instant() }),
);
