import { ObjectId } from 'mongodb';
import { io } from 'socket.io-client';
import { LiveSocket } from '../../test/support/api.js';
import { type Chatter } from './chat.js';
import { processorMs, Helper } from './processes.js';

interface Node {
  helper: Helper;
  url: string;
  pid: number;
}

/** Several nodes of the floor of chat. */
export class FloorNodes {
  private constructor(private readonly nodes: readonly Node[]) {}

  static async start(uri: string, count: number): Promise<FloorNodes> {
    const nodes: Node[] = [];
    while (nodes.length < count) {
      const helper = await Helper.start('floor-chat.ts', { MONGODB_URI: uri });
      nodes.push({ helper, ...(await helper.ask<{ url: string; pid: number }>({})) });
    }
    return new FloorNodes(nodes);
  }

  /** Somebody new with a socket to one of them, each in turn. */
  async arrive(number: number): Promise<Chatter> {
    const node = this.nodes[number % this.nodes.length];
    if (!node) throw new Error('no node was started');
    const id = new ObjectId().toHexString();
    const socket = io(`${node.url}/messages`, { auth: { id }, transports: ['websocket'], forceNew: true });
    const live = new LiveSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return { id, socket: live };
  }

  /** Processor time that they have used together, in milliseconds. */
  processorTime(): Promise<number> {
    return processorMs(this.nodes.map(({ pid }) => pid));
  }

  async stop(): Promise<void> {
    for (const { helper } of this.nodes) await helper.stop();
  }
}
