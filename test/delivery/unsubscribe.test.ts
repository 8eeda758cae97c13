import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { expectInvalid, expectProblem } from '../api/helpers.js';
import { type ReceivedMail } from '../edge/index.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, type Person } from '../support/campus.js';
import { CONFIRM_ADDRESS } from '../support/everywhere.js';
import { Scene } from './scene.js';

const FORM = 'application/x-www-form-urlencoded';
const ONE_CLICK = 'List-Unsubscribe=One-Click';
const newKey = (name: string): string => `${name}:${randomBytes(32).toString('hex')}`;
const [OLD_KEY, NEW_KEY] = [newKey('old'), newKey('new')];

describe('Unsubscribing with one click', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open({ TRUST_PROXY: '1', JWT_KEYS: OLD_KEY });
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  let addresses = 0;
  const click = (
    link: string,
    { on = scene.api, from = `10.7.0.${++addresses}`, form = ONE_CLICK } = {},
  ): Promise<Answer<Json>> =>
    on.request('POST', link, form, { headers: { 'content-type': FORM, 'x-forwarded-for': from } });
  const look = (link: string, method = 'GET'): Promise<Answer<Json>> => scene.api.request(method, link);
  const linkIn = (mail: ReceivedMail): string => {
    const url = new URL(/^<(.+)>$/.exec(mail.headers.get('list-unsubscribe')!)![1]!);
    expect(url.origin).to.equal('https://campus.test');
    return url.pathname + url.search;
  };
  const mailOf = async (person: Person, subject?: string): Promise<ReceivedMail> => {
    const isIt = (mail: ReceivedMail) =>
      mail.envelope.to.includes(person.email) && (subject === undefined || mail.subject === subject);
    return (await scene.edge.smtp.waitFor(isIt))[0]!;
  };
  /** Someone with a mail of the category `system`, and the link in that. */
  async function mailed(choices: { locale?: 'en' | 'ar' } = {}): Promise<{ person: Person; link: string }> {
    const person = await scene.register(choices);
    await scene.notify([person], { channels: ['email'] });
    return { person, link: linkIn(await mailOf(person)) };
  }
  /** What is off that is on at first, which SMS are not. */
  const switchedOff = async (person: Person): Promise<string[]> => {
    const { preferences } = (await person.get('/settings/notifications')).body as { preferences: Json };
    return Object.entries<Record<string, boolean>>(preferences).flatMap(([category, channels]) =>
      Object.entries(channels).flatMap(([channel, on]) => (on || channel === 'sms' ? [] : [`${category}.${channel}`])),
    );
  };

  it('is offered with every mail but those about the account', async () => {
    const author = await scene.api.register();
    const about = await mailOf(author, CONFIRM_ADDRESS);
    expect([...about.headers.keys()].filter((name) => name.startsWith('list-'))).to.deep.equal([]);

    const reader = await scene.register();
    await reader.post(`/posts/${await author.publish()}/comments`, { content: 'أحسنت' });
    const { headers } = (
      await scene.edge.smtp.waitFor(
        ({ envelope, subject }) => envelope.to.includes(author.email) && subject !== CONFIRM_ADDRESS,
      )
    )[0]!;
    expect(headers.get('list-unsubscribe-post')).to.equal(ONE_CLICK);
    expect(headers.get('list-unsubscribe')).to.match(
      new RegExp(`^<https://campus\\.test/api/v1/unsubscribe\\?token=${author.id}\\.social\\.[\\w-]{43}>$`),
    );
  });

  it('stops e-mail of that category, and nothing else', async () => {
    const { person, link } = await mailed();
    const { status, headers, body } = await click(link);
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(body).to.contain('You get no more e-mails about announcements').and.not.contain('<form');
    expect(await switchedOff(person)).to.deep.equal(['system.email']);

    await scene.notify([person], { channels: ['email'], title: 'After it' });
    const { channels } = await scene.notification(person, ({ title }) => title === 'After it');
    expect(channels).to.deep.equal({ inApp: { status: 'unread' } });
  });

  it('works with either kind of form', async () => {
    const { person, link } = await mailed();
    const form = new FormData();
    form.append('List-Unsubscribe', 'One-Click');
    const { status } = await fetch(scene.api.url + link, { method: 'POST', body: form });
    expect(status).to.equal(200);
    expect(await switchedOff(person)).to.deep.equal(['system.email']);
  });

  it('may be done by several programs at once, and again after a change of mind', async () => {
    const { person, link } = await mailed();
    const answers = await Promise.all(Array.from({ length: 6 }, () => click(link)));
    expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 200));
    expect(await switchedOff(person)).to.deep.equal(['system.email']);
    await person.patch('/settings/notifications', { preferences: { system: { email: true }, chat: { email: false } } });
    expect(await switchedOff(person)).to.deep.equal(['chat.email']);
    await click(link);
    expect(await switchedOff(person)).to.have.members(['system.email', 'chat.email']);
  });

  it('is not done by following the link, which asks first, in the language of the reader', async () => {
    const [english, arabic] = [await mailed(), await mailed({ locale: 'ar' })];
    for (const method of ['GET', 'GET', 'HEAD']) expect((await look(english.link, method)).status).to.equal(200);
    const { body: page, headers } = await look(english.link);
    expect(headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(page).to.contain('<html lang="en" dir="ltr">').and.to.contain('Stop these e-mails?');
    expect(page).to.contain('<form method="post">').and.to.contain('name="List-Unsubscribe" value="One-Click"');
    expect(page).to.contain('https://campus.test/settings/notifications').and.not.contain('action=');

    const { body: onArabic } = await look(arabic.link);
    expect(onArabic).to.contain('<html lang="ar" dir="rtl">').and.to.contain('أوقف هذه الرسائل');
    expect(onArabic).to.contain('رسائل بريد عن الإعلانات');
    for (const { person } of [english, arabic]) expect(await switchedOff(person)).to.deep.equal([]);
    expect((await click(arabic.link)).body)
      .to.contain('<html lang="ar" dir="rtl">')
      .and.to.contain('توقفت هذه الرسائل');
  });

  it('is not done by a link that was made up or changed', async () => {
    const [{ person, link }, other] = [await mailed(), await scene.register()];
    const forged = [
      link.replace(person.id, other.id),
      link.replace('.system.', '.social.'),
      link.replace('.system.', '.security.'),
      link.replace('.system.', '.constructor.'),
      link.slice(0, -1),
      `${link}A`,
      '/unsubscribe?token=x',
    ];
    for (const each of forged) {
      expectProblem(await click(each), 400, 'UNSUBSCRIBE_LINK_INVALID');
      expectProblem(await look(each), 400, 'UNSUBSCRIBE_LINK_INVALID');
    }
    expectInvalid(await click('/unsubscribe'), 'query.token');
    for (const one of [person, other]) expect(await switchedOff(one)).to.deep.equal([]);
  });

  it('is not done without the click', async () => {
    const { person, link } = await mailed();
    expectProblem(await click(link, { form: 'List-Unsubscribe=Perhaps' }), 400, 'NOT_ONE_CLICK');
    expectProblem(await look(link, 'POST'), 400, 'BODY_REQUIRED');
    expectProblem(
      await scene.api.request('POST', link, { 'List-Unsubscribe': 'One-Click' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
    expectProblem(await click(link, { form: `${ONE_CLICK}&x=${'x'.repeat(11_000)}` }), 413, 'BODY_TOO_LARGE');
    expect(await switchedOff(person)).to.deep.equal([]);
  });

  it('leaves no trace of someone who is gone, and does not say that they are', async () => {
    const { person, link } = await mailed();
    const _id = new ObjectId(person.id);
    await scene.campus.db.collection('users').deleteOne({ _id });
    expect((await look(link)).status).to.equal(200);
    expect((await click(link)).status).to.equal(200);
    expect(await scene.campus.db.collection<{ _id: ObjectId }>('notificationSettings').findOne({ _id })).to.equal(null);
  });

  it('works with links of before, as long as their key is kept', async () => {
    const { person, link } = await mailed();
    const node = (JWT_KEYS: string): Promise<Api> => scene.campus.startNode({ env: { ROLE: 'api', JWT_KEYS } });
    const [rotated, without] = [await node(`${NEW_KEY},${OLD_KEY}`), await node(NEW_KEY)];
    expectProblem(await click(link, { on: without }), 400, 'UNSUBSCRIBE_LINK_INVALID');
    expect((await click(link, { on: rotated })).status).to.equal(200);
    expect(await switchedOff(person)).to.deep.equal(['system.email']);
  });

  it('cannot be tried without end from one address', async () => {
    const from = '10.8.0.1';
    const tries = await Promise.all(Array.from({ length: 101 }, () => click('/unsubscribe?token=x', { from })));
    const refused = tries.filter(({ status }) => status === 429);
    expect(refused).to.have.length(1);
    expectProblem(refused[0]!, 429, 'RATE_LIMITED');
  });
});
