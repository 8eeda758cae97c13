import { atRate, until } from './pace.js';
import { type Stage } from './stage.js';

/** How long each took that arrived, in milliseconds, and how many had not when the wait ended. */
export interface Latencies {
  took: number[];
  overdue: number;
}

const PATIENCE_MS = 20_000;

/** Reactions by HTTP, and their notifications on the authors' sockets. */
export class Reactions {
  private readonly startedAt = new Map<string, number>();
  private took: number[] = [];
  private next = 0;

  private constructor(
    private readonly stage: Stage,
    private readonly postIds: string[],
  ) {
    for (const { person, socket } of stage.people) {
      socket.socket.on('notification:new', ({ type, actorIds }: { type: string; actorIds: string[] }) => {
        const at = performance.now();
        // Several at the same moment are told as one, which names the newest of them.
        for (const actorId of type === 'REACTION' ? actorIds : []) {
          const key = `${actorId} ${person.id}`;
          const begun = this.startedAt.get(key);
          if (begun !== undefined && this.startedAt.delete(key)) this.took.push(at - begun);
        }
      });
    }
  }

  /** Everyone publishes a post and will react to the others'. */
  static async prepare(stage: Stage): Promise<Reactions> {
    const postIds: string[] = [];
    for (const { person } of stage.people) postIds.push(await person.publish('What does it take to be heard at once?'));
    return new Reactions(stage, postIds);
  }

  async run(perSecond: number, seconds: number): Promise<Latencies> {
    this.took = [];
    await atRate(perSecond, seconds, () => this.react());
    await until(() => this.startedAt.size === 0, PATIENCE_MS);
    const overdue = this.startedAt.size;
    this.startedAt.clear();
    return { took: this.took, overdue };
  }

  /** Goes round the reactors, and with every round on to another author, so that no pair comes twice. */
  private react(): void {
    const { people } = this.stage;
    const index = this.next++;
    const reactorAt = index % people.length;
    const authorAt = (reactorAt + 1 + Math.floor(index / people.length)) % people.length;
    const [reactor, author] = [people[reactorAt]?.person, people[authorAt]?.person];
    if (!reactor || !author || reactor === author) throw new Error('there are no pairs left');
    this.startedAt.set(`${reactor.id} ${author.id}`, performance.now());
    reactor.post(`/posts/${this.postIds[authorAt] ?? ''}/react`, { type: 'LIKE' }).then(
      ({ status, body }) => {
        if (status !== 200) console.error(`a reaction was refused: ${JSON.stringify(body)}`);
      },
      (error: unknown) => console.error(error),
    );
  }
}
