/**
 * The environment of a process that a test starts. What it covers is not counted: it loads the same modules in another
 * way, compiled to other code, and the two counts cannot be laid over one another.
 */
export function childEnvironment(env: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NODE_V8_COVERAGE: '', ...env };
}
