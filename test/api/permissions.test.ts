import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';

const HISTORIES = 5;
const AUDIENCES = ['everyone', 'connections', 'nobody'] as const;
type Audience = (typeof AUDIENCES)[number];

/** What one of two people does, on one of two nodes. */
type Step = { who: 0 | 1; node: 0 | 1 } & (
  | { does: 'block' | 'unblock' | 'connect' | 'accept' | 'remove' }
  | { does: 'choose'; viewProfile: Audience; viewActivity: Audience }
);

/** What should be so after some steps, told without looking. */
class Expected {
  readonly blocks = new Set<number>();
  readonly choices = [
    { viewProfile: 'everyone', viewActivity: 'everyone' } as { viewProfile: Audience; viewActivity: Audience },
    { viewProfile: 'everyone', viewActivity: 'everyone' } as { viewProfile: Audience; viewActivity: Audience },
  ] as const;
  requestedBy: number | undefined;
  connected = false;

  apply(step: Step): void {
    const { who } = step;
    switch (step.does) {
      case 'block':
        // Who is hidden by a block of the other's finds nobody to block.
        if (this.blocks.size > 0) return;
        this.blocks.add(who);
        this.connected = false;
        this.requestedBy = undefined;
        return;
      case 'unblock':
        this.blocks.delete(who);
        return;
      case 'choose':
        Object.assign(this.choices[who], { viewProfile: step.viewProfile, viewActivity: step.viewActivity });
        return;
    }
    if (this.blocks.size > 0) return;
    const isAsked = this.requestedBy !== undefined && this.requestedBy !== who;
    if (step.does === 'connect' && !this.connected) {
      this.connected = isAsked;
      this.requestedBy = isAsked ? undefined : who;
    } else if (step.does === 'accept' && isAsked) {
      this.connected = true;
      this.requestedBy = undefined;
    } else if (step.does === 'remove' && (this.connected || this.requestedBy === who)) {
      this.connected = false;
      this.requestedBy = undefined;
    }
  }

  /** What the viewer is answered: for the profile, and for the list of posts. */
  seenBy(viewer: number): [profile: 'none' | 'limited' | 'whole', posts: number] {
    if (this.blocks.size > 0) return ['none', 404];
    const { viewProfile, viewActivity } = this.choices[viewer === 0 ? 1 : 0];
    const may = (audience: Audience): boolean =>
      audience === 'everyone' || (audience === 'connections' && this.connected);
    return [may(viewProfile) ? 'whole' : 'limited', may(viewActivity) ? 200 : 403];
  }
}

const side = fc.constantFrom(0 as const, 1 as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      who: side,
      node: side,
      does: fc.constantFrom('connect' as const, 'connect' as const, 'accept' as const, 'remove' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      who: side,
      node: side,
      does: fc.constantFrom('block' as const, 'unblock' as const, 'unblock' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      who: side,
      node: side,
      does: fc.constant('choose' as const),
      viewProfile: fc.constantFrom(...AUDIENCES),
      viewActivity: fc.constantFrom(...AUDIENCES),
    }),
  },
);

describe('What one may see of another', () => {
  let campus: Campus;
  let nodes: [Api, Api];
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    nodes = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  it('is the same on every node, from memory or not, whatever the two have done', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 16 }), async (history) => {
        const people = [await nodes[0].register(), await nodes[0].register()] as [Person, Person];
        for (const person of people) await person.patch('/profiles/me', { headline: 'Chemist' });
        const expected = new Expected();
        for (const each of history) {
          await take(each, people);
          expected.apply(each);
          // The reactor ends what ties the two, and must not do so to what comes afterwards.
          if (each.does === 'block') await until(() => areUntied(people), Boolean);
          await agree(people, expected, JSON.stringify(history));
        }
      }),
      { numRuns: HISTORIES, endOnFailure: true },
    );
  }).timeout(60_000);

  async function take(each: Step, people: [Person, Person]): Promise<void> {
    const [actor, other] = each.who === 0 ? people : [people[1], people[0]];
    const person = actor.on(nodes[each.node]);
    switch (each.does) {
      case 'block':
        await person.post(`/users/${other.id}/block`);
        return;
      case 'unblock':
        await person.delete(`/users/${other.id}/block`);
        return;
      case 'choose': {
        const { viewProfile, viewActivity } = each;
        await person.patch('/settings/privacy', { viewProfile, viewActivity });
        return;
      }
      case 'connect':
        await person.post('/connections', { userId: other.id });
        return;
    }
    const connection = await campus.db.collection('connections').findOne(pair(people));
    if (!connection) return;
    const path = `/connections/${connection._id.toHexString()}`;
    await (each.does === 'accept' ? person.put(`${path}/accept`) : person.delete(path));
  }

  /** Both people, on both nodes, which remember what they answered after the step before. */
  async function agree(people: [Person, Person], expected: Expected, history: string): Promise<void> {
    for (const viewer of [0, 1] as const) {
      for (const node of nodes) {
        const [person, other] = [people[viewer].on(node), people[viewer === 0 ? 1 : 0]];
        const wanted = JSON.stringify(expected.seenBy(viewer));
        const seen = await until(
          async () => JSON.stringify(await look(person, other)),
          (answer) => answer === wanted,
          5_000,
        ).catch((error: unknown) => String(error));
        expect(seen, history).to.equal(wanted);
      }
    }
  }

  async function look(viewer: Person, other: Person): Promise<[string, number]> {
    const [profile, posts] = await Promise.all([
      viewer.get(`/profiles/${other.id}`),
      viewer.get(`/users/${other.id}/posts`),
    ]);
    const shown = profile.body.headline === 'Chemist' ? 'whole' : 'limited';
    return [profile.status === 404 ? 'none' : shown, posts.status];
  }

  async function areUntied(people: [Person, Person]): Promise<boolean> {
    return (await campus.db.collection('connections').findOne(pair(people))) === null;
  }

  function pair(people: [Person, Person]) {
    const [low, high] = people.map(({ id }) => id).sort();
    return { low: new ObjectId(low), high: new ObjectId(high) };
  }
});
