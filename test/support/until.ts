/** How long a test waits for something at most, in milliseconds: longer than it takes on a machine that is busy with others. */
export const PATIENCE_MS = 30_000;

/**
 * Asks again and again until the answer is what the test waits for: for states that nothing announces.
 * @throws Error with the last answer where it has not come in time
 */
export async function until<T>(
  ask: () => Promise<T> | T,
  isThere: (answer: T) => boolean = Boolean,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (isThere(answer)) return answer;
    if (Date.now() > end) throw new Error(`still waiting after ${timeoutMs} ms; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
