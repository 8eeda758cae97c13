import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Document, ObjectId } from 'mongodb';
import { DAY, SECOND } from '../../src/core/clock.js';
import { commentCreated } from '../../src/modules/posts/index.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { read, send } from '../support/chat.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';
import { expectProblem, idsOf } from './helpers.js';
import { done, type Life, liveALife, POISON, UNMISTAKABLE } from './life.js';

describe('An account whose time of grace is over', function () {
  this.timeout(60_000);

  let campus: Campus;
  let api: Api;
  let [goner, friend, third]: [Person, Person, Person] = [] as never;
  let ids: Life['ids'];

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
    ({ goner, friend, third, ids } = await liveALife(campus, api));
  });
  after(() => campus.close());

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

  it('leaves what it has said to others, by nobody any more', async () => {
    const { data } = (await friend.get('/conversations')).body as { data: Json[] };
    const direct = data.find(({ type }) => type === 'direct');
    expect(direct).to.deep.include({ memberCount: 1 });
    expect((direct.members as Json[]).map(({ userId }) => userId as string)).to.deep.equal([friend.id]);
    const messages = await read(friend, direct.id as string);
    expect(messages.map(({ senderId, body }) => [senderId, body])).to.deep.equal([
      [null, 'Stays with you'],
      [null, ''],
      [friend.id, 'Said to you'],
      [friend.id, 'Nobody’s business'],
    ]);
    expect(messages[2]).to.deep.include({ mentions: [], reactions: [] });
    expectProblem(await send(friend, direct.id as string, 'Are you there?'), 403, 'CANNOT_MESSAGE_USER');
    const group = data.find(({ type }) => type === 'group');
    expect(group).to.deep.include({ memberCount: 1, role: 'owner' });
    const saidToMany = await read(friend, group.id as string);
    expect(saidToMany.map(({ body, attachments }) => [body, attachments])).to.deep.equal([['Stays with all', []]]);
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
