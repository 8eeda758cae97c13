/**
 * Clients of the sockets benchmark, thousands in one process. Answers `{ connect }` with how long that took, and
 * `{ hear }` with when each has heard of a change, by the wall clock that all processes share.
 */
import { io, type Socket } from 'socket.io-client';
import pLimit from 'p-limit';
import { until, wallClock } from './pace.js';

/** What the clients are told to do: one of both. */
export interface Told {
  connect?: { url: string; tokens: string[]; count: number; postId: string };
  /** To wait for so long, in milliseconds, until every one has heard. */
  hear?: number;
}

const AT_ONCE = 50;
const sockets: Socket[] = [];
let heard: number[] = [];

async function connect({ url, tokens, count, postId }: NonNullable<Told['connect']>): Promise<number> {
  const begun = performance.now();
  const limit = pLimit(AT_ONCE);
  const open = async (index: number): Promise<void> => {
    const auth = { token: tokens[index % tokens.length] };
    const socket = io(`${url}/feed`, { auth, transports: ['websocket'], forceNew: true, reconnection: false });
    socket.on('post:counts', () => heard.push(wallClock()));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    sockets.push(socket);
  };
  await Promise.all(Array.from({ length: count }, (_, index) => limit(() => open(index))));
  const took = performance.now() - begun;
  await Promise.all(sockets.map((socket) => limit(() => socket.emitWithAck('post:watch', { postId }))));
  return took;
}

async function hear(patienceMs: number): Promise<number[]> {
  await until(() => heard.length >= sockets.length, patienceMs);
  const answer = heard;
  heard = [];
  return answer;
}

process.on('message', (told: Told) => {
  const work = told.connect ? connect(told.connect) : hear(told.hear ?? 0);
  work.then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send?.('ready');
