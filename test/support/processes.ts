import { type Campus, MORTAL } from './campus.js';
import { type ProcessNode, spawnNode } from './process-node.js';
import { PATIENCE_MS, until } from './until.js';

/** Starts a worker in a process of its own. */
export function startWorker(campus: Campus): Promise<ProcessNode> {
  return campus.startProcess({ env: { ROLE: 'worker' } });
}

/** Starts a worker that gets a signal in the middle of handling the event that contains a text. */
export function startDoomedWorker(campus: Campus, text: string, signal: 'SIGKILL' | 'SIGSTOP'): Promise<ProcessNode> {
  const accident = { CRASH_ON: text, CRASH_SIGNAL: signal };
  const env = { ...campus.environment(), ...MORTAL, MONGODB_URI: campus.uri, ROLE: 'worker', ...accident };
  return spawnNode(env, 'test/support/crashing-node.ts');
}

/** The process that holds the reactor's lease, or another one; waits until one of them does. */
export async function holderOf(campus: Campus, nodes: ProcessNode[], lease = 'reactor'): Promise<ProcessNode> {
  const owner = await until(
    () => leaseOwner(campus, lease),
    (name) => nodes.some((node) => isOwner(node, name)),
  );
  return nodes.find((node) => isOwner(node, owner))!;
}

/** Waits until that process holds the reactor's lease. */
export async function leads(campus: Campus, node: ProcessNode, timeoutMs = PATIENCE_MS): Promise<void> {
  await until(
    () => leaseOwner(campus),
    (name) => isOwner(node, name),
    timeoutMs,
  );
}

async function leaseOwner(campus: Campus, lease = 'reactor'): Promise<string> {
  const row = await campus.db.collection<{ _id: string; owner: string | null }>('consumers').findOne({ _id: lease });
  return row?.owner ?? '';
}

/** An owner's name carries the process id. */
function isOwner({ pid }: ProcessNode, name: string): boolean {
  return name.includes(`-${pid}-`);
}
