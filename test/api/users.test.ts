import { expect } from 'chai';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { expectInvalid, expectProblem, NOBODY, registerAs } from './helpers.js';

describe('Accounts and profiles', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    admin = await api.admin();
  });
  after(() => campus.close());

  it('show the e-mail address to oneself and to admins, and to nobody else', async () => {
    const [person, other] = [await api.register({ name: 'Amal' }), await api.register()];
    const moderator = await registerAs(campus, api, 'moderator');
    const path = `/profiles/${person.id}`;
    for (const viewer of [person, admin]) expect((await viewer.get(path)).body.email).to.equal(person.email);
    for (const viewer of [other, moderator]) {
      const { status, body } = await viewer.get(path);
      expect(status).to.equal(200);
      expect(body).to.have.all.keys('id', 'name', 'role', 'locale', 'createdAt');
      expect(body).to.deep.include({ id: person.id, name: 'Amal', role: 'student' });
    }
    expect((await person.get('/users/me')).body).to.deep.equal((await person.get(path)).body);
  });

  it('never show the e-mail address beside what someone wrote or did', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const postId = await author.publish();
    await author.post(`/posts/${postId}/comments`, { content: 'First' });
    await author.post(`/posts/${postId}/react`, { type: 'LIKE' });
    for (const path of [
      `/posts/${postId}`,
      `/posts/${postId}/comments`,
      `/posts/${postId}/reactions`,
      `/users/${author.id}/posts`,
    ]) {
      const { status, body } = await reader.get(path);
      expect(status).to.equal(200);
      expect(JSON.stringify(body)).to.include(author.id).and.not.include(author.email);
    }
  });

  it('take a new name and language, and leave alone what is not named', async () => {
    const person = await api.register({ name: 'Before', locale: 'en' });
    await person.patch('/users/me', { locale: 'ar' });
    const { status, body } = await person.patch('/users/me', { name: '  أمل حدّاد ' });
    expect(status).to.equal(200);
    expect(body).to.deep.include({ name: 'أمل حدّاد', locale: 'ar', email: person.email, role: 'student' });
    expect((await person.get('/users/me')).body).to.deep.equal(body);
    expect((await person.patch('/users/me', {})).body).to.deep.equal(body);

    const postId = await person.publish();
    expect((await admin.get(`/posts/${postId}`)).body.author.name).to.equal('أمل حدّاد');
  });

  it('take a headline, a place and a text about oneself in both languages', async () => {
    const [person, other] = [await api.register(), await api.register()];
    const profile = {
      headline: 'Engineer 👩🏽‍💻',
      location: 'Amman',
      about: { en: 'I build things.\n\nAnd mend them.', ar: 'أبني الأشياء' },
    };
    const { status, body } = await person.patch('/profiles/me', profile);
    expect(status).to.equal(200);
    expect(body).to.deep.include(profile);
    expect((await other.get(`/profiles/${person.id}`)).body).to.deep.include(profile);
    expect((await other.get(`/posts/${await person.publish()}`)).body.author.headline).to.equal(profile.headline);
  });

  it('keep the Arabic text when only the English one changes', async () => {
    const person = await api.register();
    await person.patch('/profiles/me', { about: { en: 'Old', ar: 'نص' } });
    const { body } = await person.patch('/profiles/me', { about: { en: 'New' } });
    expect(body.about).to.deep.equal({ en: 'New', ar: 'نص' });
    expect((await person.patch('/profiles/me', { location: 'Irbid' })).body.about).to.deep.equal(body.about);
  });

  it('stick when two devices change different things at once', async () => {
    const person = await api.register();
    await Promise.all([
      person.patch('/profiles/me', { headline: 'Both' }),
      person.patch('/profiles/me', { location: 'stay' }),
      person.patch('/profiles/me', { about: { en: 'one' } }),
      person.patch('/profiles/me', { about: { ar: 'اثنان' } }),
      person.patch('/users/me', { locale: 'ar' }),
    ]);
    expect((await person.get('/users/me')).body).to.deep.include({
      headline: 'Both',
      location: 'stay',
      about: { en: 'one', ar: 'اثنان' },
      locale: 'ar',
    });
  });

  it('refuse what may not be changed, is too long or unknown', async () => {
    const person = await api.register();
    expectInvalid(await person.patch('/users/me', { role: 'admin' }), 'body.role');
    expectInvalid(await person.patch('/users/me', { email: 'new@campus.test' }), 'body.email');
    expectInvalid(await person.patch('/users/me', { name: ' ' }), 'body.name');
    expectInvalid(await person.patch('/users/me', { name: 'x'.repeat(81) }), 'body.name');
    expectInvalid(await person.patch('/profiles/me', { headline: '🎓'.repeat(221) }), 'body.headline');
    expect((await person.patch('/profiles/me', { headline: '🎓'.repeat(220) })).status).to.equal(200);
    expectInvalid(await person.patch('/profiles/me', { about: { fr: 'Bonjour' } }), 'body.about.fr');
    expectInvalid(await person.patch('/profiles/me', { userId: NOBODY }), 'body.userId');
  });

  it('answer 404 for someone who does not exist and 400 for what is no id', async () => {
    const person = await api.register();
    expectProblem(await person.get(`/profiles/${NOBODY}`), 404, 'USER_NOT_FOUND');
    expectProblem(await person.get(`/users/${NOBODY}/posts`), 404, 'USER_NOT_FOUND');
    expectInvalid(await person.get('/profiles/amal'), 'params.userId');
    expect((await person.get(`/profiles/${person.id.toUpperCase()}`)).body.id).to.equal(person.id);
  });
});
