import { type Visibility } from '../../core/visibility.js';
import { type Attendance, type Attendee } from '../chat/index.js';
import { type Contact, type UserService } from '../users/index.js';
import { type Reach } from './channel-decision.js';
import { type PhoneService } from '../phones/index.js';
import { type DeviceService } from './device.service.js';
import { type Foreground } from './foreground/foreground.js';
import { type MuteService, type Telling } from './mute.service.js';
import { type SubjectKind } from './notification.types.js';
import { type ChosenSettings, completed, DEFAULT_ZONE, type NotificationSettingsService } from './settings.service.js';
import { type SuppressionService } from './suppressions/suppression.service.js';

type Contacts = ReadonlyMap<string, Contact>;

export interface FactDeps {
  users: UserService;
  settings: NotificationSettingsService;
  devices: DeviceService;
  phones: Pick<PhoneService, 'numbersOf'>;
  mutes: MuteService;
  suppressions: Pick<SuppressionService, 'among'>;
  visibility: Visibility;
  foreground: Pick<Foreground, 'among'>;
  attendance: Pick<Attendance, 'among'>;
}

/** What has to be known to decide about some notifications. */
export interface Facts {
  /** A recipient or whoever caused one; `undefined` where there is no such user any more. */
  contact(userId: string): Contact | undefined;
  /** Whether one of the two has blocked the other. */
  apart(oneId: string, otherId: string): boolean;
  /** Whether this one is about a message that is not there for its recipient, who has left, say. */
  outOfSight(telling: Telling): boolean;
  /** How the recipient of this one can and wants to be reached. */
  reach(telling: Telling): Reach;
}

/** Reads what decisions are made from: for however many at once in two round trips' time, a query for each kind. */
export class RecipientFacts {
  constructor(private readonly deps: FactDeps) {}

  async of(tellings: readonly Telling[]): Promise<Facts> {
    const recipients = [...new Set(tellings.map(({ userId }) => userId))];
    const actors = [...new Set(tellings.flatMap(({ actorIds }) => actorIds))];
    const { users, settings, devices, mutes, suppressions, visibility, foreground, attendance } = this.deps;
    const found = users.contacts([...recipients, ...actors]);
    const chosenBy = settings.of(recipients);
    const reachedBy = devices.owners(recipients);
    // Beside any transaction, all at once: nothing here is written by it.
    const [contacts, closure, chosen, numbers, withDevice, isMuted, apart, present, attending] = await Promise.all([
      found,
      found.then((known) => suppressions.among(addressesOf(tellings, known))),
      chosenBy,
      chosenBy.then((settled) => this.numbersOf(recipients, tellings, settled)),
      reachedBy,
      mutes.among(tellings),
      visibility.hiddenPairs(actors, recipients),
      // It counts for pushes to phones alone.
      reachedBy.then((withDevice) => foreground.among(recipients.filter((id) => withDevice(id).mobilePush))),
      attendance.among(tellings.flatMap((telling) => attendeeOf(telling) ?? [])),
    ]);
    const standing = (telling: Telling) => {
      const attendee = attendeeOf(telling);
      return attendee && attending(attendee);
    };
    return {
      contact: (userId) => contacts.get(userId),
      apart,
      outOfSight: (telling) => standing(telling)?.isThere === false,
      reach(telling) {
        const { userId } = telling;
        const address = addressOf(telling, contacts);
        const mailClosed = address === undefined ? undefined : closure(address);
        const { preferences = {}, quietHours, digest = 'off', grouping } = chosen.get(userId) ?? {};
        const asksForSms = telling.smsTo != null;
        return {
          preferences,
          ...(quietHours && { quietHours: completed(quietHours) }),
          timeZone: contacts.get(userId)?.timeZone ?? DEFAULT_ZONE,
          digest,
          hasDevice: withDevice(userId),
          phone: numbers(telling),
          ...(asksForSms && { asksForSms }),
          muted: isMuted(telling) || standing(telling)?.isMuted === true,
          ...(standing(telling)?.isLooking === true && { isLooking: true }),
          ...(mailClosed && { mailClosed }),
          isPresent: present.has(userId),
          ...(grouping && { grouping }),
        };
      },
    };
  }

  /**
   * How the numbers stand that SMS go to. Most users want none: only the numbers of those who do are read, and of those
   * whether they take any.
   */
  private async numbersOf(
    recipients: readonly string[],
    tellings: readonly Telling[],
    chosen: ReadonlyMap<string, ChosenSettings>,
  ): Promise<(telling: Telling) => Reach['phone']> {
    const { phones, suppressions } = this.deps;
    const wanting = recipients.filter((id) => wantsAnySms(chosen.get(id)));
    const own = await phones.numbersOf(wanting);
    const numberOf = ({ userId, smsTo }: Telling): string | undefined => smsTo ?? own.get(userId);
    const closure = await suppressions.among(tellings.flatMap((telling) => numberOf(telling) ?? []));
    return (telling) => {
      const number = numberOf(telling);
      if (number === undefined) return 'none';
      return closure(number) === undefined ? 'open' : 'closed';
    };
  }
}

/** Of what is about a message, and minds whether its recipient hears the conversation: which message to whom. */
function attendeeOf({ userId, about }: Telling): Attendee | undefined {
  const idOf = (kind: SubjectKind) => about.find((key) => key.startsWith(`${kind}:`))?.slice(kind.length + 1);
  const [conversationId, messageId] = [idOf('conversation'), idOf('message')];
  return conversationId === undefined || messageId === undefined ? undefined : { userId, conversationId, messageId };
}

function wantsAnySms({ preferences = {} }: ChosenSettings = {}): boolean {
  return Object.values(preferences).some((channels) => channels.sms === true);
}

function addressesOf(tellings: readonly Telling[], contacts: Contacts): string[] {
  return tellings.flatMap((telling) => addressOf(telling, contacts) ?? []);
}

function addressOf({ userId, mailTo }: Telling, contacts: Contacts): string | undefined {
  return mailTo ?? contacts.get(userId)?.email;
}
