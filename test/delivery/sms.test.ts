import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { expectProblem } from '../api/helpers.js';
import { type ReceivedSms } from '../edge/index.js';
import { type Answer, type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { gate, Scene } from './scene.js';

const WEBHOOK = 'https://campus.test/api/v1/webhooks/twilio';

describe('SMS by Twilio', () => {
  let scene: Scene;
  let admin: Person;
  before(async () => {
    scene = await Scene.withTwilio();
    admin = await scene.api.admin();
  });
  afterEach(() => scene.edge.twilio.clear());
  after(() => scene.close());

  const someone = async (locale: 'en' | 'ar' = 'en'): Promise<{ person: Person; number: string }> => {
    const person = await scene.register({ locale });
    return { person, number: await scene.number(person) };
  };
  /** Posts a form as Twilio does, to the URL that it was given. */
  const post = (url: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Answer<Json>> => {
    const { pathname, search } = new URL(url);
    return scene.api.request('POST', pathname + search, new URLSearchParams(form).toString(), {
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        ...(headers ?? scene.edge.twilio.signature(url, form)),
      },
    });
  };
  const tell = async ({ sid, to, callback }: ReceivedSms, MessageStatus: string, more: object = {}): Promise<void> => {
    const form = { MessageSid: sid, MessageStatus, To: to, From: scene.edge.twilio.from, ...more };
    const { status, body } = await post(callback!, form);
    expect({ status, body }).to.deep.equal({ status: 200, body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' });
  };
  let replies = 0;
  const reply = async (From: string, Body: string, more: object = {}): Promise<void> => {
    const MessageSid = `SM${String((replies += 1)).padStart(32, '0')}`;
    const answer = await post(WEBHOOK, { MessageSid, From, To: scene.edge.twilio.from, Body, ...more });
    expect(answer.status).to.equal(200);
  };
  const sms = async (person: Person): Promise<Json> => (await scene.notification(person)).channels.sms;
  /** Someone to whom an SMS was sent. */
  const written = async () => {
    const { person, number } = await someone();
    await scene.notify([person], { channels: ['sms'] });
    await scene.delivery(person, 'sms', 'sent');
    const [sent] = await scene.edge.twilio.waitFor(({ to }) => to === number);
    return { person, number, sent: sent! };
  };
  const suppressions = async (reason: string, number: string): Promise<Json[]> =>
    ((await admin.get(`/admin/suppressions?reason=${reason}&limit=100`)).body.data as Json[]).filter(
      ({ address }) => address === number,
    );

  it('say what the notification says, with a link, and stand in the delivery by their ids', async () => {
    const { person, sent } = await written();
    const { id } = await scene.notification(person);
    expect(sent.body).to.equal('News\nHello\nhttps://campus.test/notifications');
    expect(sent.callback).to.equal(`${WEBHOOK}?notificationId=${id as string}`);
    expect(await sms(person)).to.include({ status: 'sent', attempts: 1, providerMessageId: sent.sid });
  });

  it('are cut to three messages in any script', async () => {
    const [english, arabic] = [await someone(), await someone('ar')];
    const words = { en: 'Something happens. '.repeat(50), ar: 'يحدث شيء ما اليوم. '.repeat(50) };
    await scene.notify([english.person], { channels: ['sms'], body: words.en });
    await scene.notify([arabic.person], { channels: ['sms'], title: 'إعلان', body: words.ar });
    const [long] = await scene.edge.twilio.waitFor(({ to }) => to === english.number);
    const [longer] = await scene.edge.twilio.waitFor(({ to }) => to === arabic.number);
    expect(long!.body.length).to.be.within(440, 459);
    expect(longer!.body.length).to.be.within(185, 201);
    for (const { body } of [long!, longer!]) expect(body).to.match(/\nhttps:\/\/campus\.test\/notifications$/);
  });

  it('come of what was switched on, to a number that was shown to be one’s own, and of what names them', async () => {
    const [{ person, number }, withoutNumber] = [await someone(), await scene.register()];
    await withoutNumber.patch('/settings/notifications', {
      preferences: { system: { sms: true }, social: { sms: true } },
    });
    await scene.notify([person, withoutNumber], { channels: ['sms'], title: 'Named' });
    await scene.delivery(person, 'sms', 'sent');
    expect((await scene.notification(withoutNumber)).channels).to.not.have.property('sms');

    const usual = { userIds: [person.id], type: 'SYSTEM', title: 'Not named', body: 'x' };
    expect((await admin.post('/notifications', usual)).status).to.equal(202);
    const { channels } = await scene.notification(person, ({ title }) => title === 'Not named');
    expect(channels).to.include.keys('inApp', 'email').and.not.have.property('sms');
    const announced = { title: { en: 'A' }, body: { en: 'B' }, audience: { userIds: [person.id] } };
    const { body } = await admin.post('/admin/announcements', announced);
    expect(body.channels).to.deep.equal(['inApp', 'email', 'webPush', 'mobilePush']);

    const reader = await scene.register();
    const react = async (): Promise<Json> => {
      await reader.post(`/posts/${await person.publish()}/react`, { type: 'LIKE' });
      return scene.notification(person, ({ type }) => type === 'REACTION');
    };
    expect((await react()).channels).to.not.have.property('sms');
    await person.patch('/settings/notifications', { preferences: { social: { sms: true } } });
    await person.put('/notifications/read-all');
    await react();
    await scene.edge.twilio.waitFor((one) => one.to === number && one.body.includes('reacted to your post'));
    expect(await suppressions('stop', number)).to.deep.equal([]);
  });

  it('are brought up to date by what Twilio tells, in whatever order, and told to their owner live', async () => {
    const { person, sent } = await written();
    const socket = await person.connect('/notifications');
    await tell(sent, 'delivered');
    const { channels } = await socket.next('notification:updated', (one) => one.channels.sms?.status === 'delivered');
    expect(channels.sms).to.have.property('deliveredAt');
    person.disconnect();
    for (const late of ['queued', 'sent', 'sending', 'beamed']) await tell(sent, late);
    expect(await sms(person)).to.deep.equal(channels.sms);

    const failed = await written();
    await tell(failed.sent, 'undelivered', { ErrorCode: '30003' });
    await tell(failed.sent, 'sent');
    expect(await sms(failed.person)).to.include({ status: 'dead', error: 'TWILIO_30003' });
    // Switched off, perhaps: it may be there tomorrow.
    expect(await suppressions('bounce', failed.number)).to.deep.equal([]);
    const letters = (await admin.get('/admin/dead-letters?channel=sms')).body.data as Json[];
    expect(letters.filter(({ userId }) => userId === failed.person.id)).to.have.length(1);

    const noPhone = await written();
    await Promise.all(Array.from({ length: 5 }, () => tell(noPhone.sent, 'failed', { ErrorCode: '30006' })));
    expect(await suppressions('bounce', noPhone.number)).to.have.length(1);
    await scene.notify([noPhone.person], { channels: ['sms'], title: 'Again' });
    const again = await scene.notification(noPhone.person, ({ title }) => title === 'Again');
    expect(again.channels.sms).to.deep.equal({ status: 'skipped', attempts: 0, reason: 'SUPPRESSED' });
  });

  it('that were taken though the answer was lost are not sent again, once Twilio has told of them', async () => {
    const { person, number } = await someone();
    scene.edge.twilio.faults.next({ kind: 'accept-and-reset' });
    await scene.notify([person], { channels: ['sms'] });
    await scene.delivery(person, 'sms', 'failed');
    const [sent] = await scene.edge.twilio.waitFor(({ to }) => to === number);
    await tell(sent!, 'queued');
    expect(await sms(person))
      .to.have.all.keys('status', 'attempts', 'sentAt')
      .and.to.include({ status: 'sent' });
    await scene.advance(10, person);
    await scene.settled();
    expect(scene.edge.twilio.received.filter(({ to }) => to === number)).to.have.length(1);
    admin = await scene.api.admin();
  });

  it('are told of before their call is answered, and that is not lost', async () => {
    const { person, number } = await someone();
    const { open, opened } = gate();
    scene.edge.twilio.onReceived(() => opened);
    await scene.notify([person], { channels: ['sms'] });
    const [sent] = await scene.edge.twilio.waitFor(({ to }) => to === number);
    await tell(sent!, 'delivered');
    expect(await sms(person)).to.include({ status: 'sending' });
    open();
    expect(await scene.delivery(person, 'sms', 'delivered')).to.include({ attempts: 1, providerMessageId: sent!.sid });
  });

  it('are given up, tried again or stopped, by the code of the refusal', async () => {
    const cases: [code: number, status: string, reason: string | undefined][] = [
      [21211, 'dead', 'bounce'],
      [21614, 'dead', 'bounce'],
      [21610, 'dead', 'stop'],
      [21408, 'dead', undefined],
      [21606, 'failed', undefined],
    ];
    for (const [code, status, reason] of cases) {
      const { person, number } = await someone();
      scene.edge.twilio.refuse(number, code);
      await scene.notify([person], { channels: ['sms'] });
      expect(await scene.delivery(person, 'sms', status), String(code)).to.include({ error: `TWILIO_${code}` });
      for (const one of ['bounce', 'stop']) {
        expect(await suppressions(one, number), `${code} ${one}`).to.have.length(one === reason ? 1 : 0);
      }
    }
  });

  it('stop with STOP, in either language, and come again with START', async () => {
    for (const [stop, start] of [
      ['stop', 'Start'],
      [' إيقاف ', 'ابدأ'],
    ] as const) {
      const { person, number } = await someone();
      await reply(number, 'Thank you!');
      expect(await suppressions('stop', number)).to.deep.equal([]);
      await reply(number, stop);
      const [suppression] = await suppressions('stop', number);
      expect(suppression).to.deep.include({ userId: person.id, source: 'twilio' });
      await scene.notify([person], { channels: ['sms'], title: 'Stopped' });
      const skipped = await scene.notification(person, ({ title }) => title === 'Stopped');
      expect(skipped.channels.sms).to.include({ status: 'skipped', reason: 'SUPPRESSED' });

      await reply(number, start);
      expect(await suppressions('stop', number)).to.deep.equal([]);
      await scene.notify([person], { channels: ['sms'], title: 'Started' });
      await scene.edge.twilio.waitFor(({ to, body }) => to === number && body.startsWith('Started'));
      const rows = await until(
        async () => (await admin.get(`/audit?targetId=${person.id}&limit=100`)).body.data as Json[],
        (all) => all.some(({ action }) => action === 'address.reopened'),
      );
      const about = rows.filter(({ action }) => (action as string).startsWith('address.'));
      expect(about.map(({ action, reason }) => [action, reason])).to.deep.equal([
        ['address.reopened', 'stop'],
        ['address.suppressed', 'stop'],
      ]);
    }
  });

  it('stop once for each answer, and as Twilio has understood it', async () => {
    const { number } = await someone();
    const form = { MessageSid: `SM${'a'.repeat(32)}`, From: number, Body: 'arrêt', OptOutType: 'STOP' };
    const told = () => post(WEBHOOK, form);
    await Promise.all(Array.from({ length: 5 }, told));
    expect(await suppressions('stop', number)).to.have.length(1);
    await reply(number, 'START');
    await told();
    expect(await suppressions('stop', number)).to.deep.equal([]);
  });

  it('are not believed to have been delivered or stopped by whoever does not know the token', async () => {
    const { person, number, sent } = await written();
    const form = { MessageSid: sent.sid, MessageStatus: 'failed', ErrorCode: '30006', To: number };
    const good = scene.edge.twilio.signature(sent.callback!, form);
    const forged: [string, string, Record<string, string>, Record<string, string>][] = [
      ['nothing', sent.callback!, form, {}],
      ['no signature', sent.callback!, form, { 'x-twilio-signature': 'not base64!' }],
      ['another field', sent.callback!, { ...form, ErrorCode: '30005' }, good],
      ['another notification', `${WEBHOOK}?notificationId=${new ObjectId().toHexString()}`, form, good],
    ];
    for (const [what, url, fields, headers] of forged) {
      const answer = await post(url, fields, headers);
      expect(answer.body.code, what).to.equal('SIGNATURE_INVALID');
      expectProblem(answer, 403, 'SIGNATURE_INVALID');
    }
    expect(await sms(person)).to.include({ status: 'sent' });
    expect(await suppressions('bounce', number)).to.deep.equal([]);
  });

  it('that are not ours, or of a kind that nobody knows, change nothing', async () => {
    const { person, sent } = await written();
    const before = await sms(person);
    await tell({ ...sent, callback: `${WEBHOOK}?notificationId=${'f'.repeat(24)}` }, 'delivered');
    await tell({ ...sent, callback: `${WEBHOOK}?notificationId=mine` }, 'delivered');
    await tell({ ...sent, callback: WEBHOOK }, 'delivered');
    await tell({ ...sent, sid: 'x' }, 'delivered');
    await reply('sip:somebody', 'STOP');
    expect(await sms(person)).to.deep.equal(before);
  });

  it('are skipped where nothing sends them, and there is no door for what is told of them', async () => {
    const { person } = await someone();
    await scene.campus.stopNodes();
    const api = await scene.campus.startNode();
    const boss = await api.admin();
    await boss.post('/notifications', {
      userIds: [person.id],
      type: 'SYSTEM',
      title: 'X',
      body: 'x',
      channels: ['inApp', 'sms'],
    });
    const { channels } = await until(
      async () => (await person.on(api).get('/notifications?limit=1')).body.data?.[0],
      (newest) => newest?.title === 'X',
    );
    expect(channels.sms).to.deep.equal({ status: 'skipped', attempts: 0, reason: 'NO_PROVIDER' });
    expectProblem(await person.on(api).put('/users/me/phone', { phone: '+962791234567' }), 409, 'SMS_NOT_CONFIGURED');
    const answer = await api.request('POST', '/webhooks/twilio', 'a=b', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expectProblem(answer, 404, 'WEBHOOK_NOT_CONFIGURED');
  });
});
