import { expect } from 'chai';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';

/** A text of someone else, as it stands inside a sentence. */
const isolated = (text: string): string => `\u2068${text}\u2069`;

describe('A notification', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    admin = await api.admin();
  });
  after(() => campus.close());

  /** Everything that this person has been told once a marker, which comes after all the rest, has arrived. */
  const toldBeforeMarker = async (person: Person, inbox: LiveSocket): Promise<Json[]> => {
    const other = await api.register();
    const postId = await person.publish('Marker');
    await other.post(`/posts/${postId}/comments`, { content: 'Marker' });
    await inbox.next('notification:new', ({ data }) => data.excerpt === 'Marker');
    return inbox.all('notification:new').filter(({ data }) => data.excerpt !== 'Marker');
  };
  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications')).body.data as Json[];

  it('tells the author of a reaction, once, in English', async () => {
    const [author, reader] = [await api.register({ locale: 'en' }), await api.register({ name: 'سلمى' })];
    const postId = await author.publish('Hello\n\n campus');
    const inbox = await author.connect('/notifications');
    await reader.post(`/posts/${postId}/react`, { type: 'CELEBRATE' });

    const [notification, ...more] = await toldBeforeMarker(author, inbox);
    expect(more).to.be.empty;
    const { id, createdAt, channels, ...rest } = notification;
    expect(id).to.match(/^[0-9a-f]{24}$/);
    expect(Date.parse(createdAt)).to.be.closeTo(campus.clock.now().getTime(), 10_000);
    expect(rest).to.deep.equal({
      userId: author.id,
      type: 'REACTION',
      category: 'social',
      actorIds: [reader.id],
      count: 1,
      entity: { kind: 'post', id: postId },
      title: `${isolated('سلمى')} reacted to your post`,
      body: `👏 “${isolated('Hello campus')}”`,
      deepLink: `/posts/${postId}`,
      data: { excerpt: 'Hello campus', reaction: 'CELEBRATE' },
      locale: 'en',
      groupKey: `reaction:${postId}`,
      dedupeKey: `reaction:${postId}:${reader.id}`,
    });
    // No device, so no push; the e-mail is still to be sent.
    expect(channels).to.have.all.keys('inApp', 'email');
    expect(channels.inApp).to.deep.equal({ status: 'unread' });
    expect(channels.email).to.deep.include({ status: 'pending', attempts: 0 });
    author.disconnect();
  });

  it('tells the post’s author of each comment, in Arabic', async () => {
    const [author, reader] = [await api.register({ locale: 'ar' }), await api.register({ name: 'Bob' })];
    const postId = await author.publish('منشور');
    const inbox = await author.connect('/notifications');
    const comment = await reader.post(`/posts/${postId}/comments`, { content: 'Great' });
    await reader.post(`/posts/${postId}/comments`, { content: 'Really' });

    const told = await toldBeforeMarker(author, inbox);
    expect(told.map(({ data }) => data.excerpt)).to.deep.equal(['Great', 'Really']);
    expect(told[0]).to.deep.include({
      userId: author.id,
      type: 'COMMENT',
      category: 'social',
      actorIds: [reader.id],
      entity: { kind: 'comment', id: comment.body.id },
      title: `علّق ${isolated('Bob')} على منشورك`,
      body: `«${isolated('Great')}»`,
      deepLink: `/posts/${postId}#comment-${comment.body.id}`,
      data: { excerpt: 'Great' },
      locale: 'ar',
      groupKey: `comment:${postId}`,
      dedupeKey: `comment:${comment.body.id}`,
    });
    author.disconnect();
  });

  it('is in the language that its recipient has when it is written', async () => {
    const [author, reader] = [await api.register({ locale: 'en' }), await api.register({ name: 'Bob' })];
    const inbox = await author.connect('/notifications');
    const postId = await author.publish();
    await author.patch('/users/me', { locale: 'ar' });
    await reader.post(`/posts/${postId}/react`, { type: 'LOVE' });
    const { title, locale } = await inbox.next('notification:new');
    expect({ title, locale }).to.deep.equal({ title: `تفاعل ${isolated('Bob')} مع منشورك`, locale: 'ar' });
    author.disconnect();
  });

  it('shows the beginning of a long text, cut between words', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const inbox = await author.connect('/notifications');
    const postId = await author.publish();
    await reader.post(`/posts/${postId}/comments`, { content: 'كلمة '.repeat(60) });
    const { data } = await inbox.next('notification:new');
    expect(data.excerpt).to.equal(`${new Array(24).fill('كلمة').join(' ')}…`);
    author.disconnect();
  });

  it('is the same over the socket and in the list', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const inbox = await author.connect('/notifications');
    const postId = await author.publish();
    await reader.post(`/posts/${postId}/comments`, { content: 'Hi' });
    const { channels, ...live } = await inbox.next('notification:new');
    const [{ channels: listedChannels, ...listed }] = (await listOf(author)) as [Json];
    expect(listed).to.deep.equal(live);
    expect(Object.keys(listedChannels)).to.have.members(Object.keys(channels));
    author.disconnect();
  });

  it('is never about what one did oneself', async () => {
    const author = await api.register();
    const inbox = await author.connect('/notifications');
    const postId = await author.publish();
    await author.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await author.post(`/posts/${postId}/comments`, { content: 'My own' });
    expect(await toldBeforeMarker(author, inbox)).to.be.empty;
    expect(await listOf(author)).to.have.length(1);
    author.disconnect();
  });

  it('goes to the author and not to others who reacted or commented', async () => {
    const [author, first, second] = [await api.register(), await api.register(), await api.register()];
    const [authorsInbox, firstsInbox] = [await author.connect('/notifications'), await first.connect('/notifications')];
    const postId = await author.publish();
    await first.post(`/posts/${postId}/comments`, { content: 'One' });
    await second.post(`/posts/${postId}/comments`, { content: 'Two' });
    await second.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await authorsInbox.collect('notification:new', 3);
    expect(await toldBeforeMarker(first, firstsInbox)).to.be.empty;
    author.disconnect();
    first.disconnect();
  });

  it('carries the words of an admin as they are', async () => {
    const person = await api.register({ locale: 'ar' });
    const inbox = await person.connect('/notifications');
    const words = { title: 'Closed on Sunday — مغلق', body: 'The library\nis <b>closed</b>.' };
    const { body } = await admin.post('/notifications', { userIds: [person.id], type: 'SYSTEM', ...words });
    const notification = await inbox.next('notification:new');
    expect(notification).to.deep.include({
      ...words,
      type: 'SYSTEM',
      category: 'system',
      actorIds: [],
      entity: { kind: 'notificationBatch', id: body.batchId },
      deepLink: '/notifications',
      data: {},
      locale: 'ar',
      dedupeKey: `batch:${body.batchId}`,
    });
    person.disconnect();
  });
});
