import { type HeardMessage } from '../held.js';
import { type PersonLedger } from '../ledger.js';
import { doubled, type Finding, sum } from './finding.js';
import { type Reader } from './reader.js';

interface Conversation {
  id: string;
  lastSeq: number;
  lastReadSeq: number;
  unreadCount: number;
}

const PAGE = 100;

/** Holds what people have sent, been shown and read against the conversations as the server has them. */
export async function verifyMessages(
  people: readonly PersonLedger[],
  readerOf: (person: PersonLedger) => Reader,
): Promise<Finding[]> {
  const stored = new Map<string, HeardMessage[]>();
  const listed = new Map<PersonLedger, Conversation[]>();
  for (const person of people) {
    const reader = readerOf(person);
    const conversations = await reader.all<Conversation>('/conversations');
    listed.set(person, conversations);
    for (const { id } of conversations) if (!stored.has(id)) stored.set(id, await read(reader, id));
  }
  return [
    whatIsThere(stored),
    whatWasSent(people, stored),
    whatIsShown(people, stored),
    whatIsCounted(listed, stored),
    { what: 'what clients saw go wrong', ...oddities(people) },
  ];
}

async function read(reader: Reader, id: string): Promise<HeardMessage[]> {
  const messages: HeardMessage[] = [];
  for (let hasMore = true; hasMore;) {
    const after = messages.at(-1)?.seq ?? 0;
    const page = await reader.get<{ data: HeardMessage[]; hasMore: boolean }>(
      `/conversations/${id}/messages?after=${after}&limit=${PAGE}`,
    );
    messages.push(...page.data);
    ({ hasMore } = page);
  }
  return messages;
}

function whatIsThere(stored: ReadonlyMap<string, HeardMessage[]>): Finding {
  const wrong = [...stored].flatMap(([id, messages]) => [
    ...messages.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`${id} has ${seq} at place ${index + 1}`])),
    ...doubled(messages.map(({ senderId, clientId }) => `${senderId ?? ''} ${clientId}`)).map(
      (twice) => `${id} has ${twice} twice`,
    ),
  ]);
  const count = sum([...stored.values()].map(({ length }) => length));
  return { what: 'messages stored', found: `${count} in ${stored.size} conversations, without gaps`, wrong };
}

function whatWasSent(people: readonly PersonLedger[], stored: ReadonlyMap<string, HeardMessage[]>): Finding {
  const all = new Map([...stored.values()].flat().map((message) => [message.clientId, message]));
  const sent = people.flatMap(({ messages }) => messages);
  const wrong = sent.flatMap(({ mark, fate, id, seq, conversationId }) => {
    const there = all.get(mark);
    if (fate === 'refused') return there ? [`${mark} was refused and is there`] : [];
    if (fate === 'unknown') return [];
    if (!there) return [`${mark} was acknowledged and is missing`];
    const isSame = there.id === id && there.seq === seq && there.conversationId === conversationId;
    return isSame ? [] : [`${mark} was acknowledged as ${id ?? ''} at ${seq ?? 0}, and is ${there.id} at ${there.seq}`];
  });
  const known = new Set(sent.map(({ mark }) => mark));
  wrong.push(...[...all.keys()].filter((mark) => !known.has(mark)).map((mark) => `${mark} was never sent`));
  const count = (fate: string): number => sent.filter((each) => each.fate === fate).length;
  const found = `${count('done')} acknowledged, ${count('refused')} refused, ${count('unknown')} without an answer`;
  return { what: 'messages sent', found, wrong };
}

/** Everyone is connected in the end and has been told of everything, in the same order as everybody else. */
function whatIsShown(people: readonly PersonLedger[], stored: ReadonlyMap<string, HeardMessage[]>): Finding {
  let places = 0;
  const wrong = people.flatMap(({ id: userId, held }) =>
    Object.entries(held).flatMap(([id, byPlace]) => {
      const messages = stored.get(id) ?? [];
      places += messages.length;
      const strange = messages.filter((message) => byPlace[message.seq] !== message.id).map(({ seq }) => seq);
      const more = Object.keys(byPlace).length - (messages.length - strange.length);
      return [
        ...(strange.length > 0 ? [`${userId} lacks places ${strange.slice(0, 5).join(', ')} of ${id}`] : []),
        ...(more > 0 && strange.length === 0 ? [`${userId} holds ${more} in ${id} that are not there`] : []),
      ];
    }),
  );
  return { what: 'messages shown', found: `${places} on ${people.length} clients, all of them in one order`, wrong };
}

function whatIsCounted(
  listed: ReadonlyMap<PersonLedger, Conversation[]>,
  stored: ReadonlyMap<string, HeardMessage[]>,
): Finding {
  let unread = 0;
  const wrong = [...listed].flatMap(([person, conversations]) =>
    conversations.flatMap(({ id, lastSeq, lastReadSeq, unreadCount }) => {
      const messages = stored.get(id) ?? [];
      const counted = messages.filter(({ seq }) => seq > lastReadSeq).length;
      unread += counted;
      return [
        ...(counted === unreadCount ? [] : [`${person.id} has ${counted} unread in ${id} and is told ${unreadCount}`]),
        ...(lastSeq === messages.length ? [] : [`${id} ends at ${messages.length} and is said to end at ${lastSeq}`]),
        ...(lastReadSeq >= (person.read[id] ?? 0) ? [] : [`${person.id} has read more of ${id} than ${lastReadSeq}`]),
      ];
    }),
  );
  return { what: 'unread messages', found: `${unread}, counted and told`, wrong };
}

function oddities(people: readonly PersonLedger[]): Pick<Finding, 'found' | 'wrong'> {
  const [connections, catchUps] = [sum(people.map((p) => p.connections)), sum(people.map((p) => p.catchUps))];
  const found = `${connections} connections, ${catchUps} of which asked for what they had missed`;
  return { found, wrong: people.flatMap((person) => person.oddities) };
}
