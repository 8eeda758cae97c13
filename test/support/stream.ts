import { Listening, type Person } from './api.js';
import { PATIENCE_MS } from './until.js';

export interface StreamChoices {
  /** Where to go on. */
  lastEventId?: string | undefined;
  headers?: Record<string, string>;
  path?: string;
}

/** A client that reads events over HTTP, remembers everything it hears, and can be cut off and come back. */
export class LiveStream extends Listening {
  /** Comments: what keeps the connection alive. */
  readonly comments: string[] = [];
  /** The reconnection time that the server asks for, in milliseconds. */
  retryMs: number | undefined;
  private isOpen = true;

  private constructor(
    readonly headers: Headers,
    public lastEventId: string | undefined,
    private readonly aborter: AbortController,
  ) {
    super();
  }

  /**
   * Opens a stream and waits until it is there.
   * @throws Error with the answer where there is none
   */
  static async open(person: Person, choices: StreamChoices = {}): Promise<LiveStream> {
    const { lastEventId, headers, path = '/notifications/stream' } = choices;
    const aborter = new AbortController();
    const response = await fetch(`${person.api.url}/api/v1${path}`, {
      headers: {
        authorization: `Bearer ${person.token}`,
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
        ...headers,
      },
      signal: aborter.signal,
    });
    if (response.status !== 200 || !response.body) {
      throw new Error(`no stream: ${response.status} ${await response.text()}`);
    }
    const stream = new LiveStream(response.headers, lastEventId, aborter);
    void stream.read(response.body);
    // The first thing that a stream says is when to come back.
    await stream.wait(
      () => (stream.retryMs === undefined ? undefined : true),
      15_000,
      () => 'the stream says nothing',
    );
    return stream;
  }

  /** Goes away without a word, as by a lost connection. */
  cut(): void {
    this.aborter.abort();
  }

  /** Resolves once the server has closed the connection. */
  async closed(timeoutMs = PATIENCE_MS): Promise<void> {
    await this.wait(
      () => (this.isOpen ? undefined : true),
      timeoutMs,
      () => 'the stream is still open',
    );
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
        const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.take(block);
      }
    } catch {
      // Cut off, by either side.
    }
    this.isOpen = false;
    this.look();
  }

  private take(block: string): void {
    const raw = { event: 'message', data: '' };
    for (const line of block.split('\n')) {
      const [field = '', ...value] = line.split(': ');
      const text = value.join(': ');
      if (field === 'event') raw.event = text;
      else if (field === 'data') raw.data += text;
      else if (field === 'id') this.lastEventId = text;
      else if (field === 'retry') this.retryMs = Number(text);
      else if (line.startsWith(':')) this.comments.push(line.slice(1).trim());
      else throw new Error(`no such field: ${line}`);
    }
    if (raw.data === '') this.look();
    else this.hear({ event: raw.event, payload: JSON.parse(raw.data), at: Date.now() });
  }
}
