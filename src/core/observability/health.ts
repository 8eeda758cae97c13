/** One thing readiness depends on: its name, and what is wrong with it, if anything. */
export interface HealthCheck {
  name: string;
  check: () => Promise<string | undefined>;
}

export interface HealthReport {
  status: 'ok' | 'unavailable';
  checks: Record<string, string>;
}

const PATIENCE_MS = 2_000;

/** Asks everything at once; what does not answer in time counts as unavailable. */
export async function healthOf(checks: readonly HealthCheck[]): Promise<HealthReport> {
  const results = await Promise.all(checks.map(async ({ name, check }) => [name, await answerOf(check)] as const));
  const wrong = results.some(([, problem]) => problem !== undefined);
  return {
    status: wrong ? 'unavailable' : 'ok',
    checks: Object.fromEntries(results.map(([name, problem]) => [name, problem ?? 'ok'])),
  };
}

async function answerOf(check: () => Promise<string | undefined>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('does not answer'), PATIENCE_MS);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return 'fails';
  } finally {
    clearTimeout(timer);
  }
}
