/** What became of something: answered as done, refused for good, or never answered although it was tried again. */
export type Fate = 'done' | 'refused' | 'unknown';

/** Something that a person wrote once, and tried again until it was answered. */
export interface Written {
  /** What it is recognised by: a text, or a message's `clientId`, that nobody else uses. */
  mark: string;
  fate: Fate;
  /** As it was answered. */
  id?: string;
}

export interface SentMessage extends Written {
  conversationId: string;
  seq?: number;
}

export interface WrittenComment extends Written {
  postId: string;
}

export interface Reacted {
  postId: string;
  fate: Fate;
}

/** What one person did and was told. */
export interface PersonLedger {
  id: string;
  email: string;
  password: string;
  posts: Written[];
  comments: WrittenComment[];
  reactions: Reacted[];
  messages: SentMessage[];
  /** By conversation the place up to which it was read, as far as that was acknowledged. */
  read: Record<string, number>;
  /** By conversation and place the ids of the messages that the client holds in the end, heard live or caught up with. */
  held: Record<string, Record<number, string>>;
  /** What the client itself saw that must not be: two messages at one place, or the same thing shown twice. */
  oddities: string[];
  /** How often it connected, and how often it then asked for what it had missed. */
  connections: number;
  catchUps: number;
}

/** How one kind of action went, for everyone together. */
export interface Tally {
  /** Milliseconds of the attempt that was answered as done. */
  took: number[];
  /** The same from the first attempt on, with all waiting. */
  felt: number[];
  /** Attempts by what came of each: a status, a problem's code, or a broken connection. */
  attempts: Record<string, number>;
  refused: number;
  unknown: number;
}

/** Everything that people did, and what they were told of it. */
export interface Ledger {
  people: PersonLedger[];
  actions: Record<string, Tally>;
  /** Milliseconds from sending a message to its being shown to somebody else. */
  shown: number[];
}

export function emptyLedger(): Ledger {
  return { people: [], actions: {}, shown: [] };
}

/** The tally of one kind of action, begun where there is none. */
export function tallyOf({ actions }: Pick<Ledger, 'actions'>, action: string): Tally {
  return (actions[action] ??= { took: [], felt: [], attempts: {}, refused: 0, unknown: 0 });
}

/** One ledger of several processes' people. */
export function merged(ledgers: readonly Ledger[]): Ledger {
  const whole = emptyLedger();
  for (const { people, actions, shown } of ledgers) {
    whole.people.push(...people);
    whole.shown = whole.shown.concat(shown);
    for (const [action, tally] of Object.entries(actions)) {
      const sum = tallyOf(whole, action);
      sum.took = sum.took.concat(tally.took);
      sum.felt = sum.felt.concat(tally.felt);
      sum.refused += tally.refused;
      sum.unknown += tally.unknown;
      for (const [what, times] of Object.entries(tally.attempts))
        sum.attempts[what] = (sum.attempts[what] ?? 0) + times;
    }
  }
  return whole;
}
