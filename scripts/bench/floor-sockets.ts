/**
 * The floor of sockets: Socket.IO alone, with one room and nobody to check. Answers `{}` with its address and memory,
 * and `{ tell }` once it has told everyone.
 */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const server = createServer();
const feed = new Server(server, { perMessageDeflate: false, serveClient: false }).of('/feed');
feed.on('connection', (socket) => {
  socket.on('post:watch', (_payload: unknown, acknowledge: (answer: object) => void) => {
    void socket.join('post');
    acknowledge({ ok: true });
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
process.on('message', ({ tell }: { tell?: object }) => {
  if (tell) feed.to('post').emit('post:counts', tell);
  process.send?.({ url: `http://127.0.0.1:${port}`, memory: process.memoryUsage().rss });
});
process.send?.('ready');
