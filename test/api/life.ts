import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import sharp from 'sharp';
import { SECOND } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, type Campus, type Person } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { follow, invite } from '../support/invitations.js';
import { pdf, uploaded } from '../support/media.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';

/** Whose comment says this has an event that cannot be handled. */
export const POISON = 'Kummelpoison';
const BROWSER = 'Kummelbrowser/7.0';
/** What nobody else would ever write; some of it is also stored folded, cut or in a title. */
export const UNMISTAKABLE = [
  'زمردة',
  'Kummelname',
  'kummelmail',
  'Kummelheadline',
  'كمّلعن',
  'Kummelplace',
  'Kummelskill',
  'Kummelcompany',
  'Kummelposition',
  'Kummelschool',
  'kummellink',
  'Kummelcampus',
  'Kummelpost',
  'كمّلمنشور',
  'Kummelcomment',
  'Kummelnote',
  'kummeltag',
  'Kummeltoken',
  'Kummelapp',
  'Kummelendpoint',
  'Kummelbrowser',
  'Kummelreject',
  'Kummelletter',
  'Kummeljob',
  // A phone number.
  '+962791234321',
  'Kummeledit',
  'Kummelclient',
  'Kummeldelete',
  'Kummeldocument',
  'Kummelalternative',
  'Kummelinside',
  POISON,
];

/** Someone who has left traces everywhere, and others who knew them. */
export interface Life {
  goner: Person;
  friend: Person;
  third: Person;
  ids: { post: string; deletedPost: string; othersPost: string; comment: string; thirdsComment: string };
}

/** Does everything that can be done, in a way that cannot be mistaken for anyone else's. */
export async function liveALife(campus: Campus, api: Api): Promise<Life> {
  const [goner, friend, third] = [
    await api.register({ name: 'زمردة Kummelname', email: 'kummelmail@campus.test' }),
    await api.register({ name: 'Friend' }),
    await api.register({ name: 'Third' }),
  ];
  const login = { email: goner.email, password: goner.password };
  await api.request('POST', '/auth/login', login, { headers: { 'user-agent': BROWSER } });
  const failed = { ...login, password: 'not the password' };
  await api.request('POST', '/auth/login', failed, { headers: { 'user-agent': BROWSER } });
  await api.request('POST', '/auth/password/forgot', { email: goner.email });
  done(
    await goner.patch('/profiles/me', {
      headline: 'Kummelheadline',
      about: { ar: 'كمّلعن', en: 'Kummelheadline' },
      location: 'Kummelplace',
      skills: ['Kummelskill'],
      links: ['https://kummellink.example/'],
      campus: 'Kummelcampus',
      experience: [{ company: 'Kummelcompany', position: 'Kummelposition', startDate: '2020-01-01' }],
      education: [{ school: 'Kummelschool', degree: 'BSc', startDate: '2016-09-01' }],
    }),
  );
  await upload(goner, 'avatar');
  await upload(goner, 'avatar');
  await upload(goner, 'banner');

  const othersPost = await friend.publish('A post by a friend');
  const key = { headers: { 'idempotency-key': 'Kummelpost' } };
  const ids = {
    post: done(await goner.post('/posts', { content: 'Kummelpost كمّلمنشور' }, key)).body.id,
    deletedPost: await goner.publish('Kummelpost that was deleted'),
    othersPost,
    comment: done(await goner.post(`/posts/${othersPost}/comments`, { content: 'Kummelcomment' }, key)).body.id,
    thirdsComment: done(await third.post(`/posts/${othersPost}/comments`, { content: 'By a third' })).body.id,
  };
  const { body: regretted } = await goner.post(`/posts/${othersPost}/comments`, { content: 'Kummelcomment two' });
  await goner.delete(`/posts/${othersPost}/comments/${regretted.id}`);
  await friend.post(`/posts/${ids.deletedPost}/comments`, { content: 'Before it was deleted' });
  done(await goner.delete(`/posts/${ids.deletedPost}`));
  done(await goner.post(`/posts/${othersPost}/react`, { type: 'LOVE' }));
  done(await third.post(`/posts/${othersPost}/react`, { type: 'LOVE' }));
  done(await friend.post(`/posts/${ids.post}/react`, { type: 'LIKE' }));
  done(await friend.post(`/posts/${ids.post}/comments`, { content: 'To the one who goes' }));

  const { body: asked } = await goner.post('/connections', { userId: friend.id, note: 'Kummelnote' });
  done(await friend.put(`/connections/${asked.id}/accept`));
  const placement = { company: 'Kummelcompany', position: 'Kummelposition', startDate: '2026-01-01' };
  done(await goner.put('/profiles/me/placement', placement));
  const { body: refused } = await goner.post('/connections', { userId: third.id, note: 'Kummelreject' });
  done(await third.put(`/connections/${refused.id}/reject`));
  done(await goner.post('/follow', { userId: friend.id }));
  done(await goner.post('/follow', { hashtag: 'kummeltag' }));
  done(await third.post('/follow', { userId: goner.id }));
  done(await goner.post(`/users/${(await api.register()).id}/block`));
  done(await (await api.register()).post(`/users/${goner.id}/block`));

  done(await goner.post('/push/register', { token: 'Kummeltoken', platform: 'ANDROID', app: 'Kummelapp' }));
  const keys = { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) };
  done(await goner.post('/push/web', { endpoint: 'https://fcm.googleapis.com/fcm/send/Kummelendpoint', keys }));
  done(await goner.put('/users/me/phone', { phone: '+962 79 123 4321' }));
  const [sms] = await campus.edge.twilio.waitFor();
  done(await goner.post('/users/me/phone/verify', { code: /\d{6}$/.exec(sms!.body)![0] }));
  done(await goner.patch('/settings/notifications', { preferences: { social: { email: false } } }));
  const letter = { userIds: [goner.id], type: 'SYSTEM', title: 'Dear Kummelname', body: 'Kummelletter' };
  const admin = await api.admin();
  done(await admin.post('/notifications', letter));
  const toOne = { title: { en: 'Dear Kummelname' }, body: { en: 'Kummelletter' }, audience: { userIds: [goner.id] } };
  done(await admin.post('/admin/announcements', toOne));
  const toOthers = { userIds: [goner.id, third.id], exclude: { userIds: [goner.id] } };
  done(
    await admin.post('/admin/announcements', { ...toOne, audience: toOthers, title: { en: 'A' }, body: { en: 'B' } }),
  );
  await until(
    () => typesOf(goner),
    (types) => ['REACTION', 'COMMENT', 'CONNECTION_ACCEPTED', 'FOLLOW', 'SYSTEM'].every((type) => types.includes(type)),
  );
  await until(
    () => typesOf(friend),
    (types) =>
      ['REACTION', 'COMMENT', 'CONNECTION_REQUEST', 'FOLLOW', 'PLACEMENT'].every((type) => types.includes(type)),
  );
  const { body: told } = await friend.get('/notifications');
  // The answer goes into an event, name and all.
  done(await friend.put(`/notifications/${told.data[0].id}/read`));
  done(await goner.put('/notifications/read-all'));
  done(await goner.post('/settings/notifications/mutes', { kind: 'user', id: friend.id }));
  done(await friend.post('/settings/notifications/mutes', { kind: 'user', id: goner.id }));

  // Without a second node nobody would be told over the adapter; what is told is written there all the same.
  const device = await goner.connect('/presence');
  expect(await device.ask('presence:set', { state: 'busy' })).to.deep.equal({ ok: true });
  await talk(goner, friend);
  campus.clock.advance(6 * SECOND);
  await until(
    () => typesOf(friend),
    (types) => types.includes('MESSAGE'),
  );

  done(await goner.post('/users/me/export', { code: await newCode(campus, goner, 'export') }));
  await until(
    async () => (await goner.get('/users/me/export')).body.status as string,
    (status) => status === 'ready',
  );
  done(await goner.post(`/posts/${othersPost}/comments`, { content: POISON }));
  await until(() => campus.db.collection('deadEvents').countDocuments());
  const at = campus.clock.now();
  await campus.db
    .collection('deadJobs')
    .insertOne({ name: 'a job of then', data: { userId: goner.id }, failReason: 'Kummeljob', diedAt: at });
  // News that is still going out.
  await campus.db
    .collection('notificationPlacements')
    .insertOne({ userId: new ObjectId(goner.id), placement, at, circle: 'cohort' });
  return { goner, friend, third, ids };
}

/** What one says to another stays with the other one: nothing in it but that is unmistakable. */
async function talk(goner: Person, friend: Person): Promise<void> {
  const id = await converse(goner, [friend]);
  const said = await say(goner, id, 'Kummeledit', { clientId: 'Kummelclient' });
  done(await goner.patch(`/conversations/${id}/messages/${said.id}`, { body: 'Stays with you' }));
  const media = await Promise.all([
    uploaded(goner, pdf('Kummelinside'), { type: 'DOCUMENT', name: 'Kummeldocument.pdf' }),
    uploaded(goner, undefined, { altText: 'Kummelalternative' }),
  ]);
  const attachments = media.map((each) => each.id as string);
  const deleted = await say(goner, id, 'Kummeldelete', { attachments });
  done(await goner.delete(`/conversations/${id}/messages/${deleted.id}`));
  const answer = await say(friend, id, 'Said to you', { mentions: [goner.id] });
  done(await goner.post(`/conversations/${id}/messages/${answer.id}/reactions`, { emoji: '👍' }));
  const regretted = await say(friend, id, 'Nobody’s business');
  done(await goner.delete(`/conversations/${id}/messages/${regretted.id}?for=me`));
  await invite(goner, await converse(goner, [friend], 'Of one who goes'));
  const others = await converse(friend, [await goner.api.register()], 'Of others');
  done(await follow(goner, (await invite(friend, others, { needsApproval: true })).token as string));
  const group = await converse(friend, [goner], 'Of many');
  await say(goner, group, 'Stays with all', { attachments });
  const screen = await goner.connect('/messages');
  expect(await screen.ask('conversation:join', { conversationId: group })).to.include({ ok: true });
}

async function upload(person: Person, kind: 'avatar' | 'banner'): Promise<void> {
  const form = new FormData();
  const file = await sharp({ create: { width: 600, height: 600, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
  form.append('file', new Blob([new Uint8Array(file)]), 'Kummelfile.png');
  const headers = { authorization: `Bearer ${person.token}` };
  const answer = await fetch(`${person.api.url}/api/v1/profiles/me/${kind}`, { method: 'PUT', headers, body: form });
  expect(answer.status).to.equal(200);
}

/** Holds an answer to have gone well. */
export function done<T extends { status: number; body: Json }>(answer: T): T {
  expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 204);
  return answer;
}

async function typesOf(person: Person): Promise<string[]> {
  return ((await person.get('/notifications?limit=100')).body.data as Json[]).map(({ type }) => type as string);
}
