import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { type NodeMark } from '../../../core/realtime/node-marks.js';

/** Someone who has the app before their eyes, on some socket of this node. */
export interface ForegroundUser extends NodeMark {
  userId: ObjectId;
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
