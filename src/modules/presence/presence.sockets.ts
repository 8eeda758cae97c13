import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Infer, instant, list, named, objectId, oneOf, shape } from '../../core/http/schema.js';
import { type Log } from '../../core/observability/log.js';
import { type Broadcaster, clientEvent, type NamespaceDefinition } from '../../core/realtime/namespace.js';
import { connectionEvents } from '../network/index.js';
import { privacyChanged, userBlocked, userUnblocked } from '../privacy/index.js';
import { userDeleted, userErased, userRestored } from '../users/index.js';
import { type Devices } from './devices.js';
import { type PresenceNews } from './news.js';
import { SETTABLE_STATES, SHOWN_STATES } from './presence.model.js';
import { type Watching } from './watching.js';

/** So many fit on a screen, however large. */
const MOST_WATCHED = 200;

export const presenceAnswer = named(
  'Presence',
  shape({ userId: objectId(), state: oneOf(SHOWN_STATES) }, { lastSeenAt: instant() }),
);

const connectionKinds = new Set(connectionEvents.map(({ type }) => type));
const accountKinds = [userDeleted, userRestored, userErased];

export interface PresenceNamespaceDeps {
  devices: Pick<Devices, 'connected' | 'ended' | 'set'>;
  watching: Pick<Watching, 'begin' | 'end' | 'watch' | 'reconsider' | 'reconsiderAll'>;
  log: Log;
  onOpen: (broadcaster: Broadcaster) => void;
  /** What another node has told. */
  onNews: (news: PresenceNews) => void;
}

/** Who is here: a user is as long as any device is connected to this namespace. */
export function presenceNamespace({
  devices,
  watching,
  log,
  onOpen,
  onNews,
}: PresenceNamespaceDeps): NamespaceDefinition {
  const failed = (error: unknown): void => {
    log.warn({ err: error }, 'presence: who may see someone could not be looked at anew');
  };

  return {
    name: '/presence',
    summary:
      'Who is here. A user is online as long as one device is connected to this namespace, on whatever node; connecting ' +
      'to others does not count. A device that vanishes without a word counts for up to 30 seconds more. Others are ' +
      'shown as `offline` and nothing else to those who may not see them: by their privacy settings or by a block.',
    clientEvents: {
      'presence:subscribe': clientEvent({
        summary:
          'Says whom this client has on its screen, in place of whomever it said before, and answers with how each of ' +
          'them stands; `presence` tells what changes from then on. Of oneself it tells what others see.',
        payload: shape({ userIds: list(objectId(), { max: MOST_WATCHED }) }),
        acknowledgement: shape({ presences: list(presenceAnswer) }),
        async handle({ payload, connection }) {
          return { presences: await watching.watch(connection.id, payload.userIds) };
        },
      }),
      'presence:set': clientEvent({
        summary:
          '`busy` and `invisible` are chosen for all of the user’s devices, and hold, beyond the end of the connection, ' +
          'until a device that is not away says `online`. `away` is said of this device, which says `online` once it is ' +
          'used again; the user is away where all devices are. Whoever is invisible is shown as `offline`, last seen ' +
          'when that was chosen.',
        payload: shape({ state: oneOf(SETTABLE_STATES) }),
        async handle({ actor, payload, connection }) {
          await devices.set(actor.id, connection.id, payload.state);
          return undefined;
        },
      }),
    },
    serverEvents: {
      presence: {
        summary: 'How someone stands whom this client watches; `lastSeenAt` only while `offline`, where it is known.',
        payload: presenceAnswer,
      },
    },
    onOpen,
    onRelay: (message) => onNews(message as PresenceNews),
    onConnect({ id: userId }, connection) {
      watching.begin(connection.id, userId, (shown) => connection.send('presence', shown));
      devices.connected(userId, connection.id);
      connection.onEnd((silentMs) => {
        watching.end(connection.id);
        devices.ended(userId, connection.id, silentMs);
      });
    },
    onEvent(event) {
      for (const [userId, viewerId] of concerned(event)) watching.reconsider(userId, viewerId).catch(failed);
    },
    onGap: () => void watching.reconsiderAll().catch(failed),
  };
}

/** Who may now be seen by others than before: by one other, or by anyone. */
function concerned(event: DomainEvent): [userId: string, viewerId?: string][] {
  if (isEvent(event, privacyChanged)) return [[event.data.userId]];
  if (isEvent(event, userBlocked) || isEvent(event, userUnblocked)) {
    return eachOther(event.data.blockerId, event.data.blockedId);
  }
  if (connectionKinds.has(event.type)) {
    const { requesterId, addresseeId } = event.data as Infer<(typeof connectionEvents)[number]['schema']>;
    return eachOther(requesterId, addresseeId);
  }
  return accountKinds.some((kind) => isEvent(event, kind)) ? [[event.entity.id]] : [];
}

function eachOther(oneId: string, otherId: string): [string, string][] {
  return [
    [oneId, otherId],
    [otherId, oneId],
  ];
}
