import { randomBytes } from 'node:crypto';
import { type Person } from '../support/campus.js';
import { JOINING_RIGHTS } from './joining-rights.js';

/** What stands in the paths. */
export interface Ids {
  postId: string;
  commentId: string;
  notificationId: string;
  batchId: string;
  /** Another person, to whom the owner has no tie. */
  userId: string;
  connectionId: string;
  sessionId: string;
  name: string;
  keyId: string;
  exportId: string;
  reportId: string;
  deadLetterId: string;
  suppressionId: string;
  announcementId: string;
  /** Of a conversation of the owner with the third person. */
  id: string;
  messageId: string;
  invitationId: string;
  /** Of no invitation. */
  token: string;
  provider: string;
}

/**
 * Someone with a post, a comment of a third person on it, a notification of that, a request for a connection from that
 * person, and a second session.
 */
export interface Scene {
  owner: Person;
  ids: Ids;
}

export interface Rights {
  /** Who may use the route at all: anyone, whoever is signed in, or the roles named. */
  access: 'anyone' | 'signed in' | string[];
  body?: (scene: Scene) => object;
  /** What the route cannot do without. */
  query?: string;
  /** What those are told who may use the route, where the scene has nothing it could be done with. */
  answer?: [status: number, code: string];
  /** What a stranger is told about what is the owner's; absent where nothing there belongs to anyone else. */
  stranger?: [status: number, code: string];
  /** Roles that may do to the owner's what a stranger may not. */
  unless?: string[];
}

const token = { token: 'rights:token' };
const endpoint = 'https://fcm.googleapis.com/fcm/send/rights';
const signedIn: Rights = { access: 'signed in' };
const notYours: Rights = { access: 'signed in', stranger: [404, 'NOTIFICATION_NOT_FOUND'] };
const notYourTie: Rights = { access: 'signed in', stranger: [404, 'CONNECTION_NOT_FOUND'] };
const notYourConversation: Rights = { access: 'signed in', stranger: [404, 'CONVERSATION_NOT_FOUND'] };
const notYourMessage: Rights = { access: 'signed in', stranger: [404, 'MESSAGE_NOT_FOUND'] };
// Of the scene nothing is a medium: that strangers are told the same of one that is there is shown by its own tests.
const notYourMedia: Rights = { access: 'signed in', answer: [404, 'MEDIA_NOT_FOUND'] };
const badMediaLink: Rights = { access: 'anyone', query: '?expires=1&signature=x', answer: [403, 'LINK_INVALID'] };
const anotherPerson: Rights = { access: 'signed in', body: ({ ids: { userId } }) => ({ userId }) };
const noForm: Rights = { access: 'signed in', answer: [400, 'BODY_REQUIRED'] };
const badLink = (body: object): Rights => ({
  access: 'anyone',
  body: () => ({ token: 'x', ...body }),
  answer: [400, 'ONE_TIME_TOKEN_INVALID'],
});
const withPassword = (body: object, answer: [number, string]): Rights => ({
  access: 'signed in',
  body: ({ owner: { password } }) => ({ password, ...body }),
  answer,
});
const noLetter: Rights = { access: ['admin'], answer: [404, 'DEAD_LETTER_NOT_FOUND'] };
const audience = { roles: ['recruiter'] };
const forModerators: Rights = { access: ['moderator', 'admin'], answer: [404, 'REPORT_NOT_FOUND'] };
const text = { access: 'signed in', body: () => ({ content: 'x' }) } as const;

export const RIGHTS: Record<string, Rights> = {
  'POST /auth/register': {
    access: 'anyone',
    body: () => ({
      name: 'New',
      email: `new-${randomBytes(4).toString('hex')}@campus.test`,
      password: 'a password of the tests',
      role: 'alumni',
    }),
  },
  'POST /auth/login': { access: 'anyone', body: ({ owner: { email, password } }) => ({ email, password }) },
  'POST /auth/refresh': { access: 'anyone', body: ({ owner: { refreshToken } }) => ({ refreshToken }) },
  'POST /auth/verify-email': badLink({}),
  'POST /auth/verify-email/resend': signedIn,
  'GET /auth/oauth': { access: 'anyone' },
  'GET /auth/oauth/{provider}/start': { access: 'anyone', answer: [404, 'OAUTH_PROVIDER_UNKNOWN'] },
  'GET /auth/oauth/{provider}/callback': { access: 'anyone', answer: [404, 'OAUTH_PROVIDER_UNKNOWN'] },
  'POST /auth/oauth/{provider}/callback': { access: 'anyone', answer: [404, 'OAUTH_PROVIDER_UNKNOWN'] },
  'GET /auth/identities': signedIn,
  'DELETE /auth/identities/{provider}': { access: 'signed in', answer: [404, 'IDENTITY_NOT_FOUND'] },
  'GET /auth/2fa': signedIn,
  'POST /auth/2fa/setup': signedIn,
  'POST /auth/2fa/enable': withPassword({ code: '000000' }, [400, 'CODE_INVALID']),
  'POST /auth/2fa/disable': withPassword({ code: '000000' }, [409, 'TWO_FACTOR_OFF']),
  'POST /auth/2fa/recovery-codes': withPassword({ code: '000000' }, [409, 'TWO_FACTOR_OFF']),
  'POST /auth/2fa/verify': {
    access: 'anyone',
    body: () => ({ challenge: 'x', code: '000000' }),
    answer: [401, 'CHALLENGE_INVALID'],
  },
  'POST /auth/codes': { access: 'signed in', body: () => ({ purpose: 'export' }) },
  'POST /auth/email/change': withPassword({ newEmail: 'new@campus.test', code: '000000' }, [400, 'CODE_INVALID']),
  'POST /auth/email/confirm': badLink({}),
  'PATCH /admin/users/{userId}': { access: ['admin'], body: () => ({ role: 'recruiter' }) },
  'POST /auth/password/forgot': { access: 'anyone', body: ({ owner: { email } }) => ({ email }) },
  'POST /auth/password/reset': badLink({ password: 'another one of the tests' }),
  'POST /auth/password/change': {
    access: 'signed in',
    body: ({ owner }) => ({ currentPassword: owner.password, newPassword: 'one more of the tests', code: '000000' }),
    answer: [400, 'CODE_INVALID'],
  },
  'GET /auth/sessions': signedIn,
  'DELETE /auth/sessions/{sessionId}': { access: 'signed in', stranger: [404, 'SESSION_NOT_FOUND'] },
  'POST /auth/logout': signedIn,
  'POST /auth/logout-all': signedIn,
  'GET /users': signedIn,
  'GET /users/me': signedIn,
  'GET /users/me/phone': signedIn,
  // Nothing sends SMS in that scene.
  'PUT /users/me/phone': {
    access: 'signed in',
    body: () => ({ phone: '+962791234567' }),
    answer: [409, 'SMS_NOT_CONFIGURED'],
  },
  'POST /users/me/phone/verify': {
    access: 'signed in',
    body: () => ({ code: '000000' }),
    answer: [400, 'CODE_INVALID'],
  },
  'DELETE /users/me/phone': signedIn,
  'PATCH /users/me': { access: 'signed in', body: () => ({ name: 'New' }) },
  'GET /profiles/{userId}': signedIn,
  'PATCH /profiles/me': { access: 'signed in', body: () => ({ location: 'Amman' }) },
  'PUT /profiles/me/placement': {
    access: 'signed in',
    body: () => ({ company: 'Aramex', position: 'Engineer', startDate: '2026-09-01' }),
  },
  'PUT /profiles/me/avatar': noForm,
  'PUT /profiles/me/banner': noForm,
  'DELETE /profiles/me/avatar': signedIn,
  'DELETE /profiles/me/banner': signedIn,
  'GET /pictures/{userId}/{name}': { access: 'anyone', answer: [404, 'PICTURE_NOT_FOUND'] },
  'POST /media/upload': noForm,
  'GET /media/{id}': notYourMedia,
  'DELETE /media/{id}': notYourMedia,
  'GET /media/{id}/file': badMediaLink,
  'GET /media/{id}/thumbnail': badMediaLink,
  'POST /posts': text,
  'GET /posts/{postId}': signedIn,
  'DELETE /posts/{postId}': {
    access: 'signed in',
    stranger: [403, 'NOT_YOUR_POST'],
    unless: ['moderator', 'admin'],
  },
  'GET /users/{userId}/posts': signedIn,
  'POST /posts/{postId}/react': { access: 'signed in', body: () => ({ type: 'LIKE' }) },
  'DELETE /posts/{postId}/react': signedIn,
  'GET /posts/{postId}/reactions': signedIn,
  'POST /posts/{postId}/comments': text,
  'GET /posts/{postId}/comments': signedIn,
  'DELETE /posts/{postId}/comments/{commentId}': {
    access: 'signed in',
    stranger: [403, 'NOT_YOUR_COMMENT'],
    unless: ['moderator', 'admin'],
  },
  'GET /notifications': signedIn,
  'GET /notifications/unread-count': signedIn,
  'GET /notifications/stream': signedIn,
  'PUT /notifications/read-all': signedIn,
  'PUT /notifications/{notificationId}/seen': notYours,
  'PUT /notifications/{notificationId}/read': notYours,
  'PUT /notifications/{notificationId}/archive': notYours,
  'DELETE /notifications/{notificationId}': notYours,
  'POST /notifications': {
    access: ['admin'],
    body: ({ ids }) => ({ userIds: [ids.userId], type: 'SYSTEM', title: 'T', body: 'B' }),
  },
  'GET /notifications/batches/{batchId}': { access: ['admin'] },
  'GET /notifications/stats': { access: ['admin'] },
  'POST /api-keys': { access: ['admin'], body: () => ({ name: 'Partner', scopes: ['notifications:write'] }) },
  'GET /api-keys': { access: ['admin'] },
  'DELETE /api-keys/{keyId}': { access: ['admin'], answer: [404, 'API_KEY_NOT_FOUND'] },
  'POST /users/me/export': { access: 'signed in', body: () => ({ code: '000000' }), answer: [400, 'CODE_INVALID'] },
  'GET /users/me/export': { access: 'signed in', answer: [404, 'EXPORT_NOT_FOUND'] },
  'GET /users/me/export/{exportId}/file': { access: 'signed in', answer: [404, 'EXPORT_NOT_FOUND'] },
  'DELETE /users/me': withPassword({ code: '000000' }, [400, 'CODE_INVALID']),
  'GET /audit': { access: ['admin'] },
  'GET /admin/dead-letters': { access: ['admin'] },
  'GET /admin/dead-letters/{deadLetterId}': noLetter,
  'POST /admin/dead-letters/requeue': { access: ['admin'], body: () => ({ channel: 'email' }) },
  'POST /admin/dead-letters/{deadLetterId}/requeue': noLetter,
  'POST /admin/dead-letters/{deadLetterId}/discard': noLetter,
  'GET /admin/suppressions': { access: ['admin'] },
  'POST /admin/suppressions': { access: ['admin'], body: () => ({ address: 'somebody@elsewhere.test' }) },
  'DELETE /admin/suppressions/{suppressionId}': { access: ['admin'], answer: [404, 'SUPPRESSION_NOT_FOUND'] },
  'POST /webhooks/mail': { access: ['admin'], answer: [400, 'BODY_REQUIRED'] },
  'GET /unsubscribe': { access: 'anyone', query: '?token=x', answer: [400, 'UNSUBSCRIBE_LINK_INVALID'] },
  'POST /unsubscribe': { access: 'anyone', query: '?token=x', answer: [400, 'BODY_REQUIRED'] },
  'POST /webhooks/deliveries': {
    access: ['admin'],
    body: ({ ids: { notificationId } }) => ({
      events: [{ id: '1', channel: 'email', event: 'delivered', at: '2026-11-21T00:00:00Z', notificationId }],
    }),
  },
  'POST /webhooks/twilio': { access: 'anyone', answer: [400, 'BODY_REQUIRED'] },
  'POST /webhooks/sendgrid': { access: 'anyone', answer: [400, 'BODY_REQUIRED'] },
  'POST /admin/announcements': {
    access: ['admin'],
    body: () => ({ title: { en: 'T' }, body: { en: 'B' }, audience }),
  },
  'POST /admin/announcements/preview': { access: ['admin'], body: () => ({ audience }) },
  'GET /admin/announcements': { access: ['admin'] },
  'GET /admin/announcements/{announcementId}': { access: ['admin'], answer: [404, 'ANNOUNCEMENT_NOT_FOUND'] },
  'POST /admin/announcements/{announcementId}/cancel': { access: ['admin'], answer: [404, 'ANNOUNCEMENT_NOT_FOUND'] },
  'GET /admin/templates': { access: ['admin'] },
  'GET /admin/templates/preview': { access: ['admin'], query: '?type=COMMENT&channel=email&locale=ar' },
  'GET /settings/privacy': signedIn,
  'PATCH /settings/privacy': { access: 'signed in', body: () => ({ showPhoto: false }) },
  'GET /settings/preferences': signedIn,
  'PATCH /settings/preferences': { access: 'signed in', body: () => ({ theme: 'DARK' }) },
  'POST /reports': { access: 'signed in', body: ({ ids: { userId } }) => ({ userId, category: 'SPAM' }) },
  'GET /reports': { access: ['moderator', 'admin'] },
  'PUT /reports/{reportId}/resolve': forModerators,
  'PUT /reports/{reportId}/dismiss': forModerators,
  'GET /settings/notifications': signedIn,
  'PATCH /settings/notifications': {
    access: 'signed in',
    body: () => ({ preferences: { social: { email: false } } }),
  },
  'GET /settings/notifications/mutes': signedIn,
  'POST /settings/notifications/mutes': {
    access: 'signed in',
    body: ({ ids: { postId } }) => ({ kind: 'post', id: postId }),
  },
  'DELETE /settings/notifications/mutes': {
    access: 'signed in',
    body: ({ ids: { postId } }) => ({ kind: 'post', id: postId }),
  },
  'POST /push/register': { access: 'signed in', body: () => ({ ...token, platform: 'IOS' }) },
  'DELETE /push/unregister': { access: 'signed in', body: () => token },
  'GET /push/vapid-key': signedIn,
  'POST /push/web': {
    access: 'signed in',
    body: () => ({ endpoint, keys: { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) } }),
  },
  'DELETE /push/web': { access: 'signed in', body: () => ({ endpoint }) },
  'GET /sync': signedIn,
  'GET /conversations': signedIn,
  'POST /conversations': { access: 'signed in', body: ({ ids: { userId } }) => ({ userIds: [userId] }) },
  'GET /conversations/{id}': notYourConversation,
  'PATCH /conversations/{id}': { ...notYourConversation, body: () => ({ title: 'New' }) },
  'PUT /conversations/{id}/mute': { ...notYourConversation, body: () => ({ until: null }) },
  'PUT /conversations/{id}/read': { ...notYourConversation, body: () => ({ seq: 1 }) },
  'GET /conversations/{id}/members': notYourConversation,
  'POST /conversations/{id}/members': {
    ...notYourConversation,
    body: ({ ids: { userId } }) => ({ userIds: [userId] }),
  },
  'PATCH /conversations/{id}/members/{userId}': {
    ...notYourConversation,
    body: () => ({ role: 'admin' }),
    answer: [404, 'MEMBER_NOT_FOUND'],
  },
  'DELETE /conversations/{id}/members/{userId}': { ...notYourConversation, answer: [404, 'MEMBER_NOT_FOUND'] },
  'POST /conversations/{id}/leave': notYourConversation,
  ...JOINING_RIGHTS,
  'GET /conversations/{id}/messages': notYourConversation,
  'POST /conversations/{id}/messages': { ...notYourConversation, body: () => ({ clientId: 'rights', body: 'x' }) },
  'PATCH /conversations/{id}/messages/{messageId}': { ...notYourMessage, body: () => ({ body: 'x' }) },
  'DELETE /conversations/{id}/messages/{messageId}': notYourMessage,
  'POST /conversations/{id}/messages/{messageId}/reactions': { ...notYourMessage, body: () => ({ emoji: '👍' }) },
  'DELETE /conversations/{id}/messages/{messageId}/reactions': notYourMessage,
  'GET /connections': signedIn,
  'GET /connections/requests': { access: 'signed in', query: '?direction=in' },
  'POST /connections': anotherPerson,
  'PUT /connections/{connectionId}/accept': notYourTie,
  'PUT /connections/{connectionId}/reject': notYourTie,
  // Another may reject a request; only the one who asked withdraws it.
  'DELETE /connections/{connectionId}': { ...notYourTie, answer: [403, 'NOT_YOUR_REQUEST'] },
  'POST /follow': anotherPerson,
  'DELETE /follow': anotherPerson,
  'GET /follow/followers': signedIn,
  'GET /follow/following': signedIn,
  'GET /connections/suggestions': signedIn,
  'POST /connections/suggestions/{userId}/dismiss': signedIn,
  'GET /calls': signedIn,
  'GET /calls/ice-servers': signedIn,
  'GET /users/blocked': signedIn,
  // Last of all: it hides the other person.
  'POST /users/{userId}/block': signedIn,
  'DELETE /users/{userId}/block': signedIn,
};

/** After it the owner is signed out. */
export const LAST = /^(POST \/auth\/logout|DELETE \/users\/me$)/;
