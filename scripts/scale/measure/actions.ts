import { randomBytes } from 'node:crypto';
import { type Answer, type LiveSocket } from '../../../test/support/api.js';
import { type Campus, GROUP, openApp, type Resident } from './campus.js';

/** What people do, as a name of the profile has it. */
export interface Action {
  name: string;
  /** So often it is done to be measured. */
  times: number;
  /** What follows upon it has followed after so long, in milliseconds, where that is not at once. */
  settleMs?: number;
  /** @param index rises with every time, those of warming up included */
  run(index: number): Promise<unknown>;
}

const TEXT = 'Shall we meet at the library at five? أراك هناك.';
const REACTIONS = ['LIKE', 'LOVE', 'CELEBRATE'];
const WATCHED = 30;
/** News of messages come after five seconds, and a push to whoever has the app open after twenty. */
const FOLLOWED_MS = 28_000;

/** Everything that the profile counts, each as an app does it, with what other apps do upon it. */
export function actionsOf({ residents, groupIds, away }: Campus): Action[] {
  const count = residents.length;
  const one = (index: number): Resident => {
    const found = residents[index % count];
    if (!found) throw new Error('there is nobody');
    return found;
  };
  /** Another one, who is somebody else in every round. */
  const other = (index: number): Resident => one(index + 2 + (Math.floor(index / count) % (count - 3)));
  const post = (index: number): string => other(index).postIds[Math.floor(index / count) % 20] ?? '';
  const send = async (socket: LiveSocket, conversationId: string, index: number): Promise<number> => {
    const clientId = `${index}-${randomBytes(6).toString('hex')}`;
    await socket.ask('typing:start', { conversationId });
    const { ok, message, error } = (await socket.ask('message:send', { conversationId, clientId, body: TEXT })) as {
      ok: boolean;
      message: { seq: number };
      error?: unknown;
    };
    if (!ok) throw new Error(`a message was refused: ${JSON.stringify(error)}`);
    return message.seq;
  };
  const read = (socket: LiveSocket, conversationId: string, seq: number): Promise<unknown> =>
    socket.ask('message:read', { conversationId, seq });

  return [
    { name: 'idle', times: 0, run: () => Promise.resolve() },
    {
      name: 'postsPage',
      times: 300,
      run: (index) => one(index).person.get(`/users/${other(index).person.id}/posts`),
    },
    { name: 'commentsPage', times: 300, run: (index) => one(index).person.get(`/posts/${post(index)}/comments`) },
    {
      name: 'reaction',
      times: 240,
      settleMs: FOLLOWED_MS,
      run: (index) =>
        one(index).person.post(`/posts/${post(index)}/react`, { type: REACTIONS[index % REACTIONS.length] }),
    },
    {
      name: 'comment',
      times: 200,
      settleMs: FOLLOWED_MS,
      run: (index) => one(index).person.post(`/posts/${post(index)}/comments`, { content: TEXT }),
    },
    { name: 'post', times: 60, run: (index) => one(index).person.post('/posts', { content: `${TEXT} ${TEXT}` }) },
    {
      name: 'directMessage',
      times: 300,
      async run(index) {
        const { messages, pairId } = one(index);
        const seq = await send(messages, pairId, index);
        await read(one(index + 1).messages, pairId, seq);
      },
    },
    {
      name: 'groupMessage',
      times: 120,
      settleMs: FOLLOWED_MS,
      async run(index) {
        const group = index % groupIds.length;
        const members = residents.slice(group * GROUP, (group + 1) * GROUP);
        const conversationId = groupIds[group] ?? '';
        const [sender, ...others] = members as [Resident, ...Resident[]];
        const seq = await send(sender.messages, conversationId, index);
        await Promise.all(others.map(({ messages }) => read(messages, conversationId, seq)));
      },
    },
    {
      name: 'messageToAbsent',
      times: 60,
      settleMs: FOLLOWED_MS,
      async run(index) {
        const place = index % away.length;
        const conversationId = away[place]?.conversationId ?? '';
        await send(one(place).messages, conversationId, index);
      },
    },
    {
      name: 'notificationsRead',
      times: 150,
      async run(index) {
        const { person } = one(index);
        const answer = (await person.get('/notifications?limit=20')) as Answer<{ data: { id: string }[] }>;
        const [first] = answer.body.data;
        if (first) await person.put(`/notifications/${first.id}/read`);
      },
    },
    {
      name: 'presenceWatch',
      times: 120,
      run: (index) =>
        one(index).presence.ask('presence:subscribe', {
          userIds: residents.slice(0, WATCHED).map(({ person }) => person.id),
        }),
    },
    {
      name: 'presenceChange',
      times: 120,
      run: (index) =>
        one(index).presence.ask('presence:set', { state: Math.floor(index / count) % 2 === 0 ? 'busy' : 'online' }),
    },
    {
      name: 'visit',
      times: 60,
      async run(index) {
        const { person } = away[index % away.length] ?? one(index);
        const app = await openApp(person);
        await app.notifications.ask('presence:foreground', { foreground: true });
        await person.get('/sync');
        await person.get('/conversations');
        await person.get('/notifications/unread-count');
        app.close();
      },
    },
    {
      name: 'refresh',
      times: 90,
      async run(index) {
        const { person } = one(index);
        const given = { refreshToken: person.refreshToken };
        const answer = (await person.api.request('POST', '/auth/refresh', given)) as Answer<{ refreshToken: string }>;
        if (answer.status !== 200) throw new Error(`no new token: ${answer.status}`);
        person.refreshToken = answer.body.refreshToken;
      },
    },
    {
      name: 'signIn',
      times: 40,
      run(index) {
        const { email, password, api } = one(index).person;
        return api.signIn(email, password);
      },
    },
  ];
}
