import {
  type CodePurpose,
  codeRequested,
  emailChanged,
  emailChangeRequested,
  emailVerificationRequested,
  passwordChanged,
  passwordResetRequested,
  recoveryCodesRenewed,
  recoveryCodeUsed,
  sessionEnded,
  sessionStarted,
  twoFactorDisabled,
  twoFactorEnabled,
} from '../auth/index.js';
import { identityLinked, identityUnlinked } from '../oauth/index.js';
import { exportReady } from '../personal-data/index.js';
import { phoneCodeRequested, phoneConfirmed, phoneRemoved } from '../phones/index.js';
import { userRoleChanged, userSuspended } from '../users/index.js';
import { type SecurityFacts, type SecurityOccasion } from './security-texts.js';
import { type Occasion, type Trigger, trigger } from './trigger.js';

interface SecurityCase {
  userId: string;
  facts: SecurityFacts;
  /** What it is about, and tells one occurrence from the next. */
  entity: { kind: string; id: string };
  deepLink?: string;
}

const CODE_OCCASIONS: Record<CodePurpose, SecurityOccasion> = {
  emailChange: 'codeForEmailChange',
  passwordChange: 'codeForPasswordChange',
  erasure: 'codeForErasure',
  export: 'codeForExport',
};

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
  ...(
    [
      [twoFactorEnabled, 'twoFactorEnabled'],
      [twoFactorDisabled, 'twoFactorDisabled'],
      [recoveryCodeUsed, 'recoveryCodeUsed'],
      [recoveryCodesRenewed, 'recoveryCodesRenewed'],
    ] as const
  ).map(([event, occasion]) =>
    trigger(event, ({ data: { userId, changeId } }) =>
      about({ userId, facts: { occasion }, entity: { kind: 'twoFactor', id: changeId } }),
    ),
  ),
  trigger(identityLinked, ({ data: { userId, identityId, provider, isNewAccount } }) =>
    isNewAccount
      ? undefined
      : about({
          userId,
          facts: { occasion: 'identityLinked', provider },
          entity: { kind: 'identity', id: identityId },
        }),
  ),
  trigger(identityUnlinked, ({ data: { userId, identityId, provider } }) =>
    about({ userId, facts: { occasion: 'identityUnlinked', provider }, entity: { kind: 'identity', id: identityId } }),
  ),
  trigger(userSuspended, ({ _id, data: { userId, until, reason } }) =>
    about({
      userId,
      facts: {
        ...(until ? { occasion: 'suspended', until: until.toISOString() } : { occasion: 'suspensionLifted' }),
        ...(reason !== undefined && { reason }),
      },
      // No two decisions are the same: an account may be suspended again.
      entity: { kind: 'suspension', id: _id.toHexString() },
    }),
  ),
  trigger(userRoleChanged, ({ _id, data: { userId, role, reason } }) =>
    about({
      userId,
      facts: { occasion: 'roleChanged', role, ...(reason !== undefined && { reason }) },
      entity: { kind: 'roleChange', id: _id.toHexString() },
    }),
  ),
  trigger(codeRequested, ({ data }) => ({
    ...about({
      userId: data.userId,
      facts: { occasion: CODE_OCCASIONS[data.purpose] },
      entity: { kind: 'mailedCode', id: data.codeId },
      deepLink: '/settings/account',
    }),
    // The code proves who reads the mailbox.
    channels: ['email'],
  })),
  trigger(emailChangeRequested, ({ data }) => ({
    ...about({
      userId: data.userId,
      facts: { occasion: 'confirmNewEmail' },
      entity: { kind: 'emailChange', id: data.tokenId },
      deepLink: '/confirm-email',
    }),
    channels: ['email'],
    mailTo: data.newEmail,
  })),
  trigger(emailChanged, ({ data }) => ({
    ...about({
      userId: data.userId,
      facts: { occasion: 'emailChanged' },
      entity: { kind: 'emailChanged', id: data.changeId },
    }),
    // Whoever reads the old mailbox should hear of it, in case it was not their doing.
    mailTo: data.previousEmail,
  })),
  trigger(phoneCodeRequested, ({ data }) => ({
    ...about({
      userId: data.userId,
      facts: { occasion: 'codeForPhone' },
      entity: { kind: 'phoneCode', id: data.codeId },
      deepLink: '/settings/account',
    }),
    // The code proves in whose hands the phone is.
    channels: ['sms'],
    smsTo: data.number,
  })),
  ...(
    [
      [phoneConfirmed, 'phoneConfirmed'],
      [phoneRemoved, 'phoneRemoved'],
    ] as const
  ).map(([event, occasion]) =>
    trigger<{ userId: string; changeId: string }>(event, ({ data: { userId, changeId } }) =>
      about({
        userId,
        facts: { occasion },
        entity: { kind: 'phone', id: changeId },
        deepLink: '/settings/account',
      }),
    ),
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
