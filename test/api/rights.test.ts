import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectProblem, NOBODY, registerAs } from './helpers.js';

/** What stands in the paths. */
interface Ids {
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
}

/**
 * Someone with a post, a comment of a third person on it, a notification of that, a request for a connection from that
 * person, and a second session.
 */
interface Scene {
  owner: Person;
  ids: Ids;
}

interface Rights {
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
const forModerators: Rights = { access: ['moderator', 'admin'], answer: [404, 'REPORT_NOT_FOUND'] };
const text = { access: 'signed in', body: () => ({ content: 'x' }) } as const;

const RIGHTS: Record<string, Rights> = {
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
  'GET /auth/2fa': signedIn,
  'POST /auth/2fa/setup': signedIn,
  'POST /auth/2fa/enable': withPassword({ code: '000000' }, [400, 'CODE_INVALID']),
  'POST /auth/2fa/disable': withPassword({ code: '000000' }, [409, 'TWO_FACTOR_OFF']),
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
  'PUT /notifications/read-all': signedIn,
  'PUT /notifications/{notificationId}/seen': notYours,
  'PUT /notifications/{notificationId}/read': notYours,
  'PUT /notifications/{notificationId}/archive': notYours,
  'POST /notifications': {
    access: ['admin'],
    body: ({ ids }) => ({ userIds: [ids.userId], type: 'SYSTEM', title: 'T', body: 'B' }),
  },
  'GET /notifications/batches/{batchId}': { access: ['admin'] },
  'POST /api-keys': { access: ['admin'], body: () => ({ name: 'Partner', scopes: ['notifications:write'] }) },
  'GET /api-keys': { access: ['admin'] },
  'DELETE /api-keys/{keyId}': { access: ['admin'], answer: [404, 'API_KEY_NOT_FOUND'] },
  'POST /users/me/export': { access: 'signed in', body: () => ({ code: '000000' }), answer: [400, 'CODE_INVALID'] },
  'GET /users/me/export': { access: 'signed in', answer: [404, 'EXPORT_NOT_FOUND'] },
  'GET /users/me/export/{exportId}/file': { access: 'signed in', answer: [404, 'EXPORT_NOT_FOUND'] },
  'DELETE /users/me': withPassword({ code: '000000' }, [400, 'CODE_INVALID']),
  'GET /audit': { access: ['admin'] },
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
  'POST /push/register': { access: 'signed in', body: () => ({ ...token, platform: 'IOS' }) },
  'DELETE /push/unregister': { access: 'signed in', body: () => token },
  'GET /push/vapid-key': signedIn,
  'POST /push/web': {
    access: 'signed in',
    body: () => ({ endpoint, keys: { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) } }),
  },
  'DELETE /push/web': { access: 'signed in', body: () => ({ endpoint }) },
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
  'GET /users/blocked': signedIn,
  // Last of all: it hides the other person.
  'POST /users/{userId}/block': signedIn,
  'DELETE /users/{userId}/block': signedIn,
};

/** After it the owner is signed out. */
const LAST = /^(POST \/auth\/logout|DELETE \/users\/me$)/;

describe('Rights', () => {
  let campus: Campus;
  let api: Api;
  const people: Record<string, Person> = {};
  let batchId: string;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    people['admin'] = await api.admin();
    for (const role of ['student', 'alumni', 'recruiter', 'moderator']) {
      people[role] = await registerAs(campus, api, role);
    }
    const batch = { userIds: [people['student']!.id], type: 'SYSTEM', title: 'T', body: 'B' };
    batchId = (await people['admin'].post('/notifications', batch)).body.batchId as string;
  });
  after(() => campus.close());

  const newScene = async (): Promise<Scene> => {
    const [owner, reader] = [await api.register(), people['alumni']!];
    const postId = await owner.publish();
    const comment = await reader.post(`/posts/${postId}/comments`, { content: 'x' });
    const { body: tie } = await reader.post('/connections', { userId: owner.id });
    await api.request('POST', '/auth/login', { email: owner.email, password: owner.password });
    const { body: sessions } = await owner.get('/auth/sessions');
    const [notification] = await until(
      async () => (await owner.get('/notifications')).body.data as Json[],
      ({ length }) => length > 0,
    );
    return {
      owner,
      ids: {
        userId: people['recruiter']!.id,
        postId,
        commentId: comment.body.id,
        notificationId: notification.id,
        batchId,
        connectionId: tie.id,
        sessionId: sessions.data.find(({ current }: Json) => !current).id,
        keyId: NOBODY,
        exportId: NOBODY,
        reportId: NOBODY,
        name: `avatar-${'0'.repeat(32)}-00000000.webp`,
      },
    };
  };
  const use = (name: string, scene: Scene, bearer: string | undefined): Promise<Answer<Json>> => {
    const [method = '', template = ''] = name.split(' ');
    const path = template.replace(/\{(\w+)\}/g, (_all, key: string) => scene.ids[key as keyof Ids]);
    return api.request(method, path + (RIGHTS[name]?.query ?? ''), RIGHTS[name]?.body?.(scene), { token: bearer });
  };
  function expectDone(name: string, answer: Answer<Json>): void {
    const { answer: [status, code] = [] } = RIGHTS[name]!;
    if (status !== undefined && code !== undefined) expectProblem(answer, status, code);
    else expect(answer.status, `${name}: ${JSON.stringify(answer.body)}`).to.be.within(200, 299);
  }
  const names = (fits: (rights: Rights) => boolean): string[] =>
    Object.entries(RIGHTS)
      .filter(([, rights]) => fits(rights))
      .map(([name]) => name);

  it('are laid down here for every route, as the document has them', async () => {
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as Json;
    const documented = Object.entries<Record<string, Json>>(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { security, 'x-roles': roles }]) => {
        const isOpen = security.some((choice: object) => Object.keys(choice).length === 0);
        return [`${method.toUpperCase()} ${path}`, isOpen ? 'anyone' : (roles ?? 'signed in')] as const;
      }),
    );
    const table = Object.entries(RIGHTS).map(([name, { access }]) => [name, access] as const);
    expect(Object.fromEntries(documented)).to.deep.equal(Object.fromEntries(table));
  });

  it('are nobody’s without a token, or with a bad one', async () => {
    const scene = await newScene();
    for (const name of names(({ access }) => access !== 'anyone')) {
      const answer = await use(name, scene, undefined);
      expect(`${name}: ${answer.body.code as string}`).to.equal(`${name}: UNAUTHORIZED`);
      expectProblem(answer, 401, 'UNAUTHORIZED');
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer');
      expectProblem(await use(name, scene, 'a.bad.token'), 401, 'TOKEN_INVALID');
    }
    // Nothing was done.
    expect((await scene.owner.get(`/posts/${scene.ids.postId}`)).body).to.deep.include({
      commentCount: 1,
      reactionCounts: {},
    });
  });

  it('are everybody’s where a route is open to anyone', async () => {
    for (const name of names(({ access }) => access === 'anyone')) {
      expectDone(name, await use(name, await newScene(), undefined));
    }
  });

  it('are refused to every other role where a route names some', async () => {
    const scene = await newScene();
    for (const name of names(({ access }) => Array.isArray(access))) {
      for (const [role, person] of Object.entries(people)) {
        const answer = await use(name, scene, person.token);
        if (RIGHTS[name]?.access.includes(role)) expectDone(name, answer);
        else expectProblem(answer, 403, 'FORBIDDEN');
      }
    }
  });

  it('over what belongs to someone end with that person, and those who moderate', async () => {
    for (const name of names(({ stranger }) => stranger !== undefined)) {
      const { stranger: [status, code] = [0, ''], unless = [] } = RIGHTS[name]!;
      const scene = await newScene();
      // The alumna wrote the comment.
      for (const role of ['student', 'recruiter', 'moderator', 'admin'].filter((each) => !unless.includes(each))) {
        expectProblem(await use(name, scene, people[role]?.token), status, code);
      }
      for (const role of unless) {
        const answer = await use(name, await newScene(), people[role]?.token);
        expect(answer.status, `${name} by ${role}`).to.be.within(200, 299);
      }
    }
  });

  it('let the owner do all of it', async () => {
    const shared = await newScene();
    for (const name of names(({ access }) => access === 'signed in')) {
      const isUsedUp = RIGHTS[name]?.stranger !== undefined || LAST.test(name);
      const scene = isUsedUp ? await newScene() : shared;
      expectDone(name, await use(name, scene, scene.owner.token));
    }
  });
});
