/**
 * A floor of chat: a node of Socket.IO and the plain driver with the shape of Atrium's, and nothing else. Messages that come at once are inserted together by a majority, with the indexes of Atrium's, and a change
 * stream tells every node, which tells whoever is in the conversation. There is nobody to check, nothing follows on a
 * message, and its place is not looked up. Answers anything with its address and process id.
 */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { MongoClient, ObjectId } from 'mongodb';
import { Server } from 'socket.io';
import { Gathering } from '../../src/core/gathering.js';
import { databaseUri, FLOOR, MAJORITY } from './floor-collections.js';

interface Message {
  _id: ObjectId;
  conversationId: ObjectId;
  senderId: ObjectId;
  seq: number;
  clientId: string;
  body: string;
  createdAt: Date;
  changedAt: Date;
}
type Said = Pick<Message, 'clientId' | 'body'> & { conversationId: string; senderId: string };
type Acknowledge = (answer: object) => void;

/** As Atrium's. */
const GATHER_MS = 10;
const REST_MS = 5;
const OFTEN_MS = 15;

const client = await MongoClient.connect(databaseUri(), MAJORITY);
const streams = await MongoClient.connect(databaseUri());
const messages = client.db().collection<Message>(FLOOR.chat);
let last = 0;

const gathering = new Gathering<Said, Message>({
  most: 500,
  mostWaiting: 20_000,
  mostRestMs: GATHER_MS,
  write: async (items) => {
    const now = new Date();
    const written = items.map(({ conversationId, senderId, ...said }) => ({
      ...said,
      _id: new ObjectId(),
      conversationId: new ObjectId(conversationId),
      senderId: new ObjectId(senderId),
      // A conversation has one who writes in it, on one node.
      seq: ++last,
      createdAt: now,
      changedAt: now,
    }));
    await messages.insertMany(written);
    return written.map((value) => ({ status: 'fulfilled', value }));
  },
});

const server = createServer();
const chat = new Server(server, { perMessageDeflate: false, serveClient: false }).of('/messages');
chat.on('connection', (socket) => {
  const { id: senderId } = socket.handshake.auth as { id: string };
  socket.on('conversation:join', ({ conversationId }: { conversationId: string }, acknowledge: Acknowledge) => {
    void socket.join(conversationId);
    acknowledge({ ok: true });
  });
  socket.on('message:send', (said: Omit<Said, 'senderId'>, acknowledge: Acknowledge) => {
    gathering.add({ ...said, senderId }).then(
      (message) => acknowledge({ ok: true, message: shown(message) }),
      () => acknowledge({ ok: false }),
    );
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
process.on('message', () => process.send?.({ url: `http://127.0.0.1:${port}`, pid: process.pid }));

const stream = streams
  .db()
  .collection<Message>(FLOOR.chat)
  .watch([{ $match: { operationType: 'insert' } }, { $project: { operationType: 1, fullDocument: 1 } }]);
await stream.tryNext();
process.send?.('ready');
let answeredAt = 0;
for await (const change of stream) {
  if (change.operationType !== 'insert') continue;
  const message = shown(change.fullDocument);
  chat.to(message.conversationId).emit('message:new', message);
  if (stream.resumeToken !== change._id) {
    if (performance.now() - answeredAt < OFTEN_MS) await pause(REST_MS);
    answeredAt = performance.now();
  }
}

function shown({ _id, conversationId, senderId, seq, clientId, body, createdAt }: Message) {
  return {
    id: _id.toHexString(),
    conversationId: conversationId.toHexString(),
    senderId: senderId.toHexString(),
    ...{ seq, clientId, body },
    createdAt: createdAt.toISOString(),
  };
}
