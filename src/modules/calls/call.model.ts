import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

export const CALL_TYPES = ['voice', 'video'] as const;
export type CallType = (typeof CALL_TYPES)[number];

/**
 * `ringing` until the first one answers, then `active` until fewer than two are left. What never became active ends
 * as `rejected`, `missed`, or `failed`: nobody could be rung, or the caller was lost.
 */
export const CALL_STATUSES = ['ringing', 'active', 'ended', 'rejected', 'missed', 'failed'] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];

export const PARTICIPANT_STATES = ['ringing', 'joined', 'left', 'rejected', 'missed', 'busy'] as const;
export type ParticipantState = (typeof PARTICIPANT_STATES)[number];

export const END_REASONS = ['hungUp', 'cancelled', 'rejected', 'timeout', 'busy', 'connectionLost'] as const;
export type EndReason = (typeof END_REASONS)[number];

/** The one connection by which someone takes part. */
export interface CallDevice {
  socketId: string;
  /** Of the node that it is connected to. */
  nodeId: string;
  sessionId: string;
}

export interface Participant {
  userId: ObjectId;
  state: ParticipantState;
  joinedAt?: Date;
  leftAt?: Date;
  /** While joined. */
  device?: CallDevice;
  /** Since when that is out of reach. */
  droppedAt?: Date;
}

/** A call and everyone who was asked to it; the caller is the first of them, and is joined from the start. */
export interface Call {
  _id: ObjectId;
  type: CallType;
  callerId: ObjectId;
  participants: Participant[];
  status: CallStatus;
  /** Rises with every change: it is what a change expects to find. */
  version: number;
  startedAt: Date;
  answeredAt?: Date;
  endedAt?: Date;
  endReason?: EndReason;
  /** When its next time limit is over; absent where there is none. */
  nextAttemptAt?: Date;
}

/** Whoever rings or is in a call has one. */
export interface CallSeat {
  /** Of the user: nobody can have two. */
  _id: ObjectId;
  callId: ObjectId;
}

export const callCollection: CollectionDefinition = {
  name: 'calls',
  indexes: [
    // One's own calls, newest first; also those that are erased and exported.
    { key: { 'participants.userId': 1, _id: -1 } },
    // Those of which a time limit is over.
    { key: { nextAttemptAt: 1 }, options: { partialFilterExpression: { nextAttemptAt: { $exists: true } } } },
    // Those whose devices were connected to a node that died.
    {
      key: { 'participants.device.nodeId': 1 },
      options: { partialFilterExpression: { 'participants.device.nodeId': { $exists: true } } },
    },
  ],
};

export const callSeatCollection: CollectionDefinition = {
  name: 'callSeats',
  // Found by the user's id, which is theirs; it is what keeps a user from being in two calls.
  indexes: [],
};
