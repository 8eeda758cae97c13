import { type Log } from '../../core/observability/log.js';
import { type LocalEmitter, userRoom } from '../../core/realtime/namespace.js';
import { type NotificationService } from './notification.service.js';

interface Request {
  emitter: LocalEmitter;
  readUpTo?: string;
}

/**
 * Tells connected users their unread count after it may have changed. While one count is under way further requests
 * gather and are answered together, so that a burst costs a query at a time, not one per notification.
 */
export class UnreadCountPush {
  private waiting = new Map<string, Request>();
  private busy = false;

  constructor(
    private readonly service: NotificationService,
    private readonly log: Log,
  ) {}

  request(userId: string, emitter: LocalEmitter, readUpTo?: string): void {
    if (!emitter.has(userRoom(userId))) return;
    const known = readUpTo ?? this.waiting.get(userId)?.readUpTo;
    this.waiting.set(userId, { emitter, ...(known !== undefined && { readUpTo: known }) });
    if (!this.busy) void this.work();
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.waiting.size > 0) {
      const asked = this.waiting;
      this.waiting = new Map();
      try {
        const counts = await this.service.unreadCounts([...asked.keys()]);
        for (const [userId, { emitter, readUpTo }] of asked) {
          const count = counts.get(userId) ?? 0;
          emitter.emit(userRoom(userId), 'unread-count', { count, ...(readUpTo !== undefined && { readUpTo }) });
        }
      } catch (error) {
        this.log.warn({ err: error }, 'notifications: unread counts could not be read');
      }
    }
    this.busy = false;
  }
}
