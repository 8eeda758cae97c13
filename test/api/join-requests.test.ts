import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { converse, read, say, sociable } from '../support/chat.js';
import { follow, invite, preview, standingAfter } from '../support/invitations.js';
import { until } from '../support/until.js';
import { allPages, expectProblem } from './helpers.js';

describe('Requests to join a group', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  let sara: Person;
  let omar: Person;
  let lina: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    otherNode = await campus.startNode({ env: { ROLE: 'api' } });
    [sara, omar, lina] = await Promise.all([api.register(), api.register(), api.register({ name: 'لينا' })]);
  });
  afterEach(() => {
    for (const person of [sara, omar, lina]) person.disconnect();
  });
  after(() => campus.close());

  /** A group of Sara, who owns it, and Omar, with a link that asks and one that does not. */
  const scene = async (title = 'نادي القراءة') => {
    const id = await converse(sara, [omar], title);
    const asking = (await invite(sara, id, { needsApproval: true })).token as string;
    return { id, path: `/conversations/${id}`, asking, open: (await invite(sara, id)).token as string };
  };
  const waiting = async (person: Person, path: string): Promise<string[]> =>
    (await allPages(person, `${path}/requests`, { limit: 1 })).map(({ userId }) => userId as string);
  const standing = async (person: Person, token: string): Promise<string> =>
    (await preview(person, token)).body.standing as string;
  const requestCount = async (person: Person, path: string): Promise<number | undefined> =>
    (await person.get(path)).body.requestCount as number | undefined;
  const about = (id: string) => (told: Json) => told.conversationId === id;

  it('wait for the owner and the admins, and let those in who are accepted, from then on', async () => {
    const { id, path, asking } = await scene();
    const other = await api.register();
    const hers = await lina.connect('/messages');
    expect((await follow(lina, asking)).body).to.deep.equal({ conversationId: id, standing: 'requested' });
    expect(await standingAfter(other, asking)).to.equal('requested');
    expect(await standingAfter(lina.on(otherNode), asking)).to.equal('requested');
    expect(await standing(lina, asking)).to.equal('requested');
    expectProblem(await lina.get(path), 404, 'CONVERSATION_NOT_FOUND');
    // Asking again is no second use.
    const { data } = (await sara.get(`${path}/invitations`)).body;
    expect(data.map(({ uses }: Json) => uses as number)).to.deep.equal([0, 2]);

    expect(await waiting(sara, path)).to.deep.equal([lina.id, other.id]);
    expect((await sara.get(`${path}/requests`)).body.data[0].user.name).to.equal('لينا');
    expect([await requestCount(sara, path), await requestCount(omar, path)]).to.deep.equal([2, undefined]);
    await say(sara, id, 'Before');
    const { position } = (await lina.get('/sync')).body;
    expect((await sara.put(`${path}/requests/${lina.id}/accept`)).status).to.equal(204);
    expect(await hers.next('conversation:updated', about(id))).to.deep.equal({ conversationId: id, removed: false });
    await say(omar, id, 'Welcome');
    expect((await hers.next('message:new', about(id))).body).to.equal('Welcome');
    expect((await read(lina, id)).map(({ body }) => body)).to.deep.equal(['Welcome']);
    expect((await lina.get(`/sync?since=${position}`)).body.conversations[0].id).to.equal(id);
    expect(await waiting(sara, path)).to.deep.equal([other.id]);
    expectProblem(await sara.put(`${path}/requests/${lina.id}/accept`), 404, 'REQUEST_NOT_FOUND');
  });

  it('are heard of by those who lead the group, live and when they ask what has changed, and by no other', async () => {
    const { id, path, asking } = await scene();
    const { position } = (await sara.get('/sync')).body;
    const [hers, his] = [await sara.on(otherNode).connect('/messages'), await omar.connect('/messages')];
    await standingAfter(lina, asking);
    expect(await hers.next('conversation:updated', about(id))).to.deep.equal({ conversationId: id, removed: false });
    const { conversations } = (await sara.get(`/sync?since=${position}`)).body;
    expect(conversations.find((each: Json) => each.id === id)).to.include({ requestCount: 1 });
    await lina.delete(`${path}/requests/${lina.id}`);
    await hers.collect('conversation:updated', 2, about(id));
    // What comes last is the first that he hears.
    await say(sara, id, 'The end');
    await his.next('message:new', about(id));
    expect(his.all('conversation:updated').filter(about(id))).to.deep.equal([]);
    for (const person of [omar, lina]) {
      const [status, code] = person === omar ? [403, 'NOT_AN_ADMIN'] : [404, 'CONVERSATION_NOT_FOUND'];
      expectProblem(await person.get(`${path}/requests`), status, code);
      for (const word of ['accept', 'reject']) {
        expectProblem(await person.put(`${path}/requests/${lina.id}/${word}`), status, code);
      }
    }
    hers.socket.disconnect();
  });

  it('that are rejected are over: those who asked are told, and no link lets them in unasked', async () => {
    const { id, path, asking, open } = await scene();
    const hers = await lina.on(otherNode).connect('/messages');
    await standingAfter(lina, asking);
    expect((await sara.put(`${path}/requests/${lina.id}/reject`)).status).to.equal(204);
    expect(await hers.next('conversation:updated', about(id))).to.deep.equal({ conversationId: id, removed: true });
    expect([await standing(lina, asking), await waiting(sara, path)]).to.deep.equal(['none', []]);
    expect(await standingAfter(lina, open)).to.equal('requested');
    // Taking it back does not undo that they were rejected; being let in does.
    expect((await lina.delete(`${path}/requests/${lina.id}`)).status).to.equal(204);
    expect(await standingAfter(lina, open)).to.equal('requested');
    await sara.put(`${path}/requests/${lina.id}/accept`);
    await lina.post(`${path}/leave`);
    expect(await standingAfter(lina, open)).to.equal('member');
    hers.socket.disconnect();
  });

  it('are taken back by those who made them, and by nobody else', async () => {
    const { path, asking, open } = await scene();
    const own = `${path}/requests/${lina.id}`;
    expectProblem(await lina.delete(own), 404, 'REQUEST_NOT_FOUND');
    await standingAfter(lina, asking);
    for (const person of [sara, omar]) expectProblem(await person.delete(own), 404, 'REQUEST_NOT_FOUND');
    expect((await lina.delete(own)).status).to.equal(204);
    expect(await waiting(sara, path)).to.deep.equal([]);
    expectProblem(await lina.delete(own), 404, 'REQUEST_NOT_FOUND');
    // Who waits need not, where another link is open to them; who is added waits no longer.
    await standingAfter(lina, asking);
    expect(await standingAfter(lina, open)).to.equal('member');
    expect(await requestCount(sara, path)).to.equal(0);
    const other = await sociable(await api.register());
    await standingAfter(other, asking);
    await sara.post(`${path}/members`, { userIds: [other.id] });
    expect(await requestCount(sara, path)).to.equal(0);
  });

  it('are decided once, by whoever is first of two admins and the one who asked', async () => {
    const { path, asking } = await scene();
    await sara.patch(`${path}/members/${omar.id}`, { role: 'admin' });
    for (let round = 0; round < 4; round += 1) {
      const person = await api.register();
      await standingAfter(person, asking);
      const request = `${path}/requests/${person.id}`;
      const answers = await Promise.all([
        sara.put(`${request}/accept`),
        omar.on(otherNode).put(`${request}/accept`),
        omar.put(`${request}/reject`),
        person.on(otherNode).delete(request),
      ]);
      const done = answers.flatMap(({ status }, index) => (status === 204 ? [index] : []));
      expect(done, JSON.stringify(answers.map(({ body }) => body as unknown))).to.have.length(1);
      for (const answer of answers.filter(({ status }) => status !== 204)) {
        expectProblem(answer, 404, 'REQUEST_NOT_FOUND');
      }
      expect(await standing(person, asking)).to.equal(done[0]! < 2 ? 'member' : 'none');
      expect(await waiting(sara, path)).to.deep.equal([]);
    }
  });

  it('and links lead to nothing where the owner blocks at that very moment', async () => {
    const { id, asking, open } = await scene();
    const links = [asking, open, asking, open];
    const people = await Promise.all(links.map(() => api.register()));
    await Promise.all(
      people.map(async (person, index) => {
        // Closed by what also takes them out of groups: so it is known when that is done.
        const direct = await converse(sara, [person]);
        await Promise.all([
          follow(person.on([api, otherNode][index % 2]!), links[index]!),
          sara.on(otherNode).post(`/users/${person.id}/block`),
        ]);
        await until(() =>
          campus.db
            .collection('memberships')
            .findOne({ conversationId: new ObjectId(direct), hiddenAt: { $exists: true } }),
        );
      }),
    );
    const conversationId = new ObjectId(id);
    const userId = { $in: people.map((person) => new ObjectId(person.id)) };
    const [members, requests] = [campus.db.collection('memberships'), campus.db.collection('joinRequests')];
    expect(await members.countDocuments({ conversationId, userId, leftAt: { $exists: false } })).to.equal(0);
    expect(await requests.countDocuments({ conversationId, userId, askedAt: { $exists: true } })).to.equal(0);
    expect((await sara.get(`/conversations/${id}`)).body).to.include({ memberCount: 2, requestCount: 0 });
    for (const person of people) {
      expectProblem(await follow(person, open), 404, 'INVITATION_NOT_FOUND');
    }
  });

  it('go on waiting where the group is full', async () => {
    const { path, asking } = await scene('Nearly full');
    const people = await Promise.all([api.register(), otherNode.register()]);
    for (const person of people) await standingAfter(person, asking);
    await campus.db.collection('conversations').updateOne({ title: 'Nearly full' }, { $set: { memberCount: 999 } });
    const answers = await Promise.all(
      people.map(({ id }, index) => sara.on([api, otherNode][index]!).put(`${path}/requests/${id}/accept`)),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 409]);
    const refused = answers.findIndex(({ status }) => status === 409);
    expectProblem(answers[refused]!, 409, 'GROUP_FULL');
    expect(await waiting(sara, path)).to.deep.equal([people[refused]!.id]);
    expect((await sara.get(path)).body.memberCount).to.equal(1_000);
  });

  it('end with a block by the owner, and show nobody to whom a block hides', async () => {
    const { path, asking } = await scene();
    const [asker, shy] = [await api.register(), await api.register()];
    await sara.patch(`${path}/members/${omar.id}`, { role: 'admin' });
    for (const person of [asker, shy]) await standingAfter(person, asking);
    // From an admin it hides the request, which is there for the owner all the same.
    await shy.post(`/users/${omar.id}/block`);
    await until(
      () => waiting(omar, path),
      (ids) => !ids.includes(shy.id),
    );
    expect(await requestCount(omar, path)).to.equal(1);
    expectProblem(await omar.put(`${path}/requests/${shy.id}/accept`), 404, 'REQUEST_NOT_FOUND');
    expect(await waiting(sara, path)).to.deep.equal([asker.id, shy.id]);
    await sara.post(`/users/${asker.id}/block`);
    // Not even another admin lets them in, at once and for good.
    expectProblem(await omar.on(otherNode).put(`${path}/requests/${asker.id}/accept`), 404, 'REQUEST_NOT_FOUND');
    await until(
      () => waiting(omar, path),
      (ids) => !ids.includes(asker.id),
    );
    await sara.delete(`/users/${asker.id}/block`);
    expect(await waiting(sara, path)).to.deep.equal([shy.id]);
    expect(await standing(asker, asking)).to.equal('none');
  });
});
