import { type Document } from 'mongodb';
import { type Choice, type DeviceState } from './presence.model.js';

/** What becomes of a user on one node. */
export interface NodeChange {
  nodeId: string;
  /** How their devices there stand; none where there are none left. */
  device: DeviceState | undefined;
  /** What they have chosen for all devices just now; `null` ends what they had chosen. */
  choice?: Choice | null | undefined;
  /** When they were last heard of there. */
  heardAt: Date | { agoMs: number };
}

const OFFLINE = 'offline';

/**
 * One update that changes what a presence says of one node, and what follows from that. Running it twice changes nothing
 * more but the revision.
 */
export function changeOf({ nodeId, device, choice, heardAt }: NodeChange): Document[] {
  const others = { $filter: { input: { $ifNull: ['$nodes', []] }, cond: { $ne: ['$$this.id', nodeId] } } };
  const lastHeard = heardAt instanceof Date ? heardAt : { $subtract: ['$$NOW', heardAt.agoMs] };
  const leaves = { $and: [{ $ne: [{ $ifNull: ['$state', OFFLINE] }, OFFLINE] }, { $eq: [shown, OFFLINE] }] };
  return [
    {
      $set: {
        nodes: device === undefined ? others : { $concatArrays: [others, [{ id: nodeId, state: device }]] },
        ...(choice !== undefined && { choice }),
      },
    },
    {
      $set: {
        state: shown,
        // Of who has been invisible nobody may learn by this that they were here.
        lastSeenAt: { $cond: [leaves, lastHeard, { $ifNull: ['$lastSeenAt', '$$REMOVE'] }] },
        revision: { $add: [{ $ifNull: ['$revision', 0] }, 1] },
        changedAt: '$$NOW',
      },
    },
  ];
}

/** What others see, by what is stored in the stage before. */
const shown = {
  $switch: {
    branches: [
      { case: { $or: [{ $eq: ['$nodes', []] }, { $eq: ['$choice', 'invisible'] }] }, then: OFFLINE },
      { case: { $eq: ['$choice', 'busy'] }, then: 'busy' },
      { case: { $in: ['online', '$nodes.state'] }, then: 'online' },
    ],
    default: 'away',
  },
};
