import { type Person } from './api.js';

/** What a client asked for and what it was told: an answer's status, or nothing where none came. */
export interface Attempt {
  kind: 'reaction' | 'comment';
  by: Person;
  postId: string;
  content?: string;
  status: number | undefined;
}

/**
 * Clients that react to the given posts and comment on them, one request after the other, until told to end or until
 * the server is gone for each of them.
 */
export class Load {
  readonly attempts: Attempt[] = [];
  /** Why clients ended: the first error of each. */
  readonly errors: unknown[] = [];
  private ended = false;
  private readonly running: Promise<unknown>;

  constructor(clients: Person[], postIds: string[]) {
    this.running = Promise.all(clients.map((client, index) => this.act(client, postIds, index)));
  }

  /** Those that were answered with success. */
  get acknowledged(): Attempt[] {
    return this.attempts.filter(({ status = 0 }) => status >= 200 && status < 300);
  }

  /** Waits until every client has ended. */
  async end(): Promise<void> {
    this.ended = true;
    await this.running;
  }

  private async act(by: Person, postIds: string[], start: number): Promise<void> {
    for (let turn = 0; !this.ended; turn++) {
      // Each client has one reaction on each post and then only comments.
      const postId = postIds[(start + turn) % postIds.length]!;
      const attempt: Attempt =
        turn < postIds.length
          ? { kind: 'reaction', by, postId, status: undefined }
          : { kind: 'comment', by, postId, content: `comment ${start}.${turn}`, status: undefined };
      this.attempts.push(attempt);
      try {
        const { status } = await (attempt.kind === 'reaction'
          ? by.post(`/posts/${postId}/react`, { type: 'LIKE' })
          : by.post(`/posts/${postId}/comments`, { content: attempt.content }));
        attempt.status = status;
      } catch (error) {
        this.errors.push(error);
        return;
      }
    }
  }
}
