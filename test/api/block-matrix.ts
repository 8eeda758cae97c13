import { type Person } from '../support/campus.js';

/** One of two people between whom there will be a block, and what is theirs. */
export interface Party {
  person: Person;
  postId: string;
  /** The conversation with the other one of the two. */
  direct?: string;
  /** Of who knows both: a group of the three. */
  group?: string;
}

/** What there is between the two before the block. */
export type Tie = 'connected' | 'requested' | 'strangers';

export interface Scene {
  parties: [blocker: Party, blocked: Party];
  /** Someone both know, on whose post both have commented and to which both have reacted. */
  neutral: Party;
}

export interface Part {
  tie: Tie;
  /** Where one finds the other before the block, in at least one of them; what is not the other's must stay there. */
  paths: (other: Party, neutral: Party) => string[];
}

/** Every route that shows users or what is theirs; a new one belongs here. */
export const TAKES_PART: Record<string, Part> = {
  'GET /users': { tie: 'connected', paths: ({ person }) => [`/users?q=${encodeURIComponent(person.name)}`, '/users'] },
  'GET /profiles/{userId}': { tie: 'connected', paths: ({ person }) => [`/profiles/${person.id}`] },
  'GET /users/{userId}/posts': { tie: 'connected', paths: ({ person }) => [`/users/${person.id}/posts`] },
  'GET /posts/{postId}': { tie: 'connected', paths: ({ postId }) => [`/posts/${postId}`] },
  'GET /posts/{postId}/comments': { tie: 'connected', paths: onPosts('comments') },
  'GET /posts/{postId}/reactions': { tie: 'connected', paths: onPosts('reactions') },
  'GET /connections': { tie: 'connected', paths: () => ['/connections'] },
  'GET /connections/requests': {
    tie: 'requested',
    paths: () => ['/connections/requests?direction=in', '/connections/requests?direction=out'],
  },
  'GET /calls': { tie: 'connected', paths: () => ['/calls'] },
  'GET /connections/suggestions': { tie: 'strangers', paths: () => ['/connections/suggestions'] },
  'GET /follow/followers': { tie: 'connected', paths: () => ['/follow/followers'] },
  'GET /follow/following': { tie: 'connected', paths: () => ['/follow/following'] },
  'GET /conversations': { tie: 'connected', paths: () => ['/conversations'] },
  'GET /conversations/{id}': { tie: 'connected', paths: ({ direct }) => [`/conversations/${direct}`] },
  'GET /conversations/{id}/members': {
    tie: 'connected',
    paths: ({ direct }, { group }) => [`/conversations/${group}/members`, `/conversations/${direct}/members`],
  },
  'GET /conversations/{id}/messages': {
    tie: 'connected',
    paths: ({ direct }, { group }) => [`/conversations/${group}/messages`, `/conversations/${direct}/messages`],
  },
  'GET /notifications': { tie: 'connected', paths: () => ['/notifications'] },
};

/** Every route that need not hide anybody, and why. */
export const EXEMPT: Record<string, string> = {
  'GET /users/me': 'one’s own account',
  'GET /sync': 'answers by position: the test of what was missed shows that the hidden are left out',
  'GET /conversations/{id}/invitations':
    'for leaders of a group: the test of invitations shows that makers are left out',
  'GET /conversations/{id}/requests': 'for leaders of a group: the test of requests shows that the hidden are left out',
  'GET /invitations/{token}':
    'names one who invites at most: the test of invitations shows that the hidden are left out',
  'GET /users/me/phone': 'one’s own number',
  'GET /auth/sessions': 'one’s own sessions',
  'GET /auth/2fa': 'one’s own second factor',
  'GET /auth/identities': 'one’s own accounts elsewhere',
  'GET /auth/oauth': 'shows nobody',
  'GET /auth/oauth/{provider}/start': 'leads elsewhere',
  'GET /auth/oauth/{provider}/callback': 'leads to one’s own account',
  'GET /users/me/export': 'one’s own data',
  'GET /users/me/export/{exportId}/file': 'one’s own data; of others it holds ids and names only',
  'GET /audit': 'for admins',
  'GET /api-keys': 'for admins; shows no user',
  'GET /settings/notifications': 'one’s own settings',
  'GET /settings/notifications/mutes': 'ids of one’s own choice; the test of mutes shows that the hidden are left out',
  'GET /settings/preferences': 'one’s own settings',
  'GET /settings/privacy': 'one’s own settings',
  'GET /notifications/stream': 'says what sockets are told, from the same words: those are tried below',
  'GET /notifications/unread-count': 'a number; that it falls is shown by the test of blocks',
  'GET /users/blocked': 'who has blocked somebody must find them again; the other finds nobody there (below)',
  'GET /pictures/{userId}/{name}': 'needs no token; the name is told only to those who may see the user',
  'GET /media/{id}': 'one’s own',
  'GET /media/{id}/file': 'needs no token; the link is made only for those who may see what it is attached to',
  'GET /media/{id}/thumbnail': 'needs no token; the link is made only for those who may see what it is attached to',
  'GET /push/vapid-key': 'shows nobody',
  'GET /calls/ice-servers': 'shows nobody',
  'GET /notifications/stats': 'numbers, for admins',
  'GET /notifications/batches/{batchId}': 'numbers, for admins',
  'GET /admin/dead-letters': 'for admins; ids only',
  'GET /admin/dead-letters/{deadLetterId}': 'for admins; ids only',
  'GET /admin/suppressions': 'for admins; addresses without mail',
  'GET /unsubscribe': 'shows nobody',
  'GET /admin/announcements': 'for admins; ids only',
  'GET /admin/announcements/{announcementId}': 'for admins; ids only',
  'GET /admin/templates': 'for admins; shows nobody',
  'GET /admin/templates/preview': 'for admins; shows made-up people',
  'GET /reports': 'nobody escapes the moderators by a block',
};

/** Every event that shows users or what is theirs; each is brought about below. */
export const SAID_OF_OTHERS = [
  '/feed receive post:watch',
  '/feed send post:counts',
  '/feed send comment:new',
  '/messages receive conversation:join',
  '/messages send message:new',
  '/messages send message:updated',
  '/messages send receipt',
  '/messages send typing',
  '/notifications receive notification:read',
  '/notifications send notification:new',
  '/notifications send notification:updated',
];

/** Every event that need not hide anybody, and why; those of all namespaces without the name of one. */
export const EXEMPT_EVENTS: Record<string, string> = {
  '/feed receive post:unwatch': 'ends something',
  ...Object.fromEntries(
    [
      ...['joinRoom', 'sendMessage', 'messageDelivered', 'messageRead'],
      ...['message:send', 'message:edit', 'message:delete', 'message:react', 'message:delivered', 'message:read'],
      'typing:start',
    ].map((name) => [`/messages receive ${name}`, 'goes through the same gate as conversation:join']),
  ),
  '/messages receive conversation:leave': 'ends something',
  '/messages receive typing:stop': 'ends something',
  '/messages send message:deleted': 'the id of a message that is gone',
  '/messages send conversation:updated': 'the id of one’s own conversation',
  ...Object.fromEntries(
    [
      ...['start', 'accept', 'resume', 'reject', 'end', 'signal'].map((event) => `/calls receive call:${event}`),
      ...['incoming', 'updated', 'signal'].map((event) => `/calls send call:${event}`),
    ].map((event) => [event, 'a block ends the call, and forbids the next: the test of whom one may call shows it']),
  ),
  '/notifications receive notification:read-all': 'touches one’s own only, and names none',
  '/notifications receive presence:foreground': 'about the connection',
  '/presence receive presence:set': 'says something of oneself',
  '/presence receive presence:subscribe':
    'says of them what is said of whoever was never here: the test of presence shows it',
  '/presence send presence': 'says of them what is said of whoever was never here: the test of presence shows it',
  '/notifications send notification:withdrawn': 'the id of one’s own, which is gone',
  '/notifications send unread-count': 'a number',
  '/notifications send announcement:progress': 'numbers, for admins',
  'receive session:renew': 'about the connection',
  'send session:expired': 'about the connection',
  'send resync': 'about the connection',
  'send server:closing': 'about the connection',
  'send problem': 'says what was wrong with what one has sent',
};

function onPosts(list: string): Part['paths'] {
  return (other, neutral) => [`/posts/${other.postId}/${list}`, `/posts/${neutral.postId}/${list}`];
}
