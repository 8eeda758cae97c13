import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';

/** Someone who has the app before their eyes, on some socket of this node. */
export interface ForegroundUser {
  /** Of the node and the user. */
  _id: string;
  userId: ObjectId;
  nodeId: string;
}

/** A node that serves sockets. What it says of its users counts only as long as it is alive. */
export interface ForegroundNode {
  _id: string;
  seenAt: Date;
}

export const foregroundUsers: CollectionDefinition = {
  name: 'foregroundUsers',
  indexes: [
    // Which of some recipients; one who is erased.
    { key: { userId: 1 } },
    // What a dead node has left.
    { key: { nodeId: 1 } },
  ],
};

export const foregroundNodes: CollectionDefinition = {
  name: 'foregroundNodes',
  // Read by id; the few that there are are looked through for dead ones.
  indexes: [],
};
