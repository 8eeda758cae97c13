import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Heard, type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { InboxView } from '../support/inbox-view.js';
import { LiveStream } from '../support/stream.js';
import { until } from '../support/until.js';

/** What happens at the same time as others of its round; `which` picks a notification, a comment or who reacts. */
type Act =
  | { kind: 'comment' | 'readAll' | 'cut' | 'poll' }
  | { kind: 'uncomment' | 'react' | 'unreact' | 'read' | 'seen' | 'archive' | 'remove'; which: number };

const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('comment' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(...(['uncomment', 'read', 'seen', 'archive', 'remove'] as const)),
      which: fc.nat(20),
    }),
  },
  // Reactions to one post are told as one.
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom(...(['react', 'react', 'unreact'] as const)), which: fc.nat(2) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...(['readAll', 'cut', 'poll'] as const)) }) },
);
const history = fc.array(fc.array(act, { minLength: 2, maxLength: 4 }), { minLength: 4, maxLength: 5 });

/** A client whose connection is lost again and again. */
class UnsteadyStream {
  private readonly streams: LiveStream[] = [];

  constructor(private readonly devices: readonly Person[]) {}

  async open(): Promise<void> {
    const last = this.streams.at(-1);
    last?.cut();
    const device = this.devices[this.streams.length % this.devices.length]!;
    this.streams.push(await LiveStream.open(device, { lastEventId: last?.lastEventId }));
  }

  get heard(): Heard[] {
    return this.streams.flatMap(({ heard }) => heard);
  }

  close(): void {
    this.streams.at(-1)?.cut();
  }
}

/** A client that asks now and then. */
class Poller {
  readonly view = new InboxView();
  private position = 'latest';

  constructor(private readonly person: Person) {}

  async poll(): Promise<void> {
    for (let hasMore = true; hasMore;) {
      const { status, body } = await this.person.get(`/notifications?since=${this.position}&limit=3`);
      expect(status).to.equal(200);
      this.view.apply(body);
      this.position = body.position as string;
      hasMore = body.hasMore as boolean;
    }
  }
}

describe('Sockets, streams and polling', function () {
  // Histories of two dozen requests each.
  this.timeout(120_000);

  let campus: Campus;
  let nodes: [Api, Api];
  before(async () => {
    campus = await Campus.open();
    nodes = [await campus.startNode(), await campus.startNode({ env: { ROLE: 'api' } })];
  });
  after(() => campus.close());

  const said = ({ heard }: { heard: Heard[] }) =>
    heard.flatMap(({ event, payload }) => (event === 'notification:updated' ? [] : [{ event, payload }]));

  /** Someone on two nodes, whom another comments on; each comment is mailed as well, which is told like all else. */
  const scene = async () => {
    const [owner, reader, ...others] = (await Promise.all(Array.from({ length: 4 }, () => nodes[0].register()))) as [
      Person,
      Person,
      Person,
      Person,
    ];
    const post = `/posts/${await owner.publish()}`;
    const path = `${post}/comments`;
    const comments: string[] = [];
    const comment = async (content = `تعليق ${comments.length}`): Promise<void> => {
      const { body } = await reader.post(path, { content });
      comments.push(body.id as string);
    };
    const uncomment = async (which: number): Promise<void> => {
      const id = comments[which % Math.max(1, comments.length)];
      if (id !== undefined) await reader.delete(`${path}/${id}`);
    };
    const reactor = (which: number): Person => [reader, ...others][which % 3]!;
    const react = (which: number) => reactor(which).post(`${post}/react`, { type: 'LIKE' });
    const unreact = (which: number) => reactor(which).delete(`${post}/react`);
    return { owner, devices: [owner, owner.on(nodes[1])] as const, comment, uncomment, react, unreact };
  };

  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/notifications?limit=100')).body.data;
  const unreadOf = async (person: Person): Promise<number> =>
    (await person.get('/notifications/unread-count')).body.count as number;

  it('tell the same of whatever happens at once on two nodes, and end with the count that the API answers', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (rounds: Act[][]) => {
        const { owner, devices, comment, uncomment, react, unreact } = await scene();
        const sockets: LiveSocket[] = [];
        for (const device of devices) sockets.push(await device.connect('/notifications'));
        const steady = await LiveStream.open(owner);
        const unsteady = new UnsteadyStream(devices);
        await unsteady.open();
        const poller = new Poller(owner);
        await poller.poll();

        for (const round of rounds) {
          const known = await listOf(owner);
          const perform = async (one: Act, index: number): Promise<unknown> => {
            const device = devices[index % 2]!;
            if (!('which' in one)) {
              const acts = {
                comment: () => comment(),
                readAll: () => device.put('/notifications/read-all'),
                cut: () => unsteady.open(),
                poll: () => poller.poll(),
              };
              return acts[one.kind]();
            }
            if (one.kind === 'uncomment') return uncomment(one.which);
            if (one.kind === 'react') return react(one.which);
            if (one.kind === 'unreact') return unreact(one.which);
            const target = known[one.which % Math.max(1, known.length)];
            if (!target) return comment();
            const at = `/notifications/${target.id as string}`;
            return one.kind === 'remove' ? device.delete(at) : device.put(`${at}/${one.kind}`);
          };
          // One act each for what only one client can do at a time.
          const once = round.filter(
            ({ kind }, index) =>
              !['cut', 'poll'].includes(kind) || round.findIndex((other) => other.kind === kind) === index,
          );
          await Promise.all(once.map(perform));
        }
        // What becomes of the mails that are on their way it hears only once it is back.
        unsteady.close();
        // Whatever was done before has been handled once a comment that comes after it is told of.
        await comment('النهاية');
        await until(async () => (await listOf(owner)).some(({ data }) => data.excerpt === 'النهاية'));
        const isUnderWay = ({ channels }: Json) => ['pending', 'sending'].includes(channels.email?.status as string);
        await until(async () => !(await listOf(owner)).some(isUnderWay));
        await unsteady.open();
        const [list, unread] = [await listOf(owner), await unreadOf(owner)];
        expect(list.map(({ channels }) => channels.email.status as string)).to.include('sent');
        const upToDate = (client: { heard: Heard[] }) =>
          until(
            () => InboxView.of(client.heard).shown,
            (shown) => isDeepStrictEqual(shown, { list, unread }),
          );
        for (const client of [...sockets, steady, unsteady]) await upToDate(client);
        await poller.poll();
        expect(poller.view.shown).to.deep.equal({ list, unread });
        // Those that were never cut off were told the same in the same order, but for deliveries: these are shown as
        // they are when a node looks.
        for (const client of [sockets[1]!, steady]) expect(said(client)).to.deep.equal(said(sockets[0]!));
        const isUnread = ({ channels }: Json) => ['unread', 'seen'].includes(channels.inApp.status as string);
        expect(list.filter(isUnread)).to.have.length(unread);

        steady.cut();
        unsteady.close();
        for (const socket of sockets) socket.socket.disconnect();
      }),
      { numRuns: 3, seed: 20_261_121 },
    );
  });
});
