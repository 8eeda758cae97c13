import { type InferSchemaType, Schema } from 'mongoose';
import { DELIVERY_STATUSES } from './notification.types.js';

/** The state of a notification on one outside channel: the truth about its delivery, whatever jobs may say. */
export const deliverySchema = new Schema(
  {
    status: { type: String, enum: DELIVERY_STATUSES, required: true },
    /** How often a worker has taken it up. */
    attempts: { type: Number, required: true },
    /** When someone should look at it again: due, to be retried, or the end of a worker's claim. Absent when done. */
    nextAttemptAt: { type: Date },
    /** The claim of the worker that is sending it. */
    claim: { type: String },
    /** Devices that have it already, while others of the same user are still to be tried. */
    sentTo: { type: [String], default: undefined },
    providerMessageId: { type: String },
    error: { type: String },
    /** Why it was skipped or cancelled, or what it waits for. */
    reason: { type: String },
    /** The digest that it goes with, which is what is due then. */
    digestId: { type: Schema.Types.ObjectId },
    sentAt: { type: Date },
    deliveredAt: { type: Date },
  },
  { _id: false },
);

export type Delivery = InferSchemaType<typeof deliverySchema>;
