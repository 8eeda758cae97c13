import { expect } from 'chai';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY } from './helpers.js';

describe('Follows', () => {
  let campus: Campus;
  let [api, otherNode]: [Api, Api] = [] as never;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const follow = async (person: Person, target: object): Promise<Json> => {
    const { status, body } = await person.post('/follow', target);
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  };
  const listOf = async (person: Person, which: 'followers' | 'following'): Promise<Json[]> =>
    (await person.get(`/follow/${which}`)).body.data as Json[];
  const eventsOf = (person: Person, type: 'follow.started' | 'follow.ended'): Promise<Json[]> =>
    campus.db.collection('events').find({ type, actorId: person.id }).toArray();

  it('of a user stand in the lists of both, and the one who is followed is told', async () => {
    const [fan, star] = [await api.register({ name: 'معجبة' }), await api.register({ name: 'نجمة' })];
    const made = await follow(fan, { userId: star.id });
    expect(made).to.deep.equal({
      id: made.id,
      createdAt: made.createdAt,
      user: { id: star.id, name: 'نجمة', role: 'student' },
    });
    expect(await listOf(fan, 'following')).to.deep.equal([made]);
    expect(await listOf(star, 'followers')).to.deep.equal([
      { id: made.id, createdAt: made.createdAt, user: { id: fan.id, name: 'معجبة', role: 'student' } },
    ]);
    // It goes one way.
    expect(await listOf(fan, 'followers')).to.deep.equal([]);
    expect(await listOf(star, 'following')).to.deep.equal([]);
    const [told] = await until(
      async () => (await star.get('/notifications?type=FOLLOW')).body.data as Json[],
      ({ length }) => length > 0,
    );
    expect(told.actorIds).to.deep.equal([fan.id]);
  });

  it('of a hashtag are the same in any case, form and with or without the sign, in Arabic as well', async () => {
    const person = await api.register();
    const made = await follow(person, { hashtag: '#عمّان_2026' });
    expect(made).to.include({ hashtag: 'عمّان_2026' }).and.not.to.have.property('user');
    const cafe = await follow(person, { hashtag: '#Cafe\u0301' });
    expect(cafe.hashtag).to.equal('caf\u00e9');
    expect((await follow(person, { hashtag: 'CAF\u00c9' })).id).to.equal(cafe.id);
    expect(idsOf(await listOf(person, 'following'))).to.deep.equal([cafe.id, made.id]);
    expect((await person.delete('/follow', { hashtag: '#CAFE\u0301' })).status).to.equal(204);
    expect(idsOf(await listOf(person, 'following'))).to.deep.equal([made.id]);
  });

  it('begin once and end once, however often that is asked for', async () => {
    const [fan, star] = [await api.register(), await api.register()];
    const first = await follow(fan, { userId: star.id });
    expect(await follow(fan, { userId: star.id })).to.deep.equal(first);
    expect(await listOf(star, 'followers')).to.have.length(1);
    expect(await eventsOf(fan, 'follow.started')).to.have.length(1);

    for (let times = 0; times < 2; times += 1) {
      expect((await fan.delete('/follow', { userId: star.id })).status).to.equal(204);
    }
    expect([await listOf(fan, 'following'), await listOf(star, 'followers')]).to.deep.equal([[], []]);
    const ended = await eventsOf(fan, 'follow.ended');
    expect(ended.map(({ data }) => data.followId)).to.deep.equal([first.id]);
    // Another beginning is another follow.
    expect((await follow(fan, { userId: star.id })).id).to.not.equal(first.id);
  });

  it('are one where many requests come at once, to two nodes, with and without keys', async () => {
    const [fan, star] = [await api.register(), await api.register()];
    for (const target of [{ userId: star.id }, { hashtag: 'rush' }]) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, at) =>
          fan
            .on(at % 2 ? api : otherNode)
            .post(
              '/follow',
              target,
              at > 3 ? { headers: { 'idempotency-key': `${JSON.stringify(target)}${at}` } } : {},
            ),
        ),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(8).fill(201));
      expect(new Set(answers.map(({ body }) => body.id as string)).size).to.equal(1);
    }
    expect(await listOf(fan, 'following')).to.have.length(2);
    expect(await listOf(star, 'followers')).to.have.length(1);
    expect(await eventsOf(fan, 'follow.started')).to.have.length(2);

    const ended = await Promise.all(
      Array.from({ length: 6 }, (_, at) => fan.on(at % 2 ? api : otherNode).delete('/follow', { userId: star.id })),
    );
    expect(ended.map(({ status }) => status)).to.deep.equal(Array(6).fill(204));
    expect(await eventsOf(fan, 'follow.ended')).to.have.length(1);
  });

  it('leave lists that agree with the events where they begin and end at the same moment', async () => {
    const [fan, star] = [await api.register(), await api.register()];
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, at): Promise<Answer<Json>> => {
          const person = fan.on(at < 3 ? api : otherNode);
          return at % 2 ? person.delete('/follow', { userId: star.id }) : person.post('/follow', { userId: star.id });
        }),
      );
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 201, 201, 204, 204, 204]);
      const [started, ended] = [await eventsOf(fan, 'follow.started'), await eventsOf(fan, 'follow.ended')];
      const left = started.length - ended.length;
      expect(left).to.be.within(0, 1);
      expect(await listOf(fan, 'following')).to.have.length(left);
      expect(await listOf(star, 'followers')).to.have.length(left);
    }
  });

  it('are listed newest first, page by page, though others begin meanwhile', async () => {
    const star = await api.register();
    const fans: string[] = [];
    for (let at = 0; at < 5; at += 1) fans.push((await follow(await api.register(), { userId: star.id })).id as string);
    const followers = await allPages(star, '/follow/followers', {
      limit: 2,
      between: async () => follow(await api.register(), { userId: star.id }),
    });
    expect(idsOf(followers)).to.deep.equal([...fans].reverse());

    const followed: string[] = [];
    for (const tag of ['one', 'two', 'three', 'four', 'five']) followed.push((await follow(star, { hashtag: tag })).id);
    const following = await allPages(star, '/follow/following', {
      limit: 2,
      between: () => follow(star, { hashtag: `meanwhile${Date.now()}` }),
    });
    expect(idsOf(following)).to.deep.equal([...followed].reverse());

    // A cursor is good for its own list, and for its owner.
    const { nextCursor } = (await star.get('/follow/following?limit=1')).body;
    const stranger = await api.register();
    for (const [person, which] of [
      [star, 'followers'],
      [stranger, 'following'],
    ] as const) {
      expectProblem(await person.get(`/follow/${which}?cursor=${nextCursor}`), 400, 'INVALID_CURSOR');
    }
    expect([await listOf(stranger, 'following'), await listOf(stranger, 'followers')]).to.deep.equal([[], []]);
  });

  it('are one’s own: a stranger ends no one else’s', async () => {
    const [fan, star, stranger] = [await api.register(), await api.register(), await api.register()];
    await follow(fan, { userId: star.id });
    for (const other of [stranger, star]) {
      expect((await other.delete('/follow', { userId: star.id })).status).to.equal(204);
      expect((await other.delete('/follow', { userId: fan.id })).status).to.equal(204);
    }
    expect(await listOf(star, 'followers')).to.have.length(1);
    for (const [method, path] of [
      ['POST', '/follow'],
      ['DELETE', '/follow'],
      ['GET', '/follow/followers'],
      ['GET', '/follow/following'],
    ] as const) {
      const body = method === 'GET' ? undefined : { userId: star.id };
      expectProblem(await api.request(method, path, body), 401, 'UNAUTHORIZED');
    }
  });

  it('of whom one has blocked, or by whom one is blocked, end and cannot begin, and look like nobody’s', async () => {
    const [blocker, blocked] = [await api.register(), await api.register()];
    await follow(blocker, { userId: blocked.id });
    await follow(blocked, { userId: blocker.id });
    await blocker.post(`/users/${blocked.id}/block`);
    const unknown = await blocked.post('/follow', { userId: NOBODY });
    for (const answer of [
      await blocked.post('/follow', { userId: blocker.id }),
      await blocker.post('/follow', { userId: blocked.id }),
      unknown,
    ]) {
      expectProblem(answer, 404, 'USER_NOT_FOUND');
      expect({ ...answer.body, requestId: '' }).to.deep.equal({ ...unknown.body, requestId: '' });
    }
    for (const person of [blocker, blocked]) {
      expect([await listOf(person, 'following'), await listOf(person, 'followers')]).to.deep.equal([[], []]);
    }
    // Taking the block back does not bring them back.
    await until(
      () => campus.db.collection('follows').countDocuments({ target: { $in: [blocker.id, blocked.id] } }),
      (count) => count === 0,
    );
    await blocker.delete(`/users/${blocked.id}/block`);
    expect(await listOf(blocked, 'following')).to.deep.equal([]);
    await follow(blocked, { userId: blocker.id });
  });

  it('are refused where they make no sense', async () => {
    const person = await api.register();
    expectProblem(await person.post('/follow', { userId: person.id }), 400, 'CANNOT_FOLLOW_YOURSELF');
    const bodies = [
      {},
      { userId: 'someone' },
      { userId: { $ne: null } },
      { hashtag: '#' },
      { hashtag: 'two words' },
      { hashtag: 'x'.repeat(101) },
      { hashtag: '#tag', userId: NOBODY },
      { emailOf: 'nobody' },
    ];
    for (const body of bodies) {
      for (const answer of [await person.post('/follow', body), await person.delete('/follow', body)]) {
        expectProblem(answer, 400, 'VALIDATION_FAILED');
      }
    }
    expectInvalid(await person.get('/follow/following?limit=0'), 'query.limit');
    expect(await listOf(person, 'following')).to.deep.equal([]);
  });
});
