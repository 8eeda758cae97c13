import { setTimeout as pause } from 'node:timers/promises';
import { type Random } from '../random.js';
import { Client } from './client.js';
import { Device } from './device.js';
import { Held, type HeardMessage } from './held.js';
import { type Ledger, type PersonLedger } from './ledger.js';
import { newMark } from './mark.js';
import { type Habits, type PersonPlan } from './plan.js';
import { Talk } from './talk.js';

const REACTIONS = ['LIKE', 'CELEBRATE', 'SUPPORT', 'LOVE', 'INSIGHTFUL', 'FUNNY'] as const;
const WORDS = 'Shall we meet at the library at five? أراك هناك.';

/** Fewer than anyone may publish in an hour. */
const MOST_POSTS = 8;

/** What people do while they look at the app, by how often. */
const DOINGS = { look: 30, react: 16, comment: 8, talk: 34, notifications: 10, publish: 0.2 } as const;

export interface PersonOptions {
  plan: PersonPlan;
  urls: readonly string[];
  /** Posts of everyone, to look at and react to. */
  posts: readonly { id: string; authorId: string }[];
  habits: Habits;
  random: Random;
  ledger: Ledger;
}

/**
 * Somebody with a phone. They come, look around, do one thing after the other with a moment's thought between, and go
 * again; whatever fails is tried again as the API's document says. All of it is written down.
 */
export class Person {
  private readonly own: PersonLedger;
  private readonly client: Client;
  private readonly device: Device;
  private readonly talk: Talk;
  private readonly under = new Set<Promise<void>>();
  private hasEnded = false;
  private wake = new AbortController();

  constructor(private readonly options: PersonOptions) {
    const { plan, urls, random, ledger } = options;
    const { id, email, password, conversationIds } = plan;
    this.own = {
      ...{ id, email, password, posts: [], comments: [], reactions: [], messages: [], read: {} },
      ...{ held: {}, oddities: [], connections: 0, catchUps: 0 },
    };
    ledger.people.push(this.own);
    const held = new Held(this.own);
    this.client = new Client({ urls, account: { id, email, password }, random, ledger });
    this.device = new Device({
      ...{ client: this.client, random, held, ledger, own: this.own, conversationIds },
      onHeard: (message: HeardMessage) => this.talk.heard(message),
    });
    this.talk = new Talk({ client: this.client, device: this.device, held, own: this.own, random, conversationIds });
  }

  /** Signs in and opens the app. */
  async arrive(): Promise<void> {
    if (this.client.accessToken === '') await this.client.signIn();
    await this.device.switchOn();
    await this.track(this.lookAtNotifications());
  }

  /** Lives until told to end. */
  async live(): Promise<void> {
    const { random, habits } = this.options;
    // Not all at the same moment.
    await this.rest(random.between(0, habits.thinkMs));
    while (!this.ended()) {
      await this.arrive();
      const leaves = performance.now() + random.until(habits.stayMs);
      while (!this.ended() && performance.now() < leaves) {
        await this.act();
        await this.rest(random.until(habits.thinkMs));
      }
      if (this.ended()) return;
      this.talk.leave();
      this.device.switchOff();
      await this.rest(random.until(habits.awayMs));
    }
  }

  /** Does one thing. */
  act(): Promise<void> {
    const doing = this.options.random.weighted(DOINGS);
    return this.track(this.does[doing]());
  }

  /** Begins nothing more, finishes what is at hand and stays to hear what comes. */
  async end(): Promise<void> {
    this.hasEnded = true;
    this.wake.abort();
    await Promise.all(this.under);
    await this.arrive();
    await this.talk.settle();
  }

  /** Closes the app for good. */
  close(): void {
    this.device.switchOff();
  }

  private readonly does: Readonly<Record<keyof typeof DOINGS, () => Promise<void>>> = {
    look: () => this.look(),
    react: () => this.react(),
    comment: () => this.comment(),
    talk: () => this.talk.say(WORDS),
    notifications: () => this.lookAtNotifications(),
    publish: () => this.publish(),
  };

  private ended(): boolean {
    return this.hasEnded;
  }

  private async track(work: Promise<void>): Promise<void> {
    this.under.add(work);
    try {
      await work;
    } finally {
      this.under.delete(work);
    }
  }

  private rest(milliseconds: number): Promise<void> {
    if (this.hasEnded) return Promise.resolve();
    return pause(milliseconds, undefined, { signal: this.wake.signal }).catch(() => undefined);
  }

  private async look(): Promise<void> {
    const { id, authorId } = this.options.random.pick(this.options.posts);
    await this.client.call({ action: 'read posts', method: 'GET', path: `/users/${authorId}/posts` });
    await this.client.call({ action: 'read comments', method: 'GET', path: `/posts/${id}/comments` });
  }

  private async react(): Promise<void> {
    const { id: postId } = this.somebodysPost();
    const body = { type: this.options.random.pick(REACTIONS) };
    const path = `/posts/${postId}/react`;
    const { fate } = await this.client.call({ action: 'react', method: 'POST', path, body });
    this.own.reactions.push({ postId, fate });
  }

  private async comment(): Promise<void> {
    const { id: postId } = this.somebodysPost();
    const mark = newMark(this.own.id);
    const path = `/posts/${postId}/comments`;
    const body = { content: mark };
    const outcome = await this.client.call<{ id: string }>({ action: 'comment', method: 'POST', path, body });
    const { fate } = outcome;
    this.own.comments.push({ postId, mark, fate, ...(outcome.fate === 'done' && { id: outcome.body.id }) });
  }

  private async publish(): Promise<void> {
    if (this.own.posts.length >= MOST_POSTS) return this.look();
    const mark = newMark(this.own.id);
    const call = { action: 'publish', method: 'POST', path: '/posts', body: { content: mark } } as const;
    const outcome = await this.client.call<{ id: string }>(call);
    this.own.posts.push({ mark, fate: outcome.fate, ...(outcome.fate === 'done' && { id: outcome.body.id }) });
  }

  private async lookAtNotifications(): Promise<void> {
    const path = '/notifications?unread=true&limit=10';
    const call = { action: 'read notifications', method: 'GET', path } as const;
    const outcome = await this.client.call<{ data: { id: string }[] }>(call);
    const [newest] = outcome.fate === 'done' ? outcome.body.data : [];
    if (!newest) return;
    await this.client.call({ action: 'mark as read', method: 'PUT', path: `/notifications/${newest.id}/read` });
  }

  private somebodysPost(): { id: string } {
    const { posts, random } = this.options;
    return random.pick(posts.filter(({ authorId }) => authorId !== this.own.id));
  }
}
