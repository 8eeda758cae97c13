import {
  emailVerificationRequested,
  passwordChanged,
  passwordResetRequested,
  sessionEnded,
  sessionStarted,
} from '../auth/index.js';
import { exportReady } from '../personal-data/index.js';
import { type SecurityFacts } from './security-texts.js';
import { type Occasion, type Trigger, trigger } from './trigger.js';

interface SecurityCase {
  userId: string;
  facts: SecurityFacts;
  /** What it is about, and tells one occurrence from the next. */
  entity: { kind: string; id: string };
  deepLink?: string;
}

/** What concerns the security of an account: its owner is told on every channel, though it was their own doing. */
export const securityTriggers: Trigger[] = [
  trigger(emailVerificationRequested, ({ data }) => ({
    ...about({
      userId: data.userId,
      facts: { occasion: 'verifyEmail' },
      entity: { kind: 'emailVerification', id: data.tokenId },
      deepLink: '/verify-email',
    }),
    // The link proves who reads the mailbox; it must be seen nowhere else.
    channels: ['email'],
  })),
  trigger(passwordResetRequested, ({ data }) => ({
    ...about({
      userId: data.userId,
      facts: { occasion: 'resetPassword' },
      entity: { kind: 'passwordReset', id: data.tokenId },
      deepLink: '/reset-password',
    }),
    channels: ['email'],
  })),
  trigger(passwordChanged, ({ data }) =>
    about({
      userId: data.userId,
      facts: { occasion: 'passwordChanged' },
      entity: { kind: 'passwordChange', id: data.changeId },
    }),
  ),
  trigger(sessionStarted, ({ data: { userId, sessionId, device, place, isNewDevice } }) =>
    isNewDevice
      ? about({ userId, facts: { occasion: 'newSignIn', device, place }, entity: { kind: 'session', id: sessionId } })
      : undefined,
  ),
  trigger(sessionEnded, ({ data: { userId, sessionId, reason } }) =>
    reason === 'reuse'
      ? about({ userId, facts: { occasion: 'tokenReused' }, entity: { kind: 'session', id: sessionId } })
      : undefined,
  ),
  // As for security: whoever is in someone's account unasked may be after all of its data.
  trigger(exportReady, ({ data: { userId, exportId } }) =>
    about({
      userId,
      facts: { occasion: 'exportReady' },
      entity: { kind: 'export', id: exportId },
      deepLink: '/settings/data',
    }),
  ),
];

function about({ userId, facts, entity, deepLink = '/settings/sessions' }: SecurityCase): Occasion {
  return {
    type: 'SECURITY',
    recipientIds: [userId],
    entity,
    deepLink,
    dedupeKey: `${facts.occasion}:${entity.id}`,
    groupKey: `security:${facts.occasion}`,
    excerpt: '',
    security: facts,
  };
}
