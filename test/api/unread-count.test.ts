import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';

describe('The unread count', () => {
  let campus: Campus;
  let [api, elsewhere]: Api[] = [];
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    elsewhere = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  const unreadCount = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;
  const counts = (person: Person, expected: number) =>
    until(
      () => unreadCount(person),
      (count) => count === expected,
    );
  /** Someone who was told of so many comments. */
  const someoneTold = async (count: number) => {
    const [owner, reader] = await Promise.all([api!.register(), api!.register()]);
    const postId = await owner.publish();
    const comment = (content: string) => reader.post(`/posts/${postId}/comments`, { content });
    for (let index = 0; index < count; index += 1) await comment(`Comment ${index}`);
    await counts(owner, count);
    const ids = ((await owner.get('/notifications')).body.data as Json[]).map(({ id }) => id as string);
    return { owner, reader, comment, ids };
  };

  it('is kept and not counted: nobody looks through what is unread', async () => {
    const { owner, comment, ids } = await someoneTold(2);
    const lookedThrough = async (): Promise<number> => {
      const [index] = await campus.db
        .collection('notifications')
        .aggregate<{ accesses: { ops: number } }>([
          { $indexStats: {} },
          { $match: { name: 'userId_1_channels.inApp.status_1__id_-1' } },
        ])
        .toArray();
      return Number(index?.accesses.ops);
    };
    const before = await lookedThrough();
    await owner.put(`/notifications/${ids[0]}/read`);
    await owner.delete(`/notifications/${ids[1]}`);
    await comment('One more');
    await counts(owner, 1);
    expect(await lookedThrough()).to.equal(before);
    // The list does look there.
    await owner.get('/notifications');
    expect(await lookedThrough()).to.equal(before + 1);
  });

  it('is right after parallel arrivals, reads, archives and deletions from both nodes', async () => {
    const { owner, comment, ids } = await someoneTold(6);
    const device = owner.on(elsewhere!);
    const [first, second, third, fourth, fifth] = ids;
    await Promise.all([
      ...['a', 'b', 'c'].map(comment),
      ...[owner, device].flatMap((each) => [
        each.put(`/notifications/${first}/read`),
        each.put(`/notifications/${second}/archive`),
        each.put(`/notifications/${third}/seen`),
        each.delete(`/notifications/${fourth}`),
        each.put(`/notifications/${fifth}/read`),
        each.delete(`/notifications/${fifth}`),
      ]),
    ]);
    // Six and three, less the first, second, fourth and fifth.
    await counts(owner, 5);
    await Promise.all([owner, device].map((each) => each.put('/notifications/read-all')));
    await counts(device, 0);
    const { body } = await owner.get('/notifications?unread=true');
    expect(body.data).to.deep.equal([]);
  });

  it('of notifications from before it was kept is found when a node starts', async () => {
    const { owner, ids } = await someoneTold(3);
    await owner.put(`/notifications/${ids[0]}/read`);
    await campus.db.collection('notificationInboxes').deleteMany({});
    await campus.db.collection('migrations').deleteOne({ _id: '0005-inboxes-of-users' } as object);
    const later = owner.on(await campus.startNode({ env: { ROLE: 'api' } }));
    expect(await unreadCount(later)).to.equal(2);
    await later.put(`/notifications/${ids[1]}/read`);
    expect(await unreadCount(owner)).to.equal(1);
  });
});
