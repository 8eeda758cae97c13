import { type Visibility } from '../../core/visibility.js';
import { type Contact, type UserService } from '../users/index.js';
import { type Reach } from './channel-decision.js';
import { type DeviceService } from './device.service.js';
import { type MuteService, type Telling } from './mute.service.js';
import { completed, DEFAULT_ZONE, type NotificationSettingsService } from './settings.service.js';

export interface FactDeps {
  users: UserService;
  settings: NotificationSettingsService;
  devices: DeviceService;
  mutes: MuteService;
  visibility: Visibility;
}

/** What has to be known to decide about some notifications. */
export interface Facts {
  /** A recipient or whoever caused one; `undefined` where there is no such user any more. */
  contact(userId: string): Contact | undefined;
  /** Whether one of the two has blocked the other. */
  apart(oneId: string, otherId: string): boolean;
  /** How the recipient of this one can and wants to be reached. */
  reach(telling: Telling): Reach;
}

/** Reads what decisions are made from: for however many at once in one round trip's time, a query for each kind. */
export class RecipientFacts {
  constructor(private readonly deps: FactDeps) {}

  async of(tellings: readonly Telling[]): Promise<Facts> {
    const recipients = [...new Set(tellings.map(({ userId }) => userId))];
    const actors = [...new Set(tellings.flatMap(({ actorIds }) => actorIds))];
    const { users, settings, devices, mutes, visibility } = this.deps;
    // Beside any transaction, all at once: nothing here is written by it.
    const [contacts, chosen, withDevice, isMuted, apart] = await Promise.all([
      users.contacts([...recipients, ...actors]),
      settings.of(recipients),
      devices.owners(recipients),
      mutes.among(tellings),
      visibility.hiddenPairs(actors, recipients),
    ]);
    return {
      contact: (userId) => contacts.get(userId),
      apart,
      reach(telling) {
        const { userId } = telling;
        const { preferences = {}, quietHours, digest = 'off' } = chosen.get(userId) ?? {};
        return {
          preferences,
          ...(quietHours && { quietHours: completed(quietHours) }),
          timeZone: contacts.get(userId)?.timeZone ?? DEFAULT_ZONE,
          digest,
          hasDevice: withDevice(userId),
          muted: isMuted(telling),
        };
      },
    };
  }
}
