import { expect } from 'chai';
import sharp from 'sharp';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem } from './helpers.js';

const DEFAULTS = {
  message: 'everyone',
  call: 'connections',
  viewProfile: 'everyone',
  viewActivity: 'everyone',
  addToGroup: 'connections',
  showPhoto: true,
  showActivityStatus: true,
};

describe('Privacy settings', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const choose = async (who: Person, patch: object): Promise<Json> => {
    const { status, body } = await who.patch('/settings/privacy', patch);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };
  const connect = async (one: Person, other: Person): Promise<string> => {
    const { body } = await one.post('/connections', { userId: other.id });
    expect((await other.put(`/connections/${body.id}/accept`)).status).to.equal(200);
    return body.id as string;
  };
  const profileOf = async (viewer: Person, of: Person): Promise<Json> => {
    const { status, body } = await viewer.get(`/profiles/${of.id}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };
  const changesOf = (who: Person): Promise<Json[]> =>
    campus.db.collection('events').find({ type: 'privacy.changed', actorId: who.id }).sort({ _id: 1 }).toArray();

  it('are open at first, and change only where something is named', async () => {
    const person = await api.register();
    expect((await person.get('/settings/privacy')).body).to.deep.equal(DEFAULTS);
    expect(await choose(person, { viewProfile: 'nobody', showActivityStatus: false })).to.deep.equal({
      ...DEFAULTS,
      viewProfile: 'nobody',
      showActivityStatus: false,
    });
    expect(await choose(person, { call: 'nobody' })).to.include({ viewProfile: 'nobody', call: 'nobody' });
    expect((await person.on(otherNode).get('/settings/privacy')).body).to.include({ call: 'nobody' });
    expect((await changesOf(person)).map(({ data }) => data.changed)).to.deep.equal([
      ['viewProfile', 'showActivityStatus'],
      ['call'],
    ]);
  });

  it('tell nobody where what is chosen was chosen already', async () => {
    const person = await api.register();
    await choose(person, { message: 'connections' });
    await choose(person, { message: 'connections', viewProfile: 'everyone' });
    await choose(person, {});
    expect(await changesOf(person)).to.have.length(1);
  });

  it('keep every change of twenty that are made at once on two nodes', async () => {
    const person = await api.register();
    const names = ['message', 'call', 'viewProfile', 'viewActivity', 'addToGroup'];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        person
          .on(index % 2 === 0 ? api : otherNode)
          .patch('/settings/privacy', { [names[index % names.length]!]: 'nobody', showPhoto: false }),
      ),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 20 }, () => 200));
    expect((await person.get('/settings/privacy')).body).to.deep.equal({
      ...Object.fromEntries(names.map((name) => [name, 'nobody'])),
      showPhoto: false,
      showActivityStatus: true,
    });
    const named = (await changesOf(person)).flatMap(({ data }) => data.changed as string[]);
    expect(named).to.have.members([...names, 'showPhoto']);
  });

  it('refuse what they do not know, and who is not signed in', async () => {
    const person = await api.register();
    expectInvalid(
      await person.patch('/settings/privacy', { message: 'friends', showPhoto: 'no', shoeSize: 42 }),
      'body.message',
      'body.showPhoto',
      'body.shoeSize',
    );
    expectProblem(await api.request('GET', '/settings/privacy'), 401, 'UNAUTHORIZED');
    expectProblem(await api.request('PATCH', '/settings/privacy', {}), 401, 'UNAUTHORIZED');
  });

  it('leave name and role of a profile to those who may not view it', async () => {
    const [person, friend, stranger] = [
      await api.register({ name: 'ليلى حدّاد', role: 'alumni' }),
      await api.register(),
      await api.register(),
    ];
    await person.patch('/profiles/me', { headline: 'Chemist', location: 'Amman', skills: ['Titration'] });
    await connect(friend, person);
    expect(await profileOf(stranger.on(otherNode), person)).to.include({ headline: 'Chemist', location: 'Amman' });

    await choose(person, { viewProfile: 'connections' });
    // At once on the node that was asked, and a moment later on every other.
    const limited = { id: person.id, name: 'ليلى حدّاد', role: 'alumni' };
    expect(await profileOf(stranger, person)).to.deep.equal(limited);
    await until(
      () => profileOf(stranger.on(otherNode), person),
      (body) => body.location === undefined,
    );
    expect(await profileOf(friend, person)).to.include({ headline: 'Chemist' });
    expect(await profileOf(person, person)).to.include({ headline: 'Chemist', email: person.email });
    expect(await profileOf(await api.admin(), person)).to.include({ headline: 'Chemist', email: person.email });

    await choose(person, { viewProfile: 'nobody' });
    expect(await profileOf(friend, person)).to.deep.equal(limited);
    expect(await profileOf(person, person)).to.include({ headline: 'Chemist' });

    await friend.post(`/users/${person.id}/block`);
    expectProblem(await friend.get(`/profiles/${person.id}`), 404, 'USER_NOT_FOUND');
  });

  it('keep the list of what one has posted to those it is for, but not what is posted in public', async () => {
    const [author, friend, stranger] = [await api.register(), await api.register(), await api.register()];
    const postId = await author.publish('In public');
    await connect(friend, author);
    await choose(author, { viewActivity: 'connections' });
    const list = `/users/${author.id}/posts`;
    expectProblem(await stranger.get(list), 403, 'ACTIVITY_NOT_SHARED');
    expect((await friend.get(list)).body.data.map(({ id }: Json) => id)).to.deep.equal([postId]);
    expect((await author.get(list)).body.data).to.have.length(1);
    expect((await stranger.get(`/posts/${postId}`)).status).to.equal(200);

    await choose(author, { viewActivity: 'nobody' });
    expectProblem(await friend.get(list), 403, 'ACTIVITY_NOT_SHARED');
    expect((await author.get(list)).status).to.equal(200);
    await choose(author, { viewActivity: 'everyone' });
    expect((await stranger.get(list)).status).to.equal(200);
    await stranger.post(`/users/${author.id}/block`);
    expectProblem(await stranger.get(list), 404, 'USER_NOT_FOUND');
  });

  it('stop to hold for a connection that has ended', async () => {
    const [person, friend] = [await api.register(), await api.register()];
    await person.patch('/profiles/me', { headline: 'Chemist' });
    const id = await connect(friend, person);
    await choose(person, { viewProfile: 'connections' });
    await until(
      () => profileOf(friend.on(otherNode), person),
      ({ headline }) => headline === 'Chemist',
    );
    await person.delete(`/connections/${id}`);
    await until(
      () => profileOf(friend.on(otherNode), person),
      ({ headline }) => headline === undefined,
    );
    await until(
      () => profileOf(friend, person),
      ({ headline }) => headline === undefined,
    );
  });

  it('take one’s photo from the eyes of others wherever it stands, and give it back', async () => {
    const [person, friend] = [await api.register({ name: 'Photographed' }), await api.register()];
    const photo = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(photo)], { type: 'image/png' }), 'me.png');
    const upload = await fetch(`${api.url}/api/v1/profiles/me/avatar`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${person.token}` },
      body: form,
    });
    expect(upload.status).to.equal(200);
    const postId = await person.publish();
    await connect(friend, person);
    const shown = async (): Promise<boolean[]> =>
      [
        await profileOf(friend, person),
        (await friend.get(`/posts/${postId}`)).body.author,
        (await friend.get('/connections')).body.data[0].user,
        (await friend.get('/users?q=photographed')).body.data[0],
      ].map(({ avatarUrl }: Json) => avatarUrl !== undefined);
    expect(await shown()).to.deep.equal([true, true, true, true]);

    await choose(person, { viewProfile: 'nobody' });
    expect(Object.keys(await profileOf(friend, person))).to.have.members(['id', 'name', 'role', 'avatarUrl']);
    await choose(person, { showPhoto: false });
    expect(await shown()).to.deep.equal([false, false, false, false]);
    expect((await person.get('/users/me')).body.avatarUrl).to.be.a('string');
    await choose(person, { showPhoto: true, viewProfile: 'everyone' });
    expect(await shown()).to.deep.equal([true, true, true, true]);
  });
});

describe('Preferences', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
  });
  after(() => campus.close());

  it('have defaults, and the language of the account', async () => {
    const person = await api.register({ locale: 'ar' });
    expect((await person.get('/settings/preferences')).body).to.deep.equal({
      theme: 'SYSTEM',
      feedSort: 'RELEVANCE',
      locale: 'ar',
      timeZone: 'UTC',
    });
  });

  it('change only where something is named, and are one with the account', async () => {
    const person = await api.register();
    const chosen = { theme: 'DARK', feedSort: 'RECENT', locale: 'ar', timeZone: 'Asia/Amman' };
    expect((await person.patch('/settings/preferences', chosen)).body).to.deep.equal(chosen);
    expect((await person.get('/users/me')).body).to.include({ locale: 'ar' });
    await person.patch('/users/me', { locale: 'en' });
    expect((await person.patch('/settings/preferences', { theme: 'LIGHT' })).body).to.deep.equal({
      ...chosen,
      theme: 'LIGHT',
      locale: 'en',
    });
    const other = await api.register();
    expect((await other.get(`/profiles/${person.id}`)).body).to.not.have.any.keys('theme', 'feedSort', 'timeZone');
  });

  it('refuse what there is not, and who is not signed in', async () => {
    const person = await api.register();
    for (const timeZone of ['Mars/Olympus', '+03:00', 'عمّان', 'Asia']) {
      expectInvalid(await person.patch('/settings/preferences', { timeZone }), 'body.timeZone');
    }
    expectInvalid(
      await person.patch('/settings/preferences', { theme: 'dark', feedSort: 'OLD', locale: 'fr', font: 'x' }),
      'body.theme',
      'body.feedSort',
      'body.locale',
      'body.font',
    );
    expectProblem(await api.request('GET', '/settings/preferences'), 401, 'UNAUTHORIZED');
    expectProblem(await api.request('PATCH', '/settings/preferences', {}), 401, 'UNAUTHORIZED');
  });
});
