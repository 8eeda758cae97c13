import {
  type ChangeStream,
  type ChangeStreamInsertDocument,
  type Collection,
  MongoServerError,
  type ResumeToken,
} from 'mongodb';
import { type DomainEvent } from './event.js';

/** An event as it came down the stream, with the position just after it. */
export interface StreamedEvent {
  event: DomainEvent;
  token: ResumeToken;
}

// ChangeStreamFatalError, InvalidResumeToken, ChangeStreamHistoryLost, and the two plain parse failures that a token
// damaged at rest causes (BadValue and the keystring decoder's own code).
const UNUSABLE_TOKEN = new Set<number | string | undefined>([280, 260, 286, 2, 50811, 9]);

/** Whether the server says that it cannot continue from the given token: no retry will help. */
export function isHistoryLost(error: unknown): boolean {
  return error instanceof MongoServerError && UNUSABLE_TOKEN.has(error.code);
}

export type EventStream = ChangeStream<DomainEvent, ChangeStreamInsertDocument<DomainEvent>>;

/**
 * Opens a stream of inserted events.
 * @param types only these kinds, filtered by the server; all where absent
 * @param resumeAfter continue after this token; from now on where absent
 */
export function openStream(
  events: Collection<DomainEvent>,
  { types, resumeAfter }: { types?: readonly string[]; resumeAfter?: ResumeToken } = {},
): EventStream {
  const match = { operationType: 'insert', ...(types && { 'fullDocument.type': { $in: types } }) };
  return events.watch<DomainEvent, ChangeStreamInsertDocument<DomainEvent>>(
    [{ $match: match }, { $project: { operationType: 1, fullDocument: 1 } }],
    {
      ...(resumeAfter !== undefined && { resumeAfter }),
      // Bounds how long a cancelled reader lingers on the server.
      maxAwaitTimeMS: 1_000,
    },
  );
}

/**
 * Reads a stream in batches: whatever arrived while the last batch was handled comes together, at most `size`.
 * The stream is closed when the reader leaves the loop. Reading ahead is bounded to two batches.
 * @throws whatever ends the stream
 */
export async function* inBatches(stream: EventStream, size: number): AsyncGenerator<StreamedEvent[]> {
  const queue: StreamedEvent[] = [];
  const end: { reached: boolean; failure?: unknown } = { reached: false };
  let wakeReader = (): void => undefined;
  let wakePump = (): void => undefined;

  const pump = async (): Promise<void> => {
    try {
      for await (const change of stream) {
        queue.push({ event: change.fullDocument, token: change._id });
        wakeReader();
        if (queue.length >= 2 * size) await new Promise<void>((resolve) => (wakePump = resolve));
      }
    } catch (error) {
      end.failure = error;
    } finally {
      end.reached = true;
      wakeReader();
    }
  };
  void pump();

  try {
    for (;;) {
      if (queue.length > 0) {
        const batch = queue.splice(0, size);
        wakePump();
        yield batch;
      } else if (end.reached) {
        if (end.failure !== undefined) throw end.failure as Error;
        return;
      } else {
        await new Promise<void>((resolve) => (wakeReader = resolve));
      }
    }
  } finally {
    wakePump();
    await stream.close();
  }
}
