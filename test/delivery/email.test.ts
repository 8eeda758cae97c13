import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import PostalMime from 'postal-mime';
import { type ReceivedMail } from '../edge/index.js';
import { type Person } from '../support/campus.js';
import { Scene } from './scene.js';

describe('A notification by e-mail', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene.close());

  async function mailTo(person: Person): Promise<ReceivedMail> {
    const [mail] = await scene.edge.smtp.waitFor(({ envelope }) => envelope.to.includes(person.email));
    return mail!;
  }

  /** A comment on a post of the author's, and the mail that tells of it. */
  async function commented(author: Person, commenter: Person, content: string) {
    const postId = await author.publish('A post');
    const { body: comment } = await commenter.post(`/posts/${postId}/comments`, { content });
    return { postId, commentId: comment.id as string, mail: await mailTo(author) };
  }

  it('tells its recipient what happened and links to it', async () => {
    const [author, commenter] = await Promise.all([scene.register({ name: 'Amal' }), scene.register({ name: 'Bob' })]);

    const { mail, postId, commentId } = await commented(author, commenter, 'Well said!');

    const { title } = await scene.notification(author);
    const { from, to } = await PostalMime.parse(mail.raw);
    expect(mail.envelope).to.deep.equal({ from: 'no-reply@campus.test', to: [author.email] });
    expect(from).to.deep.equal({ name: 'Atrium', address: 'no-reply@campus.test' });
    expect(to).to.deep.equal([{ name: 'Amal', address: author.email }]);
    expect(mail.subject).to.equal(title).and.to.contain('Bob');
    const link = `https://campus.test/posts/${postId}#comment-${commentId}`;
    expect(mail.text).to.contain(title).and.to.contain('Well said!').and.to.contain(link);
    expect(mail.html).to.contain('<html lang="en" dir="ltr"').and.to.contain('Well said!');
    expect(mail.html).to.contain(`href="${link.replace('=', '&#x3D;')}"`);
    expect(mail.text).to.contain('https://campus.test/settings/notifications');
    expect(mail.headers.get('auto-submitted')).to.equal('auto-generated');
  });

  it('is Arabic from right to left for those who read Arabic', async () => {
    const [author, commenter] = await Promise.all([scene.register({ locale: 'ar' }), scene.register({ name: 'ليلى' })]);

    const { mail } = await commented(author, commenter, 'أحسنت القول');

    expect(mail.html).to.contain('<html lang="ar" dir="rtl"').and.to.contain('text-align:right');
    expect(mail.html).to.contain('عرض التعليق').and.to.contain('أحسنت القول');
    expect(mail.subject).to.match(/^علّق .*ليلى.* على منشورك$/);
    expect(mail.text).to.contain('أحسنت القول').and.to.contain('تغيير الإعدادات');
  });

  it('shows markup in names and comments as text', async () => {
    const author = await scene.register();
    const attacker = await scene.register({ name: '<img src=x onerror=alert(1)>' });

    const { mail } = await commented(author, attacker, `</p><script>alert("2")</script>{{title}}<a href='//evil'>&`);

    expect(mail.html).not.to.match(/<(img|script)|href='|<\/p><script/);
    expect(mail.html).to.contain('&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt;');
    expect(mail.html).to.contain('&lt;script&gt;alert(&quot;2&quot;)&lt;/script&gt;{{title}}');
    expect(mail.text).to.contain('<script>alert("2")</script>{{title}}');
    expect(mail.subject).to.contain('<img src=x onerror=alert(1)>');
  });

  const awkward = {
    'line breaks': 'Eve\r\nBcc: victim@campus.test\r\n\r\n<b>body</b>',
    'a bare line feed': 'Eve\nX-Injected: yes',
    quotes: '"Eve" <victim@campus.test>',
    'commas and semicolons': 'Eve, victim@campus.test; other@campus.test,',
    'a backslash at the end': 'Eve\\',
    'letters of several scripts': 'أمل 🎓 Çelik',
  };
  for (const [what, name] of Object.entries(awkward)) {
    it(`goes to its recipient alone, with no header of others’ making, where names hold ${what}`, async () => {
      const [author, commenter] = await Promise.all([scene.register(), scene.register()]);
      const ids = [author, commenter].map(({ id }) => new ObjectId(id));
      // As older data may hold it, whatever registration accepts today.
      await scene.campus.db.collection('users').updateMany({ _id: { $in: ids } }, { $set: { name } });

      const { mail } = await commented(author, commenter, 'Hello');

      expect(mail.envelope.to).to.deep.equal([author.email]);
      expect([...mail.headers.keys()].sort()).to.deep.equal([
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'list-unsubscribe',
        'list-unsubscribe-post',
        'message-id',
        'mime-version',
        'subject',
        'to',
      ]);
      const { to } = await PostalMime.parse(mail.raw);
      expect(to).to.have.length(1);
      const [recipient] = to!;
      expect(recipient).to.include({ address: author.email });
      expect(recipient!.name.replaceAll(/\s+/g, ' ')).to.equal(name.replaceAll(/\s+/g, ' '));
      expect(mail.subject).to.contain(name.split(/[\r\n]/)[0]!);
    });
  }
});
