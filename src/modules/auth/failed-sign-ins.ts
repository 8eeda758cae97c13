import { ObjectId } from 'mongodb';
import { type Outbox } from '../../core/events/outbox.js';
import { type SIGN_IN_FAILURES, signInFailed } from './auth.events.js';

interface Failure {
  reason: (typeof SIGN_IN_FAILURES)[number];
  /** Absent where there is no such account. */
  userId?: string | undefined;
  /** Whoever is signed in already. */
  actorId?: string | undefined;
}

/**
 * Records that someone could not show that an account is theirs. It takes one write whether there is such an account or
 * not, and whether it is locked or not, so that its time tells nothing.
 */
export async function recordFailure(outbox: Outbox, { reason, userId, actorId }: Failure): Promise<void> {
  const entity =
    userId === undefined ? { kind: 'signIn', id: new ObjectId().toHexString() } : { kind: 'user', id: userId };
  await outbox.announce(signInFailed, {
    ...(actorId !== undefined && { actorId }),
    entity,
    data: { reason, ...(userId !== undefined && { userId }) },
  });
}
