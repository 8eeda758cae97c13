import { expect } from 'chai';
import { type Broadcaster, type Connection } from '../../src/core/realtime/namespace.js';
import { type ConversationList } from '../../src/modules/chat/conversation.list.js';
import { type Gate } from '../../src/modules/chat/gate.js';
import { type ChatSocketDeps, messageNamespace } from '../../src/modules/chat/chat.sockets.js';

const CONVERSATION = 'a'.repeat(24);

/** A socket that puts a conversation on the screen, of which this node remembers that its user is in it. */
function scene(isStillMember: boolean) {
  const rooms = new Set<string>();
  const gate = { mustEnter: () => Promise.resolve({}) } as unknown as Gate;
  const list = { one: () => Promise.resolve(isStillMember ? { id: CONVERSATION } : undefined) };
  const connection = {
    id: 'socket',
    join: (room: string) => rooms.add(room),
    leave: (room: string) => rooms.delete(room),
    onEnd: () => undefined,
  } as unknown as Connection;
  const onlookers = { join: () => Promise.resolve() };
  const deps = { gate, list: list as unknown as ConversationList, onlookers } as unknown as ChatSocketDeps;
  const event = messageNamespace(deps).clientEvents['conversation:join']!;
  const actor = { id: 'b'.repeat(24), role: 'student', sessionId: 'c'.repeat(24) };
  const join = () =>
    event.handle({ actor, payload: { conversationId: CONVERSATION }, connection, broadcaster: {} as Broadcaster });
  return { rooms, join };
}

describe('A conversation that is put on the screen', () => {
  it('is listened to by who is in it', async () => {
    const { rooms, join } = scene(true);
    expect(await join()).to.deep.equal({ conversation: { id: CONVERSATION } });
    expect(rooms.size).to.equal(1);
  });

  it('is listened to no more by who was taken out before the node had heard of it', async () => {
    const { rooms, join } = scene(false);
    const refusal = await join().catch((error: unknown) => error);
    expect(refusal).to.include({ code: 'CONVERSATION_NOT_FOUND' });
    expect([...rooms]).to.deep.equal([]);
  });
});
