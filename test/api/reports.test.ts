import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY, registerAs } from './helpers.js';

describe('Reports', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  let moderator: Person;
  let colleague: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    otherNode = await campus.startNode();
    moderator = await registerAs(campus, api, 'moderator');
    colleague = await registerAs(campus, api, 'moderator');
  });
  after(() => campus.close());

  const report = async (who: Person, body: object): Promise<Json> => {
    const answer = await who.post('/reports', { category: 'SPAM', ...body });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body;
  };
  const caseOf = async (id: string, status = 'open'): Promise<Json> =>
    (await allPages(moderator, `/reports?status=${status}`, { limit: 100 })).find((each) => each.id === id);
  const comment = async (who: Person, postId: string): Promise<string> =>
    (await who.post(`/posts/${postId}/comments`, { content: 'Nonsense' })).body.id as string;

  it('of a user, a post or a comment reach the moderators', async () => {
    const [reporter, author, writer] = [await api.register(), await api.register(), await api.register()];
    const postId = await author.publish();
    const commentId = await comment(writer, postId);
    const details = 'يكرّر الرسالة نفسها كل يوم';

    const ofUser = await report(reporter, { userId: author.id, category: 'IMPERSONATION', details });
    expect(ofUser).to.deep.equal({
      id: ofUser.id,
      target: { kind: 'user', id: author.id },
      category: 'IMPERSONATION',
      details,
      status: 'open',
      createdAt: ofUser.createdAt,
    });
    const ofPost = await report(reporter, { postId });
    const ofComment = await report(reporter, { commentId });
    expect(ofComment.target).to.deep.equal({ kind: 'comment', id: commentId, postId });

    for (const [{ id }, about, target] of [
      [ofUser, author, { kind: 'user', id: author.id }],
      [ofPost, author, { kind: 'post', id: postId }],
      [ofComment, writer, { kind: 'comment', id: commentId, postId }],
    ] as const) {
      const found = await caseOf(id);
      expect(found.target).to.deep.equal(target);
      expect([found.reporter.id, found.user.id]).to.deep.equal([reporter.id, about.id]);
    }
    const events = await campus.db
      .collection('events')
      .find({ type: 'report.created', actorId: reporter.id })
      .toArray();
    expect(events.map(({ data }) => data.reportId as string)).to.have.members([ofUser.id, ofPost.id, ofComment.id]);
  });

  it('are one per reporter and target while open, however many are sent at once', async () => {
    const [reporter, other, author] = [await api.register(), await api.register(), await api.register()];
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        reporter.on(index % 2 === 0 ? api : otherNode).post('/reports', { userId: author.id, category: 'SPAM' }),
      ),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made).to.have.length(1);
    for (const answer of answers.filter((each) => each !== made[0])) expectProblem(answer, 409, 'ALREADY_REPORTED');
    expect(
      await campus.db.collection('events').countDocuments({ type: 'report.created', actorId: reporter.id }),
    ).to.equal(1);
    // Another category is no other target, and another reporter is another report.
    expectProblem(await reporter.post('/reports', { userId: author.id, category: 'OTHER' }), 409, 'ALREADY_REPORTED');
    await report(other, { userId: author.id });
    // What was dealt with may happen again, and be reported again: the tenth of the day is the last.
    await moderator.put(`/reports/${made[0]!.body.id}/dismiss`);
    await report(reporter, { userId: author.id });
    expectProblem(await reporter.post('/reports', { userId: author.id, category: 'SPAM' }), 429, 'RATE_LIMITED');
  });

  it('run once for one idempotency key', async () => {
    const [reporter, author] = [await api.register(), await api.register()];
    const send = () =>
      reporter.post(
        '/reports',
        { userId: author.id, category: 'SPAM' },
        { headers: { 'idempotency-key': 'one-report' } },
      );
    const [first, second] = await Promise.all([send(), send()]);
    expect([first.status, second.status]).to.deep.equal([201, 201]);
    expect(first.body).to.deep.equal(second.body);
  });

  it('are not made of oneself, of nothing, or of what makes no sense', async () => {
    const [person, other] = [await api.register(), await api.register()];
    const postId = await person.publish();
    for (const target of [{ userId: person.id }, { postId }, { commentId: await comment(person, postId) }]) {
      expectProblem(await person.post('/reports', { ...target, category: 'SPAM' }), 400, 'CANNOT_REPORT_YOURSELF');
    }
    for (const name of ['userId', 'postId', 'commentId']) {
      expectProblem(await other.post('/reports', { [name]: NOBODY, category: 'SPAM' }), 404, 'TARGET_NOT_FOUND');
    }
    const nonsense = await api.register();
    for (const body of [
      {},
      { category: 'SPAM' },
      { userId: other.id },
      { userId: other.id, category: 'BORING' },
      { userId: other.id, postId, category: 'SPAM' },
      { userId: 'x', category: 'SPAM' },
      { userId: other.id, category: 'SPAM', details: '' },
    ]) {
      const { status, body: problem } = await nonsense.post('/reports', body);
      expect([status, problem.code], JSON.stringify(body)).to.deep.equal([400, 'VALIDATION_FAILED']);
    }
    expectProblem(await api.request('POST', '/reports', { postId, category: 'SPAM' }), 401, 'UNAUTHORIZED');
  });

  it('are not made of what a block hides, but may be by the one who has blocked', async () => {
    const [blocker, blocked, neutral] = [await api.register(), await api.register(), await api.register()];
    const [postId, neutralPost] = [await blocker.publish(), await neutral.publish()];
    const [onPost, onNeutral] = [await comment(neutral, postId), await comment(blocker, neutralPost)];
    await blocker.post(`/users/${blocked.id}/block`);
    for (const target of [{ userId: blocker.id }, { postId }, { commentId: onPost }, { commentId: onNeutral }]) {
      expectProblem(await blocked.post('/reports', { ...target, category: 'SPAM' }), 404, 'TARGET_NOT_FOUND');
    }
    await report(blocked, { postId: neutralPost });
    await report(blocker, { userId: blocked.id, category: 'HARASSMENT' });
  });

  it('are closed once, by whichever of two moderators is first', async () => {
    const author = await api.register();
    for (let round = 0; round < 4; round += 1) {
      const { id } = await report(await api.register(), { userId: author.id });
      const answers = await Promise.all([
        moderator.put(`/reports/${id}/resolve`),
        colleague.on(otherNode).put(`/reports/${id}/dismiss`),
      ]);
      const [winner, ...none] = answers.filter(({ status }) => status === 200);
      expect(none).to.deep.equal([]);
      expectProblem(
        answers.find((each) => each !== winner)!,
        409,
        'REPORT_NOT_OPEN',
      );
      const { status, handledBy, handledAt } = winner!.body;
      expect([status, handledBy.id]).to.be.deep.oneOf([
        ['resolved', moderator.id],
        ['dismissed', colleague.id],
      ]);
      expect(await caseOf(id)).to.equal(undefined);
      expect(await caseOf(id, status)).to.deep.include({ handledAt, status });
      expectProblem(
        await moderator.put(`/reports/${id}/${status === 'resolved' ? 'resolve' : 'dismiss'}`),
        409,
        'REPORT_NOT_OPEN',
      );
    }
    expectProblem(await moderator.put(`/reports/${NOBODY}/resolve`), 404, 'REPORT_NOT_FOUND');
  });

  it('that are closed are told of once, and stand in the audit: who closed which of whom, how and from where', async () => {
    const [reporter, author] = [await api.register(), await api.register()];
    const admin = await api.admin();
    const rows = async (): Promise<Json[]> =>
      (await admin.get(`/audit?targetId=${author.id}&action=report.closed`)).body.data as Json[];
    for (const [word, outcome] of [
      ['resolve', 'resolved'],
      ['dismiss', 'dismissed'],
    ] as const) {
      const details = 'An unmistakable text';
      const { id } = await report(reporter, { userId: author.id, category: 'HARASSMENT', details });
      await Promise.all(Array.from({ length: 3 }, () => moderator.put(`/reports/${id}/${word}`)));
      const events = await campus.db
        .collection('events')
        .find({ type: 'report.closed', 'entity.id': id as string })
        .toArray();
      expect(events.map(({ actorId, data }) => [actorId, data])).to.deep.equal([
        [
          moderator.id,
          {
            reportId: id,
            reporterId: reporter.id,
            userId: author.id,
            kind: 'user',
            targetId: author.id,
            category: 'HARASSMENT',
            outcome,
          },
        ],
      ]);
      expect(events[0]!['audience']).to.deep.equal({ roles: ['moderator', 'admin'] });
      const row = await until(
        async () => (await rows()).find(({ entity }) => entity.id === id),
        (found) => found !== undefined,
      );
      expect(row).to.deep.include({
        actorId: moderator.id,
        targetId: author.id,
        entity: { kind: 'report', id },
        reason: outcome,
      });
      expect(row.origin.ip).to.match(/127\.0\.0\.1|::1/);
    }
    const stored = await campus.db.collection('audit').find().toArray();
    expect(JSON.stringify(stored)).not.to.include('unmistakable');
  });

  it('are listed newest first, page by page, by status', async () => {
    const author = await api.register();
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1)
      made.push((await report(await api.register(), { userId: author.id })).id);
    const listed = idsOf(await allPages(await api.admin(), '/reports', { limit: 2 }));
    expect(new Set(listed).size).to.equal(listed.length);
    expect(listed.filter((id) => made.includes(id))).to.deep.equal([...made].reverse());
    expectInvalid(await moderator.get('/reports?status=closed'), 'query.status');
  });

  it('are for moderators only, and those about a moderator for the others', async () => {
    const [reporter, author] = [await api.register(), await api.register()];
    const { id } = await report(reporter, { userId: author.id });
    const { id: aboutModerator } = await report(reporter, { userId: moderator.id });
    for (const person of [reporter, author]) {
      expectProblem(await person.get('/reports'), 403, 'FORBIDDEN');
      for (const word of ['resolve', 'dismiss']) {
        expectProblem(await person.put(`/reports/${id}/${word}`), 403, 'FORBIDDEN');
      }
    }
    expectProblem(await api.request('GET', '/reports'), 401, 'UNAUTHORIZED');
    expect(await caseOf(aboutModerator)).to.equal(undefined);
    expectProblem(await moderator.put(`/reports/${aboutModerator}/dismiss`), 404, 'REPORT_NOT_FOUND');
    expect((await colleague.put(`/reports/${aboutModerator}/dismiss`)).status).to.equal(200);
  });
});
