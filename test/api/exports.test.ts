import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { strFromU8, unzipSync } from 'fflate';
import { ObjectId } from 'mongodb';
import sharp from 'sharp';
import { DAY } from '../../src/core/clock.js';
import { localStorage } from '../../src/core/storage/local-storage.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { follow, invite } from '../support/invitations.js';
import { pdf, uploaded as uploadedMedia } from '../support/media.js';
import { until } from '../support/until.js';
import { mailTo, newCode, wrongCode } from './auth-mail.js';
import { expectInvalid, expectProblem, NOBODY } from './helpers.js';

describe('Exports of one’s data', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode({ env: campus.edge.twilio.environment });
  });
  after(() => campus.close());

  const codeOf = (person: Person) => newCode(campus, person, 'export');
  const request = async (person: Person) => person.post('/users/me/export', { code: await codeOf(person) });
  const ready = (person: Person): Promise<Json> =>
    until(
      async () => (await person.get('/users/me/export')).body,
      ({ status }) => status === 'ready',
    );
  const download = async (person: Person, url: string) => {
    const response = await fetch(`${api.url}${url}`, { headers: { authorization: `Bearer ${person.token}` } });
    return { response, body: Buffer.from(await response.arrayBuffer()) };
  };
  /** The files of someone's export; those of JSON read. */
  const exported = async (person: Person, code?: string): Promise<Record<string, Json>> => {
    const asked = await person.post('/users/me/export', { code: code ?? (await codeOf(person)) });
    expect(asked.status).to.equal(202);
    const { body } = await download(person, (await ready(person)).downloadUrl);
    return Object.fromEntries(
      Object.entries(unzipSync(body)).map(([name, content]) => [
        name,
        name.endsWith('.json') ? JSON.parse(strFromU8(content)) : Buffer.from(content),
      ]),
    );
  };
  const filesOf = async (person: Person): Promise<string[]> =>
    readdir(join(campus.dataDir, 'files', person.id, 'exports')).catch(() => []);

  it('hold everything of the user, in any script, and pictures as they are', async () => {
    const [person, other] = [await api.register({ name: 'ليلى حداد' }), await api.register({ name: 'Other Person' })];
    await person.patch('/profiles/me', { headline: 'Engineer', about: { ar: 'مهندسة برمجيات' }, skills: ['Rust'] });
    const form = new FormData();
    const picture = await sharp({ create: { width: 500, height: 500, channels: 3, background: '#3366cc' } })
      .png()
      .toBuffer();
    form.append('file', new Blob([new Uint8Array(picture)]), 'me.png');
    const uploaded = await fetch(`${api.url}/api/v1/profiles/me/avatar`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${person.token}` },
      body: form,
    });
    expect(uploaded.status).to.equal(200);
    const postId = await person.publish('منشور واحد');
    const deletedId = await person.publish('One that I deleted');
    await person.delete(`/posts/${deletedId}`);
    const othersId = await other.publish('A post of the other');
    await person.post(`/posts/${othersId}/comments`, { content: 'A comment of mine' });
    await person.post(`/posts/${othersId}/react`, { type: 'LOVE' });
    await other.post(`/posts/${postId}/comments`, { content: 'A secret of the other' });
    await person.post('/connections', { userId: other.id, note: 'A note of mine' });
    await person.post('/follow', { userId: other.id });
    await person.post('/follow', { hashtag: '#عمّان' });
    await other.post('/follow', { userId: person.id });
    const blocked = await api.register({ name: 'Blocked Person' });
    await person.post(`/users/${blocked.id}/block`);
    await person.post('/push/register', { token: 'export:token', platform: 'IOS' });
    await person.patch('/settings/notifications', { preferences: { social: { email: false } } });
    await person.put('/users/me/phone', { phone: '+962791234567' });
    const [sms] = await campus.edge.twilio.waitFor();
    await person.post('/users/me/phone/verify', { code: sms!.body.slice(-6) });
    await person.post('/settings/notifications/mutes', { kind: 'post', id: othersId });
    const own = await converse(person, [other], 'My group');
    const document = await uploadedMedia(person, pdf('My thesis'), { type: 'DOCUMENT', name: 'رسالة.pdf' });
    const photo = await uploadedMedia(person, undefined, { altText: 'A blue wall' });
    await say(person, own, '', { attachments: [document.id, photo.id] });
    await invite(person, own);
    const others = await converse(other, [blocked], 'Of others');
    await follow(person, (await invite(other, others, { needsApproval: true })).token as string);
    const device = await person.connect('/presence');
    await device.ask('presence:set', { state: 'invisible' });
    await until(
      async () => (await person.get('/notifications?type=COMMENT')).body.data as Json[],
      (list) => list.length === 1,
    );

    const files = await exported(person);
    expect(files['account.json']).to.deep.include({
      id: person.id,
      name: 'ليلى حداد',
      email: person.email,
      headline: 'Engineer',
      about: { ar: 'مهندسة برمجيات' },
      skills: ['Rust'],
    });
    expect(await sharp(files['pictures/avatar.webp'] as Buffer).metadata()).to.deep.include({
      format: 'webp',
      width: 400,
    });
    expect(files['posts.json'].map(({ content }: Json) => content)).to.have.members([
      'منشور واحد',
      'One that I deleted',
    ]);
    expect(files['comments.json'][0]).to.deep.include({ postId: othersId, content: 'A comment of mine' });
    expect(files['reactions.json'][0]).to.deep.include({ postId: othersId, type: 'LOVE' });
    const user = { id: other.id, name: 'Other Person' };
    expect(files['connections.json'][0]).to.deep.include({ user, direction: 'out', note: 'A note of mine' });
    const following = files['following.json'].map(({ hashtag, user: followed }: Json) => hashtag ?? followed);
    expect(following).to.have.deep.members([user, 'عمّان']);
    expect(files['followers.json'][0]).to.deep.include({ user });
    expect(files['blocks.json'][0].user).to.deep.equal({ id: blocked.id, name: 'Blocked Person' });
    expect(files['devices.json'][0]).to.deep.include({ channel: 'mobilePush', address: 'export:token' });
    expect(files['notification-settings.json'].preferences.social.email).to.equal(false);
    expect(files['notification-mutes.json'][0]).to.deep.include({ kind: 'post', id: othersId });
    expect(files['phones.json'][0]).to.include({ number: '+962791234567' });
    expect(files['invitations.json'][0]).to.deep.include({ conversationId: own, uses: 0 });
    expect(files['media.json'].map(({ createdAt: _at, ...rest }: Json) => rest)).to.have.deep.members([
      { id: document.id, type: 'DOCUMENT', name: 'رسالة.pdf' },
      { id: photo.id, type: 'IMAGE', altText: 'A blue wall' },
    ]);
    expect((files[`media/${document.id as string}.pdf`] as Buffer).includes('My thesis')).to.equal(true);
    expect(await sharp(files[`media/${photo.id as string}.webp`] as Buffer).metadata()).to.include({ width: 640 });
    expect(files['messages.json'][0].attachments).to.deep.equal([
      { id: document.id, type: 'DOCUMENT' },
      { id: photo.id, type: 'IMAGE' },
    ]);
    expect(files['join-requests.json'][0]).to.deep.include({ conversationId: others });
    const { lastSeenAt, ...presence } = files['presence.json'];
    expect(presence).to.deep.equal({ state: 'offline', choice: 'invisible' });
    expect(Date.parse(lastSeenAt as string)).to.be.at.most(Date.now() + 1_000);
    device.socket.disconnect();
    expect(files['sessions.json'][0]).to.deep.include({ device: 'node' });
    expect(files['known-devices.json'][0]).to.deep.include({ device: 'node' });
    expect(files['security-log.json'][0]).to.deep.include({ action: 'session.started', userAgent: 'node' });
    expect(files['exports.json']).to.have.length(1);
    const comment = files['notifications.json'].find(({ type }: Json) => type === 'COMMENT');
    expect(comment.title).to.contain('Other Person');

    // Of others there is the id and the name; of oneself no secret.
    const all = JSON.stringify(files);
    expect(all).to.not.contain('A secret of the other');
    expect(all).to.not.contain(other.email);
    expect(all).to.not.match(/passwordHash|argon2/);
  });

  it('hold empty lists of whoever has done nothing', async () => {
    const files = await exported(await api.register());
    for (const name of [
      'posts',
      'comments',
      'reactions',
      'connections',
      'following',
      'followers',
      'blocks',
      'devices',
      'mail-suppressions',
      'phones',
      'media',
    ]) {
      expect(files[`${name}.json`], name).to.deep.equal([]);
    }
  });

  it('say which of one’s addresses gets no mail, and why', async () => {
    const person = await api.register();
    const code = await codeOf(person);
    const { body } = await (await api.admin()).post('/admin/suppressions', { address: person.email });
    const { 'mail-suppressions.json': suppressions } = await exported(person, code);
    expect(suppressions).to.deep.equal([{ address: person.email, reason: 'manual', createdAt: body.createdAt }]);
  });

  it('do not tell someone by whom they are blocked', async () => {
    const [person, blocker] = [await api.register(), await api.register()];
    await blocker.post(`/users/${person.id}/block`);
    expect(JSON.stringify(await exported(person))).to.not.contain(blocker.id);
  });

  it('are announced when they are ready, in the language of the user', async () => {
    const person = await api.register({ locale: 'ar' });
    expectProblem(await person.get('/users/me/export'), 404, 'EXPORT_NOT_FOUND');
    const { body, status } = await request(person);
    expect(status).to.equal(202);
    expect(body).to.deep.include({ status: 'pending' });
    expect(body).to.not.have.property('downloadUrl');
    await mailTo(campus, person.email, /بياناتك جاهزة للتنزيل/);
    const { data } = (await person.get('/notifications?type=SECURITY')).body;
    expect(data[0].entity).to.deep.equal({ kind: 'export', id: body.id });
    expect((await person.get('/users/me/export')).body).to.deep.include({ id: body.id, status: 'ready' });
  });

  it('can be asked for twice with one key', async () => {
    const person = await api.register();
    const headers = { 'idempotency-key': 'export-once' };
    const code = await codeOf(person);
    const first = await person.post('/users/me/export', { code }, { headers });
    expect(first.status).to.equal(202);
    await ready(person);
    const second = await person.post('/users/me/export', { code }, { headers });
    expect(second.body).to.deep.equal(first.body);
  });

  it('take a code that was mailed for one, which works once', async () => {
    const person = await api.register();
    const code = await codeOf(person);
    const attempt = (given: string) => person.post('/users/me/export', { code: given });
    expectProblem(await attempt(wrongCode(code)), 400, 'CODE_INVALID');
    const forErasure = await newCode(campus, person, 'erasure');
    if (forErasure !== code) expectProblem(await attempt(forErasure), 400, 'CODE_INVALID');
    expectInvalid(await person.post('/users/me/export', {}), 'body.code');
    expectInvalid(await attempt('١٢٣٤٥٦'), 'body.code');
    expectProblem(await person.get('/users/me/export'), 404, 'EXPORT_NOT_FOUND');

    expect((await attempt(code)).status).to.equal(202);
    await ready(person);
    expectProblem(await attempt(code), 400, 'CODE_INVALID');
  });

  it('are for their owner only, signed in', async () => {
    const [person, other] = [await api.register(), await api.register()];
    await request(person);
    const { downloadUrl, size } = await ready(person);
    const { response, body } = await download(person, downloadUrl);
    expect(response.headers.get('content-type')).to.equal('application/zip');
    expect(response.headers.get('content-disposition')).to.match(/^attachment; filename="atrium-\w+\.zip"$/);
    expect(response.headers.get('cache-control')).to.equal('private, no-store');
    expect(body.length).to.equal(size);
    expectProblem(await other.get(downloadUrl), 404, 'EXPORT_NOT_FOUND');
    expectProblem(await (await api.admin()).get(downloadUrl), 404, 'EXPORT_NOT_FOUND');
    expectProblem(await api.request('GET', downloadUrl), 401, 'UNAUTHORIZED');
    expectProblem(await person.get(`/users/me/export/${NOBODY}/file`), 404, 'EXPORT_NOT_FOUND');
    expectProblem(await api.request('POST', '/users/me/export', { code: '123456' }), 401, 'UNAUTHORIZED');
  });

  it('are made one at a time, however often they are asked for at once, on whichever node', async () => {
    const person = await api.register();
    const code = await codeOf(person);
    await campus.stopNodes();
    const nodes = [await campus.startNode({ env: { ROLE: 'api' } }), await campus.startNode({ env: { ROLE: 'api' } })];
    const [one, two] = nodes.map((node) => person.on(node)) as [Person, Person];
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? one : two).post(
          '/users/me/export',
          { code },
          // Some of them with keys, whose answers are stored with the export.
          i > 3 ? { headers: { 'idempotency-key': `export-${i}` } } : {},
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(Array(8).fill(202));
    expect(new Set(answers.map(({ body }) => body.id as string)).size).to.equal(1);
    await campus.stopNodes();
    api = await campus.startNode();
    const { id } = await ready(person.on(api));
    const again = await request(person.on(api));
    expect(again.status).to.equal(202);
    expect(again.body.id).to.not.equal(id);
  });

  it('that a killed worker has begun are made by another, which clears up after it', async () => {
    const person = await api.register();
    const code = await codeOf(person);
    await campus.stopNodes();
    api = await campus.startNode({ env: { ROLE: 'api' } });
    const back = await api.signIn(person.email, person.password);
    const { body } = await back.post('/users/me/export', { code });
    const _id = new ObjectId(body.id as string);
    // As a worker leaves it that dies between keeping the file and saying so.
    const file = `${person.id}/exports/${body.id as string}-left-behind.zip`;
    await localStorage(join(campus.dataDir, 'files')).put(file, Buffer.from('half'));
    const exports = campus.db.collection('exports');
    const nextAttemptAt = new Date(campus.clock.now().getTime() + 60_000);
    await exports.updateOne({ _id }, { $set: { claim: 'of the dead', nextAttemptAt, file, attempts: 1 } });
    const worker = await campus.startNode({ env: { ROLE: 'worker' } });
    const next = await back.post('/users/me/export', { code });
    expect(next.body.id).to.equal(body.id);
    expect((await fetch(`${worker.url}/health/live`)).status).to.equal(200);
    expect((await exports.findOne({ _id }))!['claim']).to.equal('of the dead');
    campus.clock.advance(61_000);
    await ready(back);
    expect(await filesOf(person)).to.have.length(1);
    expect((await filesOf(person))[0]).to.not.contain('left-behind');
  });

  it('are gone after seven days', async () => {
    await campus.stopNodes();
    api = await campus.startNode();
    const person = await api.register();
    await request(person);
    const { downloadUrl } = await ready(person);
    campus.clock.advance(7 * DAY);
    const back = await api.signIn(person.email, person.password);
    expectProblem(await back.get(downloadUrl), 404, 'EXPORT_NOT_FOUND');
    await until(
      async () => (await back.get('/users/me/export')).body.status as string,
      (status) => status === 'expired',
    );
    expect(await filesOf(person)).to.deep.equal([]);
  });
});
