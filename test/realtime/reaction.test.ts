import { expect } from 'chai';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';

describe('A reaction, live', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  after(() => campus.close());

  it('reaches both of the author’s devices, and reading it on one clears the other', async () => {
    const author = await api.register({ name: 'Amal', locale: 'ar' });
    const reader = await api.register({ name: 'Bob' });
    const postId = await author.publish('مرحبا');
    const [phone, laptop] = [await author.connect('/notifications'), await author.connect('/notifications')];

    await reader.post(`/posts/${postId}/react`, { type: 'CELEBRATE' });

    const [onPhone, onLaptop] = await Promise.all([phone.next('notification:new'), laptop.next('notification:new')]);
    expect(onPhone).to.deep.equal(onLaptop);
    expect(onPhone).to.deep.include({ type: 'REACTION', userId: author.id, actorIds: [reader.id] });
    await laptop.next('unread-count', ({ count }) => count === 1);

    const answer = await phone.ask('notification:read', { id: onPhone.id });
    expect(answer).to.deep.include({ ok: true });
    const updated = await laptop.next('notification:updated', ({ channels }) => channels.inApp.status === 'read');
    expect(updated.id).to.equal(onPhone.id);
    await laptop.next('unread-count', ({ count }) => count === 0);
    author.disconnect();
  });
});
