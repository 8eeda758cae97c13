import { expect } from 'chai';
import { messageSent } from '../../src/modules/chat/index.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { converse, followed, say } from '../support/chat.js';
import { until } from '../support/until.js';

/** More than are gone through at a time. */
const MANY = 60;

describe('The last message of a conversation', () => {
  let campus: Campus;
  let api: Api;
  beforeEach(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  afterEach(() => campus.close());

  const listed = async (person: Person): Promise<Json[]> => (await person.get('/conversations?limit=100')).body.data;
  const shown = ({ id, lastMessage }: Json): unknown[] => [id, lastMessage?.seq, lastMessage?.excerpt];

  it('is shown in each of very many in which something is said at once, and read by who says it', async () => {
    const [sara, omar] = [await api.register(), await api.register()];
    const groups: string[] = [];
    for (let number = 0; number < MANY; number += 1) groups.push(await converse(sara, [omar], `Group ${number}`));
    const said = await Promise.all(
      groups.map(async (group, number) => {
        await say(number % 2 === 0 ? sara : omar, group, `First of ${number}`);
        return say(sara, group, `Last of ${number}`);
      }),
    );
    const all = await until(
      () => listed(sara),
      (found) => found.every(({ lastSeq }) => lastSeq === 2),
    );
    expect(all.map(shown)).to.have.deep.members(said.map(({ conversationId, body }) => [conversationId, 2, body]));
    const unread = ({ unreadCount, lastReadSeq }: Json): number[] => [lastReadSeq, unreadCount];
    expect(all.map(unread)).to.deep.equal(groups.map(() => [2, 0]));
    const read = new Map((await listed(omar)).map((each) => [each.id, unread(each)]));
    expect(groups.map((id) => read.get(id))).to.deep.equal(
      groups.map((_, number) => (number % 2 === 0 ? [0, 2] : [1, 1])),
    );
  });

  it('says what it says since it was edited, and nothing once it is deleted, also if all is handled again', async () => {
    const [sara, omar] = [await api.register(), await api.register()];
    const [edited, deleted] = [await converse(sara, [omar]), await converse(sara, [omar], 'Regrets')];
    await say(sara, edited, 'Before');
    const { id: slip } = await say(sara, edited, 'At fvie');
    await say(sara, deleted, 'Before');
    const { id: regret } = await say(sara, deleted, 'A secret');
    await until(
      () => listed(omar),
      (all) => all.every(({ lastSeq }) => lastSeq === 2),
    );
    await sara.patch(`/conversations/${edited}/messages/${slip}`, { body: 'At five' });
    await sara.delete(`/conversations/${deleted}/messages/${regret}`);
    const stand = [
      [edited, 2, 'At five'],
      [deleted, 2, ''],
    ];
    const standing = async (person: Person) => (await listed(person)).map(shown);
    await until(
      () => standing(omar),
      (now) => now.every(([id, , excerpt]) => excerpt === stand.find(([its]) => its === id)?.[2]),
    );

    await campus.stopNodes();
    await campus.forgetWhatWasHandled();
    let again = 0;
    const witness = {
      name: 'witness',
      types: [messageSent],
      handle: (events: unknown[]) => Promise.resolve(void (again += events.length)),
    };
    const node = await campus.startNode({ followers: [witness] });
    Object.assign(omar, { api: node });
    await until(() => again >= 4);
    const marker = await node.register();
    await followed(campus, marker, await converse(marker, [await node.register()]));
    expect(await standing(omar)).to.have.deep.members(stand);
  });
});
