import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/core/observability/log.js';
import { startNode } from '../../src/node.js';
import { commentCreated, postReacted } from '../../src/modules/posts/index.js';

/**
 * A node that meets with an accident: within the transaction that handles an event it gets the signal `CRASH_SIGNAL`,
 * after every other listener has written and before anything is committed. The event is the first one whose data
 * contains the text `CRASH_ON`.
 */
const { CRASH_ON: text = '', CRASH_SIGNAL: signal = 'SIGKILL', ...environment } = process.env;
const config = readConfig(environment);
const log = createLog(config.logLevel);
if (config.mongodbUri === undefined) throw new Error('MONGODB_URI is missing');
let happened = false;

const node = await startNode({
  config,
  uri: config.mongodbUri,
  log,
  version: '0.0.0-test',
  listeners: [
    {
      name: 'accident',
      types: [postReacted, commentCreated],
      handle(events) {
        if (happened || !JSON.stringify(events).includes(text)) return Promise.resolve();
        happened = true;
        process.kill(process.pid, signal);
        // The signal takes effect at the next system call; a process that only sleeps on goes on from here.
        return new Promise((resolve) => setTimeout(resolve, 50));
      },
    },
  ],
});
process.once('SIGTERM', () => void node.stop().then(() => process.exit(0)));
