import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY, MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { newCode, wrongCode } from './auth-mail.js';
import { expectInvalid, expectProblem, idsOf } from './helpers.js';

describe('Giving an account up', () => {
  let campus: Campus;
  let [api, otherNode]: [Api, Api] = [] as never;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const giveUp = async (person: Person): Promise<Json> => {
    const code = await newCode(campus, person, 'erasure');
    const { status, body } = await person.delete('/users/me', { password: person.password, code });
    expect(status, JSON.stringify(body)).to.equal(202);
    return body;
  };
  const signIn = ({ email, password }: Person) => api.request('POST', '/auth/login', { email, password });
  const stored = (person: Person) => campus.db.collection('users').findOne({ _id: new ObjectId(person.id) });

  it('takes the password and a code that was mailed for it, which a refusal does not use up', async () => {
    const person = await api.register();
    const { password } = person;
    const code = await newCode(campus, person, 'erasure');
    expectProblem(await person.delete('/users/me', { password: 'not this one', code }), 401, 'INVALID_CREDENTIALS');
    expectProblem(await person.delete('/users/me', { password, code: wrongCode(code) }), 400, 'CODE_INVALID');
    expectInvalid(await person.delete('/users/me', {}), 'body.password', 'body.code');
    expectInvalid(await person.delete('/users/me', { password, code: '١٢٣٤٥٦' }), 'body.code');
    expectInvalid(await person.delete('/users/me', { password, code, at: 'once' }), 'body.at');
    expectProblem(await api.request('DELETE', '/users/me', { password, code }), 401, 'UNAUTHORIZED');
    expect((await person.get('/users/me')).status).to.equal(200);
    expect((await person.delete('/users/me', { password, code })).status).to.equal(202);
  });

  it('takes no code of someone else, for something else, or of ten minutes ago', async () => {
    const [person, other] = [await api.register(), await api.register()];
    const attempt = (code: string) => person.delete('/users/me', { password: person.password, code });
    const late = await newCode(campus, person, 'erasure');
    for (const code of [await newCode(campus, other, 'erasure'), await newCode(campus, person, 'export')]) {
      if (code !== late) expectProblem(await attempt(code), 400, 'CODE_INVALID');
    }
    campus.clock.advance(10 * MINUTE);
    expectProblem(await attempt(late), 400, 'CODE_INVALID');
    expect((await person.get('/users/me')).status).to.equal(200);
  });

  it('signs out everywhere at once: every session, on every node and socket', async () => {
    const laptop = await api.register();
    const phone = (await api.signIn(laptop.email, laptop.password)).on(otherNode);
    const socket = await phone.connect('/feed');
    await giveUp(laptop);
    expectProblem(await laptop.get('/users/me'), 401, 'SESSION_ENDED');
    await socket.closed();
    await until(
      () => phone.get('/users/me'),
      ({ status }) => status === 401,
    );
    const refreshed = await api.request('POST', '/auth/refresh', { refreshToken: phone.refreshToken });
    expectProblem(refreshed, 401, 'REFRESH_TOKEN_INVALID');
  });

  it('says when everything is erased, and tells the rest of the product', async () => {
    const person = await api.register();
    const { erasedAt } = await giveUp(person);
    expect(Date.parse(erasedAt as string)).to.be.closeTo(campus.clock.now().getTime() + 30 * DAY, MINUTE);
    const event = await campus.db.collection('events').findOne({ type: 'user.deleted', actorId: person.id });
    expect(event!['data']).to.deep.equal({ userId: person.id });
  });

  /** Someone who has done a bit of everything, seen by someone else. */
  const acquainted = async (unique: string) => {
    const [person, other] = [await api.register({ name: `${unique} Goner` }), await api.register()];
    const postId = await person.publish(`A post by ${unique}`);
    const othersId = await other.publish();
    await person.post(`/posts/${othersId}/comments`, { content: `A comment by ${unique}` });
    await person.post(`/posts/${othersId}/react`, { type: 'LIKE' });
    const { body: asked } = await person.post('/connections', { userId: other.id });
    await other.put(`/connections/${asked.id}/accept`);
    await person.post('/follow', { userId: other.id });
    await other.post('/follow', { userId: person.id });
    const notified = async () =>
      ((await other.get('/notifications')).body.data as Json[]).map(({ type }) => type as string);
    const kinds = ['REACTION', 'COMMENT', 'CONNECTION_REQUEST', 'FOLLOW'];
    await until(notified, (types) => kinds.every((kind) => types.includes(kind)));

    /** What the other one sees of them; nothing where they are hidden. */
    const seen = async (viewer = other): Promise<object> => ({
      profile: (await viewer.get(`/profiles/${person.id}`)).status,
      posts: (await viewer.get(`/users/${person.id}/posts`)).status,
      post: (await viewer.get(`/posts/${postId}`)).status,
      reactingToIt: (await viewer.post(`/posts/${postId}/react`, { type: 'LIKE' })).status,
      directory: idsOf((await viewer.get(`/users?q=${unique.toLowerCase()}`)).body.data as Json[]).length,
      comments: ((await viewer.get(`/posts/${othersId}/comments`)).body.data as Json[]).length,
      reactions: ((await viewer.get(`/posts/${othersId}/reactions`)).body.data as Json[]).length,
      connections: ((await viewer.get('/connections')).body.data as Json[]).length,
      followers: ((await viewer.get('/follow/followers')).body.data as Json[]).length,
      following: ((await viewer.get('/follow/following')).body.data as Json[]).length,
      followingAnew: (await viewer.post('/follow', { userId: person.id })).status,
      connecting: (await viewer.post('/connections', { userId: person.id })).status,
    });
    return { person, other, seen, notified };
  };
  const everything = {
    profile: 200,
    posts: 200,
    post: 200,
    reactingToIt: 200,
    directory: 1,
    comments: 1,
    reactions: 1,
    connections: 1,
    followers: 1,
    following: 1,
    followingAnew: 201,
    connecting: 201,
  };
  const nothing = {
    profile: 404,
    posts: 404,
    post: 404,
    reactingToIt: 404,
    directory: 0,
    comments: 0,
    reactions: 0,
    connections: 0,
    followers: 0,
    following: 0,
    followingAnew: 404,
    connecting: 404,
  };

  it('hides at once whatever tells of the user, and signing in shows all of it again', async () => {
    const { person, other, seen, notified } = await acquainted('Yazan');
    expect(await seen()).to.deep.equal(everything);
    const before = await notified();
    const unread = (await other.get('/notifications/unread-count')).body.count as number;

    await giveUp(person);
    expect(await seen()).to.deep.equal(nothing);
    await until(
      () => seen(other.on(otherNode)),
      (on) => JSON.stringify(on) === JSON.stringify(nothing),
    );
    await until(notified, (types) => types.every((type) => type === 'SECURITY'));
    expect((await other.get('/notifications/unread-count')).body.count).to.be.lessThan(unread);

    campus.clock.advance(29 * DAY);
    const viewer = await api.signIn(other.email, other.password);
    const back = await api.signIn(person.email, person.password);
    expect((await back.get('/users/me')).body).to.deep.include({ id: person.id, name: 'Yazan Goner' });
    await until(
      () => seen(viewer),
      (on) => JSON.stringify(on) === JSON.stringify(everything),
    );
    await until(
      async () => ((await viewer.get('/notifications')).body.data as Json[]).map(({ type }) => type as string),
      (types) => before.every((type) => types.includes(type)),
    );
    expect(await campus.db.collection('events').countDocuments({ type: 'user.restored', actorId: person.id })).to.equal(
      1,
    );
    // It is not due any more.
    campus.clock.advance(31 * DAY);
    expect((await stored(person))!['deletion']).to.equal(undefined);
    expect((await signIn(person)).status).to.equal(200);
  });

  it('cannot be taken back by an old session or a wrong password', async () => {
    const person = await api.register();
    await giveUp(person);
    const { email } = person;
    const wrong = await api.request('POST', '/auth/login', { email, password: 'not the password' });
    expectProblem(wrong, 401, 'INVALID_CREDENTIALS');
    await api.request('POST', '/auth/refresh', { refreshToken: person.refreshToken });
    expect((await stored(person))!['deletion']).to.be.an('object');
    // The address stays taken as long as there is a way back.
    const again = { name: 'Again', email, password: person.password, role: 'student' };
    expectProblem(await api.request('POST', '/auth/register', again), 409, 'EMAIL_TAKEN');
  });

  it('is done once, however often it is asked for at once', async () => {
    const person = await api.register();
    const code = await newCode(campus, person, 'erasure');
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, at) =>
        person.on(at % 2 ? api : otherNode).delete('/users/me', { password: person.password, code }),
      ),
    );
    expect(answers.filter(({ status }) => status === 202)).to.have.length(1);
    // Who comes late finds the code used, or is signed out already.
    for (const { status, body } of answers.filter((answer) => answer.status !== 202)) {
      expect([status, body.code]).to.be.deep.oneOf([
        [400, 'CODE_INVALID'],
        [401, 'SESSION_ENDED'],
      ]);
    }
    expect(await campus.db.collection('events').countDocuments({ type: 'user.deleted', actorId: person.id })).to.equal(
      1,
    );
  });

  it('and signing in at the same moment leave either a hidden account or a working session, never both', async () => {
    for (let round = 0; round < 4; round += 1) {
      const person = await api.register();
      const code = await newCode(campus, person, 'erasure');
      const [deleted, entered] = await Promise.all([
        person.delete('/users/me', { password: person.password, code }),
        signIn(person),
      ]);
      expect([deleted.status, entered.status]).to.deep.equal([202, 200]);
      const { status } = await api.request('GET', '/users/me', undefined, {
        token: entered.body.accessToken as string,
      });
      const isGone = (await stored(person))!['deletion'] !== undefined;
      expect(status).to.equal(isGone ? 401 : 200);
      const open = { userId: new ObjectId(person.id), endedAt: { $exists: false } };
      expect(await campus.db.collection('sessions').countDocuments(open)).to.equal(isGone ? 0 : 1);
    }
  });
});
