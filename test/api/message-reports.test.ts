import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { converse, say, sociable } from '../support/chat.js';
import { pdf, uploaded } from '../support/media.js';
import { until } from '../support/until.js';
import { allPages, expectProblem, NOBODY, registerAs } from './helpers.js';

describe('Reports of messages', () => {
  let campus: Campus;
  let api: Api;
  let moderator: Person;
  let sara: Person;
  let omar: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    moderator = await registerAs(campus, api, 'moderator');
    [sara, omar] = [await api.register(), await api.register()];
  });
  after(() => campus.close());

  const attempt = (who: Person, messageId: string) => who.post('/reports', { messageId, category: 'HARASSMENT' });
  const report = async (who: Person, messageId: string): Promise<Json> => {
    const { status, body } = await attempt(who, messageId);
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  };
  const caseOf = async (id: string): Promise<Json> =>
    (await allPages(moderator, '/reports', { limit: 100 })).find((each) => each.id === id);

  it('show the moderators what it says and what it said, and nobody else', async () => {
    const id = await converse(sara, [omar]);
    const said = await say(omar, id, 'كلام جارح');
    const path = `/conversations/${id}/messages/${said.id as string}`;
    await omar.patch(path, { body: 'Something worse' });
    const { body: edited } = await omar.patch(path, { body: 'Never mind' });
    const made = await report(sara, said.id as string);
    expect(made.target).to.deep.equal({ kind: 'message', id: said.id, conversationId: id });
    // It is the moderators’ only; the one who reports has seen what they have seen.
    expect(made).not.to.have.property('message');

    const shown = await caseOf(made.id as string);
    expect([shown.reporter.id, shown.user.id]).to.deep.equal([sara.id, omar.id]);
    const { edits, ...rest } = shown.message;
    expect(rest).to.deep.equal({ body: 'Never mind', createdAt: said.createdAt, editedAt: edited.editedAt });
    expect(edits.map(({ body }: Json) => body)).to.deep.equal(['كلام جارح', 'Something worse']);
    // Nor is it hidden by being deleted.
    await omar.delete(path);
    const later = (await caseOf(made.id as string)).message;
    expect(later).to.include({ body: '' }).and.to.have.property('deletedAt');
    expect(later.edits.map(({ body }: Json) => body)).to.deep.equal(['كلام جارح', 'Something worse', 'Never mind']);
    for (const person of [sara, omar]) expectProblem(await person.get('/reports'), 403, 'FORBIDDEN');
    const { body: closed } = await moderator.put(`/reports/${made.id as string}/resolve`);
    expect(closed.message).to.deep.equal(later);
    const events = await campus.db
      .collection('events')
      .find({ type: /^report\./ })
      .toArray();
    expect(events.map(({ data }) => [data.kind, data.targetId] as unknown)).to.deep.equal([
      ['message', said.id],
      ['message', said.id],
    ]);
    expect(JSON.stringify(events)).not.to.include('Never mind');
  });

  it('show what was attached by what it is called, also after it was deleted, and lead nowhere', async () => {
    const id = await converse(sara, [omar]);
    const [file, photo] = [
      await uploaded(omar, pdf(), { type: 'DOCUMENT', name: 'threat.pdf' }),
      await uploaded(omar, undefined, { altText: 'A fist' }),
    ];
    const said = await say(omar, id, '', { attachments: [file.id, photo.id] });
    const { id: reportId } = await report(sara, said.id as string);
    const attachments = [
      { type: 'DOCUMENT', name: 'threat.pdf' },
      { type: 'IMAGE', altText: 'A fist' },
    ];
    const shown = (await caseOf(reportId as string)).message;
    expect(shown).to.deep.equal({ body: '', attachments, createdAt: said.createdAt, edits: [] });
    await omar.delete(`/conversations/${id}/messages/${said.id as string}`);
    const { edits, ...later } = (await caseOf(reportId as string)).message;
    expect(later).not.to.have.property('attachments');
    expect(edits.map(({ at: _at, ...rest }: Json) => rest)).to.deep.equal([{ body: '', attachments }]);
  });

  it('are made by those who can see it, of what others have said', async () => {
    const [late, gone, stranger] = [await api.register(), await api.register(), await api.register()];
    const group = await converse(sara, [omar, gone], 'Seen');
    const said = (await say(omar, group, 'Before')).id as string;
    await sara.post(`/conversations/${group}/members`, { userIds: [(await sociable(late)).id] });
    await gone.post(`/conversations/${group}/leave`);
    // Who came later, has left, or was never there; and a moderator is nobody special here.
    for (const person of [late, gone, stranger, moderator]) {
      expectProblem(await attempt(person, said), 404, 'TARGET_NOT_FOUND');
    }
    expectProblem(await attempt(omar, said), 400, 'CANNOT_REPORT_YOURSELF');
    expectProblem(await attempt(sara, NOBODY), 404, 'TARGET_NOT_FOUND');
    const hidden = (await say(omar, group, 'Out of my sight')).id as string;
    await sara.delete(`/conversations/${group}/messages/${hidden}?for=me`);
    expectProblem(await attempt(sara, hidden), 404, 'TARGET_NOT_FOUND');
    await report(late, hidden);
    const both = { messageId: said, userId: omar.id, category: 'SPAM' };
    expectProblem(await sara.post('/reports', both), 400, 'VALIDATION_FAILED');
    const answers = await Promise.all(Array.from({ length: 4 }, () => attempt(sara, said)));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 409, 409, 409]);
  });

  it('may still be made by the one who has blocked the sender, and not by the one who was blocked', async () => {
    const [blocker, blocked] = [await api.register(), await api.register()];
    const id = await converse(blocker, [blocked]);
    const [theirs, own] = [await say(blocked, id, 'Rude'), await say(blocker, id, 'Go away')];
    await blocker.post(`/users/${blocked.id}/block`);
    await until(
      () => blocker.get(`/conversations/${id}`),
      ({ status }) => status === 404,
    );
    expectProblem(await attempt(blocked, own.id as string), 404, 'TARGET_NOT_FOUND');
    const { id: reportId } = await report(blocker, theirs.id as string);
    expect((await caseOf(reportId as string)).message).to.include({ body: 'Rude' });
  });
});
