import { expect } from 'chai';
import { RESET, tokenFor } from '../api/auth-mail.js';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { clientId, converse, say } from '../support/chat.js';
import { type ProcessNode, spawnNode } from '../support/process-node.js';
import { until } from '../support/until.js';

describe('What people write, and where they are reached', () => {
  let campus: Campus;
  let node: ProcessNode;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    const { environment: twilio } = campus.edge.twilio;
    const env = { ...campus.environment(), ...twilio, MONGODB_URI: campus.uri, PHONE_COUNTRY: 'JO' };
    node = await spawnNode(env, 'test/security/talkative-node.ts');
  });
  after(async () => {
    await node.kill();
    await campus.close();
  });

  it('is in no line of the log, also where providers refuse it and quote it', async () => {
    const { api } = node;
    const { smtp, twilio } = campus.edge;
    const [author, reader] = [await api.register({ name: 'Author Unmistakable' }), await api.register()];
    const told = new Map<string, string>([
      ['an address', author.email],
      ['a name', author.name],
    ]);

    // A forgotten password, and one that is to be changed with a code that is wrong.
    await api.request('POST', '/auth/password/forgot', { email: author.email });
    const resetToken = await tokenFor(campus, author.email, RESET);
    const password = 'violet umbrellas at dawn';
    expect((await api.request('POST', '/auth/password/reset', { token: resetToken, password })).status).to.equal(204);
    await api.request('POST', '/auth/password/reset', { token: resetToken, password });
    told.set('the token of a mailed link', resetToken).set('a new password', password);

    // By cookie, from where it may come and from where it may not.
    const login = await api.request('POST', '/auth/login', { email: author.email, password });
    const cookie = login.headers.getSetCookie()[0]!.split(';')[0]!;
    for (const Origin of ['https://campus.test', 'https://evil.test']) {
      await api.request('POST', '/auth/refresh', undefined, { headers: { cookie, Origin } });
    }
    told.set('a cookie', cookie.split('=')[1]!);
    author.token = (await api.signIn(author.email, password)).token;

    // A phone number: one that gets its code, and one that the provider refuses and quotes.
    const [phone, refusedPhone] = ['+962790000011', '+962790000012'];
    twilio.refuse(refusedPhone, 21211);
    await author.put('/users/me/phone', { phone });
    const [sms] = await twilio.waitFor(({ to }) => to === phone);
    const code = /: (\d{6})$/.exec(sms!.body)![1]!;
    await author.post('/users/me/phone/verify', { code });
    await reader.put('/users/me/phone', { phone: refusedPhone });
    await until(() => twilio.rejected.length > 0);
    told.set('a phone number', phone.slice(1)).set('a refused phone number', refusedPhone.slice(1));

    // What is said in public and in private, found by searching, and mailed to somebody the mail server refuses.
    const words = { post: 'quixotic-post-words', comment: 'jabberwocky-comment', message: 'sphinx-of-black-quartz' };
    smtp.refuse(author.email);
    const { status, body } = await author.post('/posts', { content: words.post });
    expect(status).to.equal(201);
    await reader.post(`/posts/${String(body.id)}/comments`, { content: words.comment });
    const conversation = await converse(author, [reader]);
    await say(author, conversation, words.message);
    const socket = await reader.connect('/messages');
    await socket.ask('message:send', { conversationId: conversation, clientId: clientId(), body: words.message });
    await author.get('/users?q=jabberwocky-search');
    await until(() => smtp.rejected.length > 0);
    await until(() =>
      campus.db.collection('notifications').countDocuments({ type: 'COMMENT', 'channels.email.status': 'dead' }),
    );
    for (const [what, text] of Object.entries(words)) told.set(`the words of a ${what}`, text);
    told.set('what was searched for', 'jabberwocky-search');
    reader.disconnect();
    expect(await node.terminate()).to.equal(0);

    const log = JSON.stringify(node.log);
    expect(log).to.contain('/auth/password/reset').and.to.contain('/comments');
    for (const [what, text] of told) expect(log.includes(text), `${what} is in the log`).to.equal(false);
    expect(log).not.to.match(/[\w.+-]+@campus\.test/);
  });
});
