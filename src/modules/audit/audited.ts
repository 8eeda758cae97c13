import { type DomainEvent, type EventType, isEvent } from '../../core/events/event.js';
import { apiKeyCreated, apiKeyRevoked } from '../api-keys/index.js';
import {
  emailChanged,
  passwordChanged,
  recoveryCodesRenewed,
  recoveryCodeUsed,
  sessionEnded,
  sessionStarted,
  signInFailed,
  twoFactorDisabled,
  twoFactorEnabled,
} from '../auth/index.js';
import {
  addressReopened,
  addressSuppressed,
  announcementCancelled,
  announcementScheduled,
  deadLetterDiscarded,
  deadLetterRequeued,
  suppressionAdded,
  suppressionLifted,
} from '../notifications/index.js';
import { identityLinked, identityUnlinked } from '../oauth/index.js';
import { exportReady, exportRequested } from '../personal-data/index.js';
import { phoneConfirmed, phoneRemoved } from '../phones/index.js';
import { userBlocked, userUnblocked } from '../privacy/index.js';
import { reportClosed } from '../reports/index.js';
import { userDeleted, userErased, userRestored, userRoleChanged, userSuspended, userUpdated } from '../users/index.js';

/** What is worth a row of the audit. Those that are traced also say from where. */
export const AUDITED: readonly EventType[] = [
  sessionStarted,
  signInFailed,
  sessionEnded,
  passwordChanged,
  emailChanged,
  phoneConfirmed,
  phoneRemoved,
  twoFactorEnabled,
  twoFactorDisabled,
  recoveryCodeUsed,
  recoveryCodesRenewed,
  identityLinked,
  identityUnlinked,
  userUpdated,
  userRoleChanged,
  userSuspended,
  userBlocked,
  userUnblocked,
  userDeleted,
  userRestored,
  userErased,
  exportRequested,
  exportReady,
  apiKeyCreated,
  apiKeyRevoked,
  reportClosed,
  deadLetterRequeued,
  deadLetterDiscarded,
  addressSuppressed,
  addressReopened,
  suppressionAdded,
  suppressionLifted,
  announcementScheduled,
  announcementCancelled,
];

/** Of an account's changes only those that bear on what it may do. */
const TELLING: ReadonlySet<string> = new Set(['role', 'emailVerified']);

export function isAudited(event: DomainEvent): boolean {
  return !isEvent(event, userUpdated) || event.data.changed.some((field) => TELLING.has(field));
}
