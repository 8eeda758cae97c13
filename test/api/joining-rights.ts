import { type Rights } from './rights.js';

const notYourConversation: Rights = { access: 'signed in', stranger: [404, 'CONVERSATION_NOT_FOUND'] };
const noLink: Rights = { access: 'signed in', answer: [404, 'INVITATION_NOT_FOUND'] };
const noRequest: Rights = { ...notYourConversation, answer: [404, 'REQUEST_NOT_FOUND'] };

/** Rights over how users come into a group by themselves. */
export const JOINING_RIGHTS: Record<string, Rights> = {
  'GET /conversations/{id}/invitations': notYourConversation,
  'POST /conversations/{id}/invitations': { ...notYourConversation, body: () => ({ maxUses: 1 }) },
  'DELETE /conversations/{id}/invitations/{invitationId}': {
    ...notYourConversation,
    answer: [404, 'INVITATION_NOT_FOUND'],
  },
  'GET /invitations/{token}': noLink,
  'POST /invitations/{token}/join': noLink,
  'GET /conversations/{id}/requests': notYourConversation,
  'PUT /conversations/{id}/requests/{userId}/accept': noRequest,
  'PUT /conversations/{id}/requests/{userId}/reject': noRequest,
  'DELETE /conversations/{id}/requests/{userId}': { access: 'signed in', answer: [404, 'REQUEST_NOT_FOUND'] },
};
