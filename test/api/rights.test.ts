import { expect } from 'chai';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { converse, say, sociable } from '../support/chat.js';
import { until } from '../support/until.js';
import { expectProblem, NOBODY, registerAs } from './helpers.js';
import { type Ids, LAST, RIGHTS, type Rights, type Scene } from './rights.js';

describe('Rights', function () {
  // Hundreds of requests.
  this.timeout(120_000);

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
    await sociable(people['recruiter']!);
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
    const id = await converse(owner, [reader], 'Rights');
    const { id: messageId } = await say(owner, id, 'x');
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
        id,
        messageId,
        connectionId: tie.id,
        sessionId: sessions.data.find(({ current }: Json) => !current).id,
        keyId: NOBODY,
        exportId: NOBODY,
        reportId: NOBODY,
        deadLetterId: NOBODY,
        suppressionId: NOBODY,
        announcementId: NOBODY,
        invitationId: NOBODY,
        token: 'a'.repeat(43),
        provider: 'google',
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
    const scene = await newScene();
    for (const name of names(({ access }) => access === 'anyone')) {
      expectDone(name, await use(name, scene, undefined));
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
    const scene = await newScene();
    for (const name of names(({ stranger }) => stranger !== undefined)) {
      const { stranger: [status, code] = [0, ''], unless = [] } = RIGHTS[name]!;
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
