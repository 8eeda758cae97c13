import { expect } from 'chai';
import fc from 'fast-check';
import { type ClientSession, ObjectId } from 'mongodb';
import { newsRules } from '../../src/modules/notifications/messages/news-rules.js';

const conversationId = new ObjectId();
const listener = new ObjectId();
const [friend, blocked, gone] = [new ObjectId(), new ObjectId(), new ObjectId()];
// Nothing here asks a database.
const session = {} as ClientSession;

/** Messages up to the place of the last one, the newest first, as so many are looked at. */
interface Made {
  senderId: ObjectId | null;
  isDeleted: boolean;
  isHidden: boolean;
  isNaming: boolean;
}
const saidOf = (messages: Made[], looked: number) =>
  messages
    .map(({ senderId, isDeleted, isHidden, isNaming }, index) => ({
      ...{ _id: new ObjectId(), seq: index + 1, senderId, body: `${index + 1}`, isHidden },
      ...(isNaming && { mentions: [friend, listener] }),
      ...(isDeleted && { deletedAt: new Date() }),
    }))
    .reverse()
    .slice(0, looked);

const rulesFor = (said: ReturnType<typeof saidOf>, knownSeq: number, further: typeof said = []) =>
  newsRules(
    session,
    {
      unread: {
        hiddenBy: () =>
          Promise.resolve((_userId, messageId) => said.some(({ _id, isHidden }) => isHidden && _id.equals(messageId))),
        naming: (_session, _conversationId, _userIds, { after, before }) =>
          Promise.resolve(further.filter(({ seq, mentions }) => mentions && seq > after && seq < before)),
      },
      visibility: {
        hiddenPairs: () => Promise.resolve((one, other) => [one, other].includes(blocked.toHexString())),
      },
      users: {
        contacts: (ids) =>
          Promise.resolve(
            new Map(
              [...ids]
                .filter((id) => id !== gone.toHexString())
                .map((id) => [
                  id,
                  { _id: new ObjectId(id), name: 'Somebody', email: 'x@campus.test', locale: 'en' as const },
                ]),
            ),
          ),
      },
    },
    conversationId,
    said,
    [{ userId: listener, knownSeq }],
  );

describe('What of some messages is news to a member', () => {
  const message = fc.record({
    senderId: fc.constantFrom(friend, friend, listener, blocked, gone, null),
    isDeleted: fc.boolean(),
    isHidden: fc.boolean(),
    isNaming: fc.boolean(),
  });

  it('is what others have said since, who may be heard, and what is there still; what names them stands by itself', () =>
    fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 30 }), fc.nat(30), async (messages, knownSeq) => {
        const said = saidOf(messages, 200);
        const heard = said.filter(
          ({ seq, senderId, deletedAt, isHidden }) => seq > knownSeq && senderId === friend && !deletedAt && !isHidden,
        );
        const [naming, expected] = [
          heard.filter(({ mentions }) => mentions),
          heard.filter(({ mentions }) => !mentions),
        ];
        const rules = await rulesFor(said, knownSeq);
        const news = rules.news({ userId: listener, knownSeq });
        expect(news?.count ?? 0).to.equal(expected.length);
        expect(news?.newest._id).to.equal(expected[0]?._id);
        expect(rules.mentions({ userId: listener, knownSeq })).to.deep.equal(naming);
      }),
    ));

  it('is counted by its places where it is further back than is looked at', async () => {
    const said = saidOf(
      Array.from({ length: 500 }, () => ({ senderId: friend, isDeleted: false, isHidden: false, isNaming: false })),
      200,
    );
    const { news: newsTo } = await rulesFor(said, 0);
    expect(newsTo({ userId: listener, knownSeq: 0 })?.count).to.equal(500);
    expect(newsTo({ userId: listener, knownSeq: 350 })?.count).to.equal(150);
    expect(newsTo({ userId: listener, knownSeq: 500 })).to.equal(undefined);
  });

  it('is what names them further back than is looked at, too, and not counted among the others', async () => {
    const all = saidOf(
      Array.from({ length: 500 }, (_, index) => ({
        ...{ senderId: friend, isDeleted: false, isHidden: false, isNaming: index % 100 === 0 },
      })),
      500,
    );
    const [said, further] = [all.slice(0, 200), all.slice(200)];
    const rules = await rulesFor(said, 0, further);
    const named = (knownSeq: number) => rules.mentions({ userId: listener, knownSeq }).map(({ seq }) => seq);
    expect(named(0)).to.deep.equal([401, 301, 201, 101, 1]);
    expect(named(101)).to.deep.equal([401, 301, 201]);
    expect(rules.news({ userId: listener, knownSeq: 0 })?.count).to.equal(495);
    expect(rules.news({ userId: listener, knownSeq: 101 })?.count).to.equal(396);
  });
});
