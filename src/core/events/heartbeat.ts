import { shape } from '../http/schema.js';
import { defineEvent } from './event.js';

/**
 * Says that the stream moves. A change stream can be open and silent; a reader that has not even seen a heartbeat
 * for a while knows that something is wrong.
 */
export const heartbeat = defineEvent('system.heartbeat', shape({}));
