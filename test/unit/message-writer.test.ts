import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { systemClock } from '../../src/core/clock.js';
import { connectDatabase, type Database } from '../../src/core/database/database.js';
import { migrate } from '../../src/core/database/migrations.js';
import { Problem } from '../../src/core/http/problem.js';
import { createLog } from '../../src/core/observability/log.js';
import { type Message, messageCollection } from '../../src/modules/chat/message.model.js';
import { MessageWriter, type NewMessage } from '../../src/modules/chat/message.writer.js';
import { freshUri } from '../support/event-lab.js';

describe('Messages that are written at once on two nodes', () => {
  let uri: string;
  let nodes: Database[];
  let writers: MessageWriter[];
  before(async () => {
    uri = freshUri();
    nodes = await Promise.all([connectDatabase(uri), connectDatabase(uri)]);
    await migrate({
      database: nodes[0]!,
      owner: 'lab',
      collections: [messageCollection],
      migrations: [],
      log: createLog('silent'),
    });
    writers = nodes.map((database) => new MessageWriter({ database, clock: systemClock }));
  });
  after(async () => {
    await nodes[0]!.db.dropDatabase();
    for (const node of nodes) await node.close();
  });

  const stored = (conversationId: ObjectId): Promise<Message[]> =>
    nodes[0]!.collection<Message>(messageCollection.name).find({ conversationId }).sort({ seq: 1 }).toArray();
  const message = (conversationId: ObjectId, choices: Partial<NewMessage> = {}): NewMessage => ({
    conversationId,
    senderId: new ObjectId(),
    clientId: new ObjectId().toHexString(),
    body: 'مرحبا',
    ...choices,
  });
  const codeOf = (error: unknown): string => (error instanceof Problem ? error.code : String(error));

  it('take places without gaps or repeats, each sender’s in the order of sending', async () => {
    const conversations = Array.from({ length: 3 }, () => new ObjectId());
    const senders = Array.from({ length: 50 }, () => new ObjectId());
    const answers = await Promise.all(
      senders.map(async (senderId, index) => {
        const own: Message[] = [];
        for (let turn = 0; turn < 6; turn += 1) {
          const to = conversations[(index + turn) % 3]!;
          own.push(await writers[index % 2]!.write(message(to, { senderId, clientId: String(turn) })));
        }
        return own;
      }),
    );
    for (const conversationId of conversations) {
      const all = await stored(conversationId);
      expect(all.map(({ seq }) => seq)).to.deep.equal(all.map((_, index) => index + 1));
      const answered = answers.flat().filter((each) => each.conversationId.equals(conversationId));
      expect(answered.sort((one, other) => one.seq - other.seq)).to.deep.equal(all);
    }
    for (const own of answers) {
      for (const conversationId of conversations) {
        const places = own.filter((each) => each.conversationId.equals(conversationId)).map(({ seq }) => seq);
        expect(places).to.deep.equal([...places].sort((one, other) => one - other));
      }
    }
  });

  it('are one message where they carry the same clientId, and leave no gap among others', async () => {
    const conversationId = new ObjectId();
    const again = message(conversationId);
    const others = Array.from({ length: 20 }, () => message(conversationId));
    const [sent] = await Promise.all([
      Promise.all([0, 1, 0, 1, 0].map((node) => writers[node]!.write(again))),
      Promise.all(others.map((other, index) => writers[index % 2]!.write(other))),
    ]);
    for (const each of sent) expect(each).to.deep.equal(sent[0]);
    const all = await stored(conversationId);
    expect(all.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 21 }, (_, index) => index + 1));

    const elsewhere = message(new ObjectId(), { senderId: again.senderId, clientId: again.clientId });
    const [refused, good] = await Promise.all([
      writers[0]!.write(elsewhere).catch(codeOf),
      writers[0]!.write(message(elsewhere.conversationId)),
    ]);
    expect(refused).to.equal('CLIENT_ID_REUSED');
    expect(good).to.include({ seq: 1 });
  });

  it('fail together where the database is gone; others go on', async () => {
    const database = await connectDatabase(uri);
    const writer = new MessageWriter({ database, clock: systemClock });
    const conversationId = new ObjectId();
    await writer.write(message(conversationId));
    await database.close();
    const failed = await Promise.allSettled([1, 2, 3].map(() => writer.write(message(conversationId))));
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected', 'rejected']);
    expect(await writers[1]!.write(message(conversationId))).to.include({ seq: 2 });
  });
});
