import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { Scene } from '../delivery/scene.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';

const COHORT = { campus: 'حرم الجبيهة', graduationYear: 2027 };
const PLACEMENT = { company: 'Öl & Söhne', position: 'Engineer', startDate: '2026-12' };
/** More than two transactions tell. */
const MANY = 450;

describe('Who has found a position', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  const isolated = (text: string): string => `\u2068${text}\u2069`;
  const collection = (name: string) => scene.campus.db.collection(name);
  const ofCohort = async (choices: { name?: string; locale?: 'en' | 'ar' } = {}, campus = COHORT.campus) => {
    const person = await scene.register(choices);
    expect((await person.patch('/profiles/me', { ...COHORT, campus })).status).to.equal(200);
    return person;
  };
  const connect = async (one: Person, other: Person): Promise<void> => {
    const { body } = await one.post('/connections', { userId: other.id });
    expect((await other.put(`/connections/${body.id as string}/accept`)).status).to.equal(200);
  };
  const place = async (person: Person, choices: object = {}): Promise<void> => {
    const { status } = await person.put('/profiles/me/placement', { ...PLACEMENT, ...choices });
    expect(status).to.equal(200);
  };
  /** Until everybody has been told, as often as there was news. */
  const allTold = async (person: Person, times = 1): Promise<void> => {
    const noted = { type: 'notifications.placementNoted', 'data.userId': person.id };
    await until(
      () => collection('events').countDocuments(noted),
      (count) => count === times,
    );
    await until(
      () => collection('notificationPlacements').countDocuments({ userId: new ObjectId(person.id) }),
      (count) => count === 0,
    );
  };
  const told = async (person: Person): Promise<Json[]> =>
    (await person.get('/notifications?type=PLACEMENT')).body.data as Json[];
  const aboutOf = async (person: Person): Promise<string[]> =>
    (await told(person)).map(({ actorIds }) => actorIds[0] as string);

  it('is told to connections and to the cohort, once each; to nobody else, and not to themself', async () => {
    const person = await ofCohort({ name: 'Lina' });
    const [friend, both] = [await scene.register(), await ofCohort()];
    // Folded alike: it is the same campus.
    const mate = await ofCohort({}, 'حَرَم الجبيهه');
    const [elsewhere, stranger] = [await ofCohort({}, 'Another campus'), await scene.register()];
    for (const other of [friend, both]) await connect(person, other);
    const socket = await mate.connect('/notifications');

    await place(person);
    const live = await socket.next('notification:new', ({ type }) => type === 'PLACEMENT');
    expect(live).to.deep.include({
      category: 'careers',
      title: `${isolated('Lina')} has a new position`,
      body: `${isolated('Engineer')} at ${isolated('Öl & Söhne')}`,
      deepLink: `/profiles/${person.id}`,
      entity: { kind: 'user', id: person.id },
      actorIds: [person.id],
    });
    await allTold(person);
    for (const other of [friend, both, mate]) expect(await aboutOf(other)).to.deep.equal([person.id]);
    for (const other of [person, elsewhere, stranger]) expect(await told(other)).to.deep.equal([]);
    mate.disconnect();
  });

  it('is told in their language, in the app and by mail', async () => {
    const person = await scene.register({ name: 'Omar' });
    const friend = await scene.register({ locale: 'ar' });
    await connect(person, friend);
    await place(person, { company: 'شركة الأفق', position: 'مهندس' });
    const subject = `لدى ${isolated('Omar')} وظيفة جديدة`;
    const [mail] = await scene.edge.smtp.waitFor((each) => each.subject === subject);
    expect(mail!.envelope.to).to.deep.equal([friend.email]);
    expect(mail!.html).to.contain('dir="rtl"').and.to.contain('شركة الأفق').and.to.contain('عرض الملف الشخصي');
    const [notification] = await told(friend);
    expect(notification).to.deep.include({
      title: subject,
      body: `${isolated('مهندس')} في ${isolated('شركة الأفق')}`,
      locale: 'ar',
    });
  });

  it('is told to nobody from whom a block hides them, or who wants no news of careers', async () => {
    const [person, blocker, blocked, uninterested, mate] = await Promise.all(
      Array.from({ length: 5 }, () => ofCohort()),
    );
    await blocker!.post(`/users/${person!.id}/block`);
    await person!.post(`/users/${blocked!.id}/block`);
    const off = { inApp: false, email: false, webPush: false, mobilePush: false };
    await uninterested!.patch('/settings/notifications', { preferences: { careers: off } });
    await place(person!);
    await allTold(person!);
    expect(await aboutOf(mate!)).to.include(person!.id);
    for (const other of [blocker, blocked, uninterested]) expect(await aboutOf(other!)).not.to.include(person!.id);
  });

  it('is told to those only who may view the profile', async () => {
    const [open, hidden] = [await ofCohort(), await ofCohort()];
    const [friend, mate] = [await scene.register(), await ofCohort()];
    for (const person of [open, hidden]) await connect(person, friend);
    await open.patch('/settings/privacy', { viewProfile: 'connections' });
    await hidden.patch('/settings/privacy', { viewProfile: 'nobody' });
    for (const person of [open, hidden]) await place(person);
    for (const person of [open, hidden]) await allTold(person);
    expect(await aboutOf(friend)).to.deep.equal([open.id]);
    expect(await told(mate)).to.deep.equal([]);
  });

  it('is told of each change, and of one that was changed again before it went out not at all', async () => {
    const [person, friend] = [await scene.register(), await scene.register()];
    await connect(person, friend);
    await place(person, { company: 'First' });
    await allTold(person);
    await scene.campus.stopNodes();
    scene = new Scene(scene.campus, await scene.campus.startNode({ env: { ROLE: 'api' } }));
    const [placed, reader] = [person.on(scene.api), friend.on(scene.api)];
    for (const company of ['Second', 'Third', 'Second', 'Fourth']) await place(placed, { company });
    await scene.campus.startNode({ env: { ROLE: 'worker' } });
    await allTold(person, 5);
    expect((await told(reader)).map(({ data }) => data.placement.company as string)).to.deep.equal(['Fourth', 'First']);
  });

  it('is told in pages where very many are to be told, and once, though it is handled again', async () => {
    const crowd = await scene.crowd(MANY);
    const ids = crowd.map(({ id }) => new ObjectId(id));
    const cohort = { graduationYear: 2035, campus: 'Crowded', 'keys.campus': 'crowded' };
    await collection('users').updateMany({ _id: { $in: ids } }, { $set: cohort });
    const person = await scene.register();
    await person.patch('/profiles/me', { graduationYear: 2035, campus: 'Crowded' });
    await place(person);
    await allTold(person);
    const all = () =>
      collection('notifications')
        .find({ type: 'PLACEMENT', actorIds: new ObjectId(person.id) })
        .project({ userId: 1, bulk: 1, dedupeKey: 1, position: 1 })
        .sort({ _id: 1 })
        .toArray();
    const before = await all();
    expect(before.map(({ userId }) => String(userId)).sort()).to.deep.equal(ids.map(String).sort());
    expect(before.every(({ bulk }) => bulk === true)).to.equal(true);
    const sizes = await collection('events')
      .find({ type: 'notifications.created', 'data.shared.type': 'PLACEMENT', 'data.shared.actorIds': [person.id] })
      .map(({ data }) => data.items.length as number)
      .toArray();
    expect(Math.max(...sizes)).to.be.at.most(200);

    await scene.campus.stopNodes();
    await scene.campus.db.collection<{ _id: string }>('consumers').deleteOne({ _id: 'reactor' });
    scene = new Scene(scene.campus, await scene.campus.startNode());
    await allTold(person, 2);
    expect(await all()).to.deep.equal(before);
  });
});
