import { ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';
import { type NodeMark, NodeMarks, type NodeMarksDeps } from '../../core/realtime/node-marks.js';

/** Someone who has a conversation on the screen, on some socket of this node. */
export interface Onlooker extends NodeMark {
  conversationId: ObjectId;
  userId: ObjectId;
}

export const onlookerCollection: CollectionDefinition = {
  name: 'conversationOnlookers',
  indexes: [
    // Which members of a conversation.
    { key: { conversationId: 1, userId: 1 } },
    // One who is erased.
    { key: { userId: 1 } },
    // What a dead node has left.
    { key: { nodeId: 1 } },
  ],
};

/** Who has which conversation on the screen, on whatever node: whoever sees it need not be told of it. */
export class Onlookers extends NodeMarks<Onlooker> {
  /** What each socket looks at. */
  private readonly looking = new Map<string, Set<string>>();

  constructor(deps: NodeMarksDeps) {
    super(onlookerCollection, deps);
  }

  /** Notes that a socket has a conversation on the screen; resolves once others can see that. */
  async join(userId: string, conversationId: string, socketId: string): Promise<void> {
    const key = keyOf(conversationId, userId);
    this.looking.set(socketId, (this.looking.get(socketId) ?? new Set()).add(key));
    await this.mark(key, socketId, true);
  }

  async leave(userId: string, conversationId: string, socketId: string): Promise<void> {
    const key = keyOf(conversationId, userId);
    const keys = this.looking.get(socketId);
    if (keys?.delete(key) !== true) return;
    if (keys.size === 0) this.looking.delete(socketId);
    await this.mark(key, socketId, false);
  }

  /** The socket has ended. */
  ended(socketId: string): void {
    for (const key of this.looking.get(socketId) ?? []) this.unmark(key, socketId);
    this.looking.delete(socketId);
  }

  /** Which of these have the conversation on the screen: one query, however many they are. */
  async among(
    members: readonly { conversationId: ObjectId; userId: ObjectId }[],
  ): Promise<(conversationId: ObjectId, userId: ObjectId) => boolean> {
    if (members.length === 0) return () => false;
    const found = await this.alive({
      conversationId: { $in: distinct(members.map(({ conversationId }) => conversationId)) },
      userId: { $in: distinct(members.map(({ userId }) => userId)) },
    });
    const looking = new Set(found.map(({ conversationId, userId }) => keyOf(conversationId, userId)));
    return (conversationId, userId) => looking.has(keyOf(conversationId, userId));
  }

  protected override fieldsOf(key: string) {
    const [conversationId, userId] = key.split(' ').map((id) => new ObjectId(id));
    if (!conversationId || !userId) throw new Error(`this is no conversation and its onlooker: ${key}`);
    return { conversationId, userId };
  }
}

function keyOf(conversationId: string | ObjectId, userId: string | ObjectId): string {
  return `${String(conversationId)} ${String(userId)}`;
}

function distinct(ids: readonly ObjectId[]): ObjectId[] {
  return [...new Map(ids.map((id) => [id.toHexString(), id])).values()];
}
