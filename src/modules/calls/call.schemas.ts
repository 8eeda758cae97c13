import {
  anyOf,
  described,
  exactly,
  flag,
  type Infer,
  instant,
  list,
  matching,
  named,
  nullable,
  objectId,
  oneOf,
  shape,
  text,
  whole,
} from '../../core/http/schema.js';
import { userSummary } from '../users/index.js';
import { CALL_STATUSES, CALL_TYPES, END_REASONS, PARTICIPANT_STATES } from './call.model.js';

/** Beside the caller. */
export const MOST_CALLEES = 7;
const MOST_SDP = 32 * 1_024;
/** What a browser finds at once goes in one event, which spares the limit of events per connection. */
const MOST_CANDIDATES = 20;

export const participantAnswer = named(
  'CallParticipant',
  shape(
    { user: userSummary, isCaller: flag(), state: oneOf(PARTICIPANT_STATES) },
    {
      joinedAt: instant(),
      leftAt: instant(),
      deviceId: described(text(), 'The id on `/calls` of the connection that is in the call, while it is.'),
      droppedAt: described(instant(), 'Since when that connection is out of reach; it has 20 s to come back.'),
    },
  ),
);

export const callAnswer = named(
  'Call',
  shape(
    {
      id: objectId(),
      type: oneOf(CALL_TYPES),
      direction: oneOf(['in', 'out'] as const),
      status: oneOf(CALL_STATUSES),
      version: described(whole({ min: 1 }), 'Rises with every change: what has a lower one is older.'),
      participants: list(participantAnswer),
      startedAt: instant(),
    },
    { answeredAt: instant(), endedAt: instant(), endReason: oneOf(END_REASONS) },
  ),
);

const iceServer = named('IceServer', shape({ urls: list(text()) }, { username: text(), credential: text() }));

export const iceServersAnswer = shape(
  { iceServers: described(list(iceServer), 'As `RTCPeerConnection` takes them; empty where none are configured.') },
  { expiresAt: described(instant(), 'Until when the credentials can be used; absent where there are none.') },
);

export const startPayload = shape({
  userIds: list(objectId(), { min: 1, max: MOST_CALLEES, unique: true }),
  type: oneOf(CALL_TYPES),
});

export const callPayload = shape({ callId: objectId() });

/** As it is and not as text: a description has line ends of its own, and nothing in it may be normalised. */
const sdp = matching(/^v=0\r?\n[\t\r\n -~]*$/, { max: MOST_SDP, message: 'must be a session description (SDP)' });
const candidateLine = matching(/^candidate:[ -~]*$/, { max: 2_048, message: 'must be a candidate line' });

const candidate = named(
  'IceCandidate',
  shape(
    { candidate: anyOf([candidateLine, exactly('')]) },
    {
      sdpMid: nullable(text({ max: 64, multiline: false })),
      sdpMLineIndex: nullable(whole({ min: 0, max: 1_023 })),
      usernameFragment: nullable(text({ max: 256, multiline: false })),
    },
  ),
);

const signal = named(
  'CallSignal',
  anyOf([
    shape({ kind: exactly('offer'), sdp }),
    shape({ kind: exactly('answer'), sdp }),
    shape({ kind: exactly('ice'), candidates: list(candidate, { min: 1, max: MOST_CANDIDATES }) }),
  ]),
);

export const signalPayload = shape({ callId: objectId(), to: objectId(), data: signal });
export const signalSaid = shape({ callId: objectId(), from: objectId(), data: signal });

export type CallAnswer = Infer<typeof callAnswer>;
export type StartPayload = Infer<typeof startPayload>;
export type SignalPayload = Infer<typeof signalPayload>;
