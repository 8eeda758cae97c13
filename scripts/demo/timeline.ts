import { setTimeout as pause } from 'node:timers/promises';
import { type Arrivals, type Channel, CHANNELS } from './arrivals.js';
import { type Campus, type Member } from './campus.js';
import { POSTS, type PostName, type Step } from './script.js';

/** What the recipient's socket is told of a notification, as far as it is looked at here. */
export interface Told {
  id: string;
  type: string;
  title: string;
  actorIds: string[];
  deepLink: string;
  createdAt: string;
  channels: Partial<Record<Channel, { status: string }>>;
}

/** One step and what became of it. Times are milliseconds since the request was sent, by this machine's clock. */
export interface Performed {
  step: Step;
  actor: Member;
  recipient: Member;
  answered?: number;
  /** The notification was made, which the worker does when it has read the event: its `createdAt`. */
  event?: number;
  arrived: Partial<Record<Channel, number>>;
  told?: Told;
}

const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 5;

/** Does the step by HTTP and waits until its notification has come out everywhere, or for as long as is sane. */
export async function perform(
  step: Step,
  { campus, posts, arrivals }: { campus: Campus; posts: Record<PostName, string>; arrivals: Arrivals },
): Promise<Performed> {
  const performed: Performed = { step, actor: campus[step.by], recipient: campus[POSTS[step.post].by], arrived: {} };
  const { actor, recipient } = performed;
  const postId = posts[step.post];
  const type = 'reaction' in step ? 'REACTION' : 'COMMENT';

  const sentAt = Date.now();
  const request =
    'reaction' in step
      ? actor.person.post(`/posts/${postId}/react`, { type: step.reaction })
      : actor.person.post(`/posts/${postId}/comments`, { content: step.comment });
  const answer = request.then(({ status, body }) => {
    performed.answered = Date.now() - sentAt;
    if (status >= 300) throw new Error(`a request failed: ${JSON.stringify(body)}`);
  });

  const isIt = (told: Told): boolean =>
    told.type === type && told.actorIds.includes(actor.person.id) && told.deepLink.startsWith(`/posts/${postId}`);
  // Only looking is periodic; every time shown was taken down when the thing arrived.
  const look = (): boolean => {
    for (const { event, payload, at } of recipient.socket.heard) {
      if (event !== 'notification:new' || !isIt(payload as Told)) continue;
      performed.told = payload as Told;
      arrivals.note(performed.told.id, 'inApp', at, performed.told.title);
    }
    const { told } = performed;
    if (!told) return false;
    performed.event = Date.parse(told.createdAt) - sentAt;
    for (const channel of CHANNELS) {
      const at = arrivals.at(told.id, channel);
      if (at !== undefined) performed.arrived[channel] = at - sentAt;
    }
    return missing(performed).length === 0;
  };
  await answer;
  while (!look() && Date.now() - sentAt < PATIENCE_MS) await pause(LOOK_EVERY_MS);
  return performed;
}

/** Where the notification has not come out. */
export function missing({ arrived }: Performed): Channel[] {
  return CHANNELS.filter((channel) => arrived[channel] === undefined);
}
