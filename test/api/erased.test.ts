import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Document, ObjectId } from 'mongodb';
import sharp from 'sharp';
import { DAY, SECOND } from '../../src/core/clock.js';
import { commentCreated } from '../../src/modules/posts/index.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';
import { expectProblem, idsOf } from './helpers.js';

const POISON = 'Kummelpoison';
const BROWSER = 'Kummelbrowser/7.0';
/** What nobody else would ever write; some of it is also stored folded, cut or in a title. */
const UNMISTAKABLE = [
  'زمردة',
  'Kummelname',
  'kummelmail',
  'Kummelheadline',
  'كمّلعن',
  'Kummelplace',
  'Kummelskill',
  'Kummelcompany',
  'Kummelposition',
  'Kummelschool',
  'kummellink',
  'Kummelcampus',
  'Kummelpost',
  'كمّلمنشور',
  'Kummelcomment',
  'Kummelnote',
  'kummeltag',
  'Kummeltoken',
  'Kummelapp',
  'Kummelendpoint',
  'Kummelbrowser',
  'Kummelreject',
  'Kummelletter',
  'Kummeljob',
  // A phone number.
  '+962791234321',
  POISON,
];

describe('An account whose time of grace is over', function () {
  this.timeout(60_000);

  let campus: Campus;
  let api: Api;
  let [goner, friend, third]: [Person, Person, Person] = [] as never;
  let ids: { post: string; deletedPost: string; othersPost: string; comment: string; thirdsComment: string };

  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode({
      env: campus.edge.twilio.environment,
      listeners: [
        {
          name: 'poisoned',
          types: [commentCreated],
          handle: (events) =>
            JSON.stringify(events).includes(POISON) ? Promise.reject(new Error(`no ${POISON}`)) : Promise.resolve(),
        },
      ],
    });
    await liveALife();
  });
  after(() => campus.close());

  const upload = async (person: Person, kind: 'avatar' | 'banner'): Promise<void> => {
    const form = new FormData();
    const file = await sharp({ create: { width: 600, height: 600, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
    form.append('file', new Blob([new Uint8Array(file)]), 'Kummelfile.png');
    const headers = { authorization: `Bearer ${person.token}` };
    const answer = await fetch(`${api.url}/api/v1/profiles/me/${kind}`, { method: 'PUT', headers, body: form });
    expect(answer.status).to.equal(200);
  };
  const done = <T extends { status: number; body: Json }>(answer: T): T => {
    expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 204);
    return answer;
  };
  const typesOf = async (person: Person): Promise<string[]> =>
    ((await person.get('/notifications?limit=100')).body.data as Json[]).map(({ type }) => type as string);

  /** Does everything that can be done, in a way that cannot be mistaken for anyone else's. */
  async function liveALife(): Promise<void> {
    [goner, friend, third] = [
      await api.register({ name: 'زمردة Kummelname', email: 'kummelmail@campus.test' }),
      await api.register({ name: 'Friend' }),
      await api.register({ name: 'Third' }),
    ];
    const login = { email: goner.email, password: goner.password };
    await api.request('POST', '/auth/login', login, { headers: { 'user-agent': BROWSER } });
    const failed = { ...login, password: 'not the password' };
    await api.request('POST', '/auth/login', failed, { headers: { 'user-agent': BROWSER } });
    await api.request('POST', '/auth/password/forgot', { email: goner.email });
    done(
      await goner.patch('/profiles/me', {
        headline: 'Kummelheadline',
        about: { ar: 'كمّلعن', en: 'Kummelheadline' },
        location: 'Kummelplace',
        skills: ['Kummelskill'],
        links: ['https://kummellink.example/'],
        campus: 'Kummelcampus',
        experience: [{ company: 'Kummelcompany', position: 'Kummelposition', startDate: '2020-01-01' }],
        education: [{ school: 'Kummelschool', degree: 'BSc', startDate: '2016-09-01' }],
      }),
    );
    done(
      await goner.put('/profiles/me/placement', {
        company: 'Kummelcompany',
        position: 'Kummelposition',
        startDate: '2026-01-01',
      }),
    );
    await upload(goner, 'avatar');
    await upload(goner, 'avatar');
    await upload(goner, 'banner');

    const othersPost = await friend.publish('A post by a friend');
    const key = { headers: { 'idempotency-key': 'Kummelpost' } };
    ids = {
      post: done(await goner.post('/posts', { content: 'Kummelpost كمّلمنشور' }, key)).body.id,
      deletedPost: await goner.publish('Kummelpost that was deleted'),
      othersPost,
      comment: done(await goner.post(`/posts/${othersPost}/comments`, { content: 'Kummelcomment' }, key)).body.id,
      thirdsComment: done(await third.post(`/posts/${othersPost}/comments`, { content: 'By a third' })).body.id,
    };
    const { body: regretted } = await goner.post(`/posts/${othersPost}/comments`, { content: 'Kummelcomment two' });
    await goner.delete(`/posts/${othersPost}/comments/${regretted.id}`);
    await friend.post(`/posts/${ids.deletedPost}/comments`, { content: 'Before it was deleted' });
    done(await goner.delete(`/posts/${ids.deletedPost}`));
    done(await goner.post(`/posts/${othersPost}/react`, { type: 'LOVE' }));
    done(await third.post(`/posts/${othersPost}/react`, { type: 'LOVE' }));
    done(await friend.post(`/posts/${ids.post}/react`, { type: 'LIKE' }));
    done(await friend.post(`/posts/${ids.post}/comments`, { content: 'To the one who goes' }));

    const { body: asked } = await goner.post('/connections', { userId: friend.id, note: 'Kummelnote' });
    done(await friend.put(`/connections/${asked.id}/accept`));
    const { body: refused } = await goner.post('/connections', { userId: third.id, note: 'Kummelreject' });
    done(await third.put(`/connections/${refused.id}/reject`));
    done(await goner.post('/follow', { userId: friend.id }));
    done(await goner.post('/follow', { hashtag: 'kummeltag' }));
    done(await third.post('/follow', { userId: goner.id }));
    done(await goner.post(`/users/${(await api.register()).id}/block`));
    done(await (await api.register()).post(`/users/${goner.id}/block`));

    done(await goner.post('/push/register', { token: 'Kummeltoken', platform: 'ANDROID', app: 'Kummelapp' }));
    const keys = { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) };
    done(await goner.post('/push/web', { endpoint: 'https://fcm.googleapis.com/fcm/send/Kummelendpoint', keys }));
    done(await goner.put('/users/me/phone', { phone: '+962 79 123 4321' }));
    const [sms] = await campus.edge.twilio.waitFor();
    done(await goner.post('/users/me/phone/verify', { code: /\d{6}$/.exec(sms!.body)![0] }));
    done(await goner.patch('/settings/notifications', { preferences: { social: { email: false } } }));
    const letter = { userIds: [goner.id], type: 'SYSTEM', title: 'Dear Kummelname', body: 'Kummelletter' };
    const admin = await api.admin();
    done(await admin.post('/notifications', letter));
    const toOne = { title: { en: 'Dear Kummelname' }, body: { en: 'Kummelletter' }, audience: { userIds: [goner.id] } };
    done(await admin.post('/admin/announcements', toOne));
    const toOthers = { userIds: [goner.id, third.id], exclude: { userIds: [goner.id] } };
    done(
      await admin.post('/admin/announcements', { ...toOne, audience: toOthers, title: { en: 'A' }, body: { en: 'B' } }),
    );
    await until(
      () => typesOf(goner),
      (types) =>
        ['REACTION', 'COMMENT', 'CONNECTION_ACCEPTED', 'FOLLOW', 'SYSTEM'].every((type) => types.includes(type)),
    );
    await until(
      () => typesOf(friend),
      (types) => ['REACTION', 'COMMENT', 'CONNECTION_REQUEST', 'FOLLOW'].every((type) => types.includes(type)),
    );
    const { body: told } = await friend.get('/notifications');
    // The answer goes into an event, name and all.
    done(await friend.put(`/notifications/${told.data[0].id}/read`));
    done(await goner.put('/notifications/read-all'));
    done(await goner.post('/settings/notifications/mutes', { kind: 'user', id: friend.id }));
    done(await friend.post('/settings/notifications/mutes', { kind: 'user', id: goner.id }));

    // Without a second node nobody would be told over the adapter; what is told is written there all the same.
    const device = await goner.connect('/presence');
    expect(await device.ask('presence:set', { state: 'busy' })).to.deep.equal({ ok: true });

    done(await goner.post('/users/me/export', { code: await newCode(campus, goner, 'export') }));
    await until(
      async () => (await goner.get('/users/me/export')).body.status as string,
      (status) => status === 'ready',
    );
    done(await goner.post(`/posts/${othersPost}/comments`, { content: POISON }));
    await until(() => campus.db.collection('deadEvents').countDocuments());
    const at = campus.clock.now();
    await campus.db
      .collection('deadJobs')
      .insertOne({ name: 'a job of then', data: { userId: goner.id }, failReason: 'Kummeljob', diedAt: at });
  }

  /** Every document there is, by collection. */
  const everything = async (): Promise<Map<string, Document[]>> => {
    const names = (await campus.db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    const contents = await Promise.all(names.map((name) => campus.db.collection(name).find().toArray()));
    return new Map(names.map((name, i) => [name, contents[i]!]));
  };
  /** Where something unmistakable stands in the database, or in a file or its name. */
  const found = async (): Promise<Record<string, string[]>> => {
    const texts = new Map<string, string>();
    for (const [name, documents] of await everything()) texts.set(name, JSON.stringify(documents));
    const folder = join(campus.dataDir, 'files');
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      // An export may expire while it is being looked at.
      const content = entry.isFile() ? await readFile(path).catch(() => undefined) : Buffer.alloc(0);
      if (content) texts.set(path, path + content.toString('latin1'));
    }
    const fold = (text: string) =>
      text
        .normalize('NFKD')
        .replace(/\p{Mark}/gu, '')
        .toLowerCase();
    return Object.fromEntries(
      [...UNMISTAKABLE, join('files', goner.id)]
        .map(
          (needle) =>
            [
              needle,
              [...texts].filter(([, text]) => fold(text).includes(fold(needle))).map(([where]) => where),
            ] as const,
        )
        .filter(([, where]) => where.length > 0),
    );
  };
  const erased = (): Promise<unknown> =>
    until(
      () => campus.db.collection('users').countDocuments({ _id: new ObjectId(goner.id) }),
      (count) => count === 0,
    );

  it('was known all over the place', async () => {
    expect(Object.keys(await found())).to.have.members([...UNMISTAKABLE, join('files', goner.id)]);
    for (const name of ['presences', 'socketAdapter']) {
      expect(JSON.stringify(await campus.db.collection(name).find().toArray()), name).to.include(goner.id);
    }
  });

  it('is hidden, but all there, as long as there is a way back', async () => {
    const code = await newCode(campus, goner, 'erasure');
    expect((await goner.delete('/users/me', { password: goner.password, code })).status).to.equal(202);
    const screen = await friend.connect('/presence');
    const { presences } = await screen.ask('presence:subscribe', { userIds: [goner.id] });
    expect(presences).to.deep.equal([{ userId: goner.id, state: 'offline' }]);
    friend.disconnect();
    done(await (await api.admin()).post('/admin/suppressions', { address: goner.email }));
    campus.clock.advance(30 * DAY - 60 * SECOND);
    friend = await api.signIn(friend.email, friend.password);
    expectProblem(await friend.get(`/profiles/${goner.id}`), 404, 'USER_NOT_FOUND');
    expect(Object.keys(await found())).to.include.members(['Kummelname', 'Kummelpost', join('files', goner.id)]);
  });

  it('leaves nothing behind, in any collection or file', async () => {
    campus.clock.advance(61 * SECOND);
    await erased();
    expect(await found()).to.deep.equal({});
  });

  it('leaves no id but in records that name nobody by it', async () => {
    const named = [...(await everything())].filter(([, documents]) => JSON.stringify(documents).includes(goner.id));
    // The announcement of the end itself is an event, and the audit is kept.
    expect(named.map(([name]) => name)).to.have.members(['audit', 'events']);
    const events = await campus.db.collection('events').find().toArray();
    const about = events.filter((event) => JSON.stringify(event).includes(goner.id));
    expect(about.map(({ type }) => type as string)).to.deep.equal(['user.erased']);
  });

  it('is missed by nobody else’s posts: what they count is right, and what others wrote is there', async () => {
    const { body: post } = await friend.get(`/posts/${ids.othersPost}`);
    expect(post).to.deep.include({ content: 'A post by a friend', commentCount: 1, reactionCounts: { LOVE: 1 } });
    const { body: comments } = await friend.get(`/posts/${ids.othersPost}/comments`);
    expect(idsOf(comments.data as Json[])).to.deep.equal([ids.thirdsComment]);
    const { body: reactions } = await friend.get(`/posts/${ids.othersPost}/reactions`);
    expect((reactions.data as Json[]).map(({ user }) => user.id as string)).to.deep.equal([third.id]);
    expectProblem(await friend.get(`/posts/${ids.post}`), 404, 'POST_NOT_FOUND');
    for (const path of ['/connections', '/follow/followers', '/follow/following']) {
      expect((await friend.get(path)).body.data, path).to.deep.equal([]);
    }
    // Told by the third, not by the one who is gone.
    const { body: told } = await friend.get('/notifications');
    expect(
      (told.data as Json[]).filter(({ type }) => type !== 'SECURITY').map(({ actorIds }) => actorIds[0]),
    ).to.have.members([third.id, third.id]);
  });

  it('stays in the audit by id, without a place', async () => {
    const admin = await api.admin();
    const last = async () => (await admin.get(`/audit?targetId=${goner.id}&limit=100`)).body.data as Json[];
    const rows = await until(last, (all) => all[0]?.action === 'user.erased');
    expect(rows.map(({ action }) => action as string)).to.include.members(['session.started', 'user.deleted']);
    // From where someone else has blocked them is that one's own matter.
    expect(rows.filter(({ actorId, origin }) => actorId === goner.id && origin !== undefined)).to.deep.equal([]);
  });

  it('is not erased any further by being erased again', async () => {
    const steady = ['posts', 'comments', 'reactions', 'connections', 'follows', 'blocks', 'notifications', 'devices'];
    const before = await everything();
    const deletion = { requestedAt: new Date(0), dueAt: new Date(0), startedAt: new Date(0), done: [] };
    await campus.db
      .collection('users')
      .insertOne({ _id: new ObjectId(goner.id), email: 'once more', keys: {}, deletion });
    await erased();
    const after = await everything();
    for (const name of steady) expect(after.get(name), name).to.deep.equal(before.get(name));
    expect(after.get('audit')!.slice(0, before.get('audit')!.length)).to.deep.equal(before.get('audit'));
  });

  it('leaves its address without mail, as it was, but tells nobody which one that is', async () => {
    const admin = await api.admin();
    const { data } = (await admin.get(`/admin/suppressions?address=${goner.email}`)).body as { data: Json[] };
    expect(data).to.have.length(1);
    expect(data[0]).to.have.all.keys('id', 'reason', 'source', 'createdAt');
  });

  it('cannot be signed in to, and its address is free again', async () => {
    const { email, password } = goner;
    expectProblem(await api.request('POST', '/auth/login', { email, password }), 401, 'INVALID_CREDENTIALS');
    const newcomer = await api.register({ email });
    expect(newcomer.id).to.not.equal(goner.id);
  });
});
