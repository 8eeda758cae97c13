/** A piece of background work that Agenda runs: when, how many at once, and what. */
export interface JobDefinition {
  /** One of the names in the catalogue of background work. */
  name: string;
  /** Milliseconds between runs of a recurring job; absent for work that is scheduled by name. */
  everyMs?: number;
  /** How many runs of it one process takes at once. */
  concurrency: number;
  /** After this many milliseconds without an end a run counts as dead and another worker takes it over. */
  lockMs: number;
  /** Safe to run twice: a lock that expired under a slow worker means a second run beside the first. */
  run(data: unknown): Promise<void>;
}

/** Declares a job. */
export function defineJob(definition: JobDefinition): JobDefinition {
  return definition;
}
