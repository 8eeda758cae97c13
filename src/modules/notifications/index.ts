import { type Module, type ModuleContext } from '../../core/module.js';
import { type Visibility } from '../../core/visibility.js';
import { type PostService } from '../posts/index.js';
import { type Audiences, type DeletionService, type UserService } from '../users/index.js';
import { announcementEvents } from './announcements/announcement.events.js';
import { announcementData } from './announcements/announcement.personal-data.js';
import { announcementRoutes } from './announcements/announcement.routes.js';
import { AnnouncementService } from './announcements/announcement.service.js';
import { AnnouncementWorker } from './announcements/announcement.worker.js';
import { Stopping } from './announcements/stopping.js';
import { BatchService, FanOutWorker } from './batch.service.js';
import { blockListener } from './block.listener.js';
import { ChannelWorker } from './delivery/channel-worker.js';
import { type ChannelSender } from './delivery/channel-sender.js';
import { DeliveryQueue } from './delivery/delivery-queue.js';
import { type MailSecrets } from './delivery/email-content.js';
import { createEmailSender } from './delivery/email-sender.js';
import { deadLetterDiscarded, deadLetterRequeued } from './dead-letters/dead-letter.events.js';
import { deadLetterRoutes } from './dead-letters/dead-letter.routes.js';
import { DeadLetterService } from './dead-letters/dead-letter.service.js';
import { type BreakerState } from './delivery/circuit-breaker.js';
import { createProviders, type ProviderSettings, servedChannels } from './delivery/providers.js';
import { createPushSender } from './delivery/push-sender.js';
import { departureListener } from './departure.listener.js';
import { DeviceService } from './device.service.js';
import { notificationEvents } from './notification.events.js';
import { MuteService } from './mute.service.js';
import { notificationListener } from './notification.listeners.js';
import { notificationModels } from './notification.model.js';
import { notificationData } from './notification.personal-data.js';
import { notificationRoutes } from './notification.routes.js';
import { NotificationService } from './notification.service.js';
import { notificationNamespace } from './notification.sockets.js';
import { type OutsideChannel } from './notification.types.js';
import { NotificationWriter } from './notification.writer.js';
import { pushServiceCheck } from './push-services.js';
import { RecipientFacts } from './recipient-facts.js';
import { Reconsideration } from './reconsideration.js';
import { notificationSettingsRoutes } from './settings.routes.js';
import { NotificationSettingsService } from './settings.service.js';
import { statisticsConsumer } from './statistics/statistics.consumer.js';
import { statisticsRoutes } from './statistics/statistics.routes.js';
import { StatisticsService } from './statistics/statistics.service.js';
import { timeZoneListener, WaitingDeliveries } from './waiting-deliveries.js';
import { Withdrawals } from './withdrawals.js';

export { announcementCancelled, announcementScheduled } from './announcements/announcement.events.js';
export { deadLetterDiscarded, deadLetterRequeued } from './dead-letters/dead-letter.events.js';
export { notificationsCreated } from './notification.events.js';
export { notificationCollections } from './notification.model.js';
export { BREAKER_LEVELS } from './delivery/circuit-breaker.js';
export { type ProviderSettings } from './delivery/providers.js';
export { type VapidKeys } from './delivery/web-push-transport.js';

/** What an operator wants measured. */
export interface NotificationObserver {
  /** Milliseconds from the event that tells of a notification to its emission to a socket. */
  shown(sinceEventMs: number): void;
  delivered(channel: OutsideChannel, outcome: string, sinceCreationMs: number): void;
  /** A provider's breaker was made, or has changed. */
  breaker(provider: string, state: BreakerState): void;
}

export interface NotificationOptions {
  users: UserService;
  audiences: Audiences;
  deletions: DeletionService;
  visibility: Visibility;
  /** For muting them. */
  posts: Pick<PostService, 'find'>;
  providers: ProviderSettings;
  publicUrl: string;
  /** Adds to a mail what is stored nowhere. */
  mailSecrets: MailSecrets;
  pushHosts: readonly string[];
  allowLoopbackPush: boolean;
  claimMs: number;
  observe: NotificationObserver;
}

/** The part of this module that runs on workers. */
export interface DeliveryWorkers {
  channels: ChannelWorker[];
  fanOut: FanOutWorker;
  announcements: AnnouncementWorker;
  stop(): Promise<void>;
}

/** Notifications: written from events, shown live, delivered on every channel. */
export function createNotifications(
  context: ModuleContext,
  options: NotificationOptions,
): Module & { startWorkers(): DeliveryWorkers; deadLetters: DeadLetterService } {
  const { database, outbox, clock, pager, log } = context;
  const { users, audiences, providers: settingsOfProviders, claimMs, observe, publicUrl, mailSecrets } = options;
  const models = notificationModels(database.connection);
  const waiting = new WaitingDeliveries({ database, clock });
  const settings = new NotificationSettingsService({ settings: models.settings, users, waiting });
  const isPushService = pushServiceCheck(options.pushHosts, options.allowLoopbackPush);
  const devices = new DeviceService({ devices: models.devices, clock, isPushService });
  const notifications = new NotificationService({ database, outbox, pager, clock });
  const announcements = new AnnouncementService({ database, outbox, clock, pager, audiences });
  const batches = new BatchService({ database, outbox, clock, users, announcements });
  const deadLetters = new DeadLetterService({ database, outbox, clock, pager });
  const served = servedChannels(settingsOfProviders);
  const { visibility, posts } = options;
  const mutes = new MuteService({ database, pager, clock, users, posts, visibility });
  const facts = new RecipientFacts({ users, settings, devices, mutes, visibility });
  const withdrawals = new Withdrawals({ database, outbox, clock });
  const writer = new NotificationWriter({ models, facts, outbox, clock, withdrawals, served });

  const startWorkers = (): DeliveryWorkers => {
    const unreadCounts = (userIds: string[]) => notifications.unreadCounts(userIds);
    const onBreaker = (provider: string, state: BreakerState) => observe.breaker(provider, state);
    const deps = { database, clock, log, unreadCounts, onBreaker };
    const { email, webPush, mobilePush } = createProviders(settingsOfProviders, deps);
    const host = options.providers.mailFrom.split('@').at(-1)?.replace('>', '').trim() ?? 'atrium';
    const senders: ChannelSender[] = [];
    if (email) senders.push(createEmailSender({ route: email, users, publicUrl, host, mailSecrets }));
    for (const [channel, route] of [['webPush', webPush] as const, ['mobilePush', mobilePush] as const]) {
      if (route) senders.push(createPushSender({ channel, route, devices, batchSize: 500, concurrency: 2 }));
    }
    const reconsideration = new Reconsideration({
      ...{ facts, served, clock },
      stopped: (ids) => announcements.stopped(ids),
    });
    const channels = senders.map((sender) => {
      const { channel } = sender;
      const queue = new DeliveryQueue({ database, outbox, clock, channel, claimMs });
      return new ChannelWorker({
        queue,
        sender,
        reconsider: (claimed) => reconsideration.among(channel, claimed),
        renewMs: claimMs / 3,
        log,
        observe: ({ kind }, ms) => observe.delivered(channel, kind, ms),
      });
    });
    const fanOut = new FanOutWorker({ database, clock, writer, claimMs, log });
    const stopping = new Stopping({ database, outbox });
    const announcing = new AnnouncementWorker({
      ...{ database, outbox, clock, audiences, writer, stopping, log },
      leaseMs: claimMs,
    });
    const statistics = statisticsConsumer({ database, log });
    statistics.start();
    return {
      channels,
      fanOut,
      announcements: announcing,
      async stop() {
        await Promise.all([
          fanOut.stop(),
          announcing.stop(),
          statistics.stop(),
          ...channels.map((worker) => worker.stop()),
        ]);
      },
    };
  };

  return {
    startWorkers,
    deadLetters,
    routes: [
      ...notificationRoutes({
        notifications,
        batches,
        devices,
        vapidPublicKey: settingsOfProviders.vapid.publicKey,
      }),
      ...notificationSettingsRoutes({ settings, mutes }),
      ...deadLetterRoutes(deadLetters),
      ...announcementRoutes(announcements),
      ...statisticsRoutes(new StatisticsService({ database, clock })),
    ],
    listeners: [
      notificationListener(writer, withdrawals),
      blockListener(database, outbox),
      departureListener(database, outbox, options.deletions),
      timeZoneListener(waiting),
    ],
    personalData: [notificationData({ database, outbox, models, settings }), announcementData({ database })],
    namespaces: [
      notificationNamespace(notifications, { log, onShown: (at) => observe.shown(Date.now() - at.getTime()) }),
    ],
    events: [...notificationEvents, deadLetterRequeued, deadLetterDiscarded, ...announcementEvents],
  };
}
