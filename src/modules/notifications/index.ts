import { type Module, type ModuleContext } from '../../core/module.js';
import { type EventStreams } from '../../core/realtime/event-streams.js';
import { type Nodes } from '../../core/realtime/nodes.js';
import { type Signer } from '../../core/security/signing.js';
import { type Visibility } from '../../core/visibility.js';
import { type PhoneService } from '../phones/index.js';
import { type PostService } from '../posts/index.js';
import { type Audiences, type DeletionService, type UserService } from '../users/index.js';
import { announcementEvents } from './announcements/announcement.events.js';
import { announcementData } from './announcements/announcement.personal-data.js';
import { announcementRoutes } from './announcements/announcement.routes.js';
import { AnnouncementService } from './announcements/announcement.service.js';
import { AnnouncementWorker } from './announcements/announcement.worker.js';
import { AnnouncementProgress } from './announcements/progress.js';
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
import { DigestQueue } from './digests/digest-queue.js';
import { DigestWorker } from './digests/digest-worker.js';
import { Digests } from './digests/digests.js';
import { type BreakerState } from './delivery/circuit-breaker.js';
import { createProviders, type ProviderSettings, servedChannels } from './delivery/providers.js';
import { createPushSender } from './delivery/push-sender.js';
import { createSmsSender } from './delivery/sms-sender.js';
import { departureListener } from './departure.listener.js';
import { DeviceService } from './device.service.js';
import { ChangesService } from './changes.service.js';
import { InboxChanges } from './inbox-changes.js';
import { Inboxes } from './inboxes.js';
import { endingListener } from './endings/ending.listener.js';
import { EndingWorker } from './endings/ending.worker.js';
import { Foreground } from './foreground/foreground.js';
import { feedbackFromProviders } from './feedback/index.js';
import { twilioCallbackUrl } from './feedback/twilio-callback.js';
import { notificationEvents } from './notification.events.js';
import { Lines } from './lines.js';
import { liveRoutes } from './live.routes.js';
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
import { Previews } from './templates/previews.js';
import { templateRoutes } from './templates/template.routes.js';
import { timeZoneListener } from './time-zone.listener.js';
import { WaitingDeliveries } from './waiting-deliveries.js';
import {
  addressReopened,
  addressSuppressed,
  suppressionAdded,
  suppressionLifted,
} from './suppressions/suppression.events.js';
import { suppressionData } from './suppressions/suppression.personal-data.js';
import { suppressionRoutes } from './suppressions/suppression.routes.js';
import { SuppressionService } from './suppressions/suppression.service.js';
import { unsubscribeLinks } from './unsubscribe/unsubscribe-links.js';
import { unsubscribeRoutes } from './unsubscribe/unsubscribe.routes.js';
import { UnsubscribeService } from './unsubscribe/unsubscribe.service.js';
import { Withdrawals } from './withdrawals.js';

export { announcementCancelled, announcementScheduled } from './announcements/announcement.events.js';
export { deadLetterDiscarded, deadLetterRequeued } from './dead-letters/dead-letter.events.js';
export { notificationsCreated } from './notification.events.js';
export { notificationMigrations } from './notification.migrations.js';
export { notificationCollections } from './notification.model.js';
export {
  addressReopened,
  addressSuppressed,
  suppressionAdded,
  suppressionLifted,
} from './suppressions/suppression.events.js';
export { BREAKER_LEVELS } from './delivery/circuit-breaker.js';
export { type ProviderSettings, servedChannels } from './delivery/providers.js';
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
  phones: PhoneService;
  audiences: Audiences;
  deletions: DeletionService;
  visibility: Visibility;
  /** For muting them. */
  posts: Pick<PostService, 'find'>;
  /** Those of this node who read events without a socket. */
  streams: EventStreams;
  nodes: Nodes;
  providers: ProviderSettings;
  publicUrl: string;
  /** Adds to a mail what is stored nowhere. */
  mailSecrets: MailSecrets;
  /** What addresses without mail are hashed with; always the same. */
  suppressionKey: Buffer;
  /** Signs links for unsubscribing. */
  unsubscribeSigner: Signer;
  /** What SendGrid's webhook is signed with: a P-256 public key, DER in base64. */
  sendGridWebhookKey: string | undefined;
  pushHosts: readonly string[];
  allowLoopbackPush: boolean;
  claimMs: number;
  /** How long the lease of who sends announcements holds without renewal, in milliseconds. */
  leaseMs: number;
  observe: NotificationObserver;
}

/** The part of this module that runs on workers. */
export interface DeliveryWorkers {
  channels: ChannelWorker[];
  fanOut: FanOutWorker;
  announcements: AnnouncementWorker;
  endings: EndingWorker;
  /** Has all of them look for what is due; returns at once. */
  wake(): void;
  stop(): Promise<void>;
}

/** Notifications: written from events, shown live, delivered on every channel. */
export function createNotifications(
  context: ModuleContext,
  options: NotificationOptions,
): Module & { startWorkers(): DeliveryWorkers; deadLetters: DeadLetterService; foreground: Foreground } {
  const { database, outbox, clock, pager, log } = context;
  const {
    users,
    phones,
    audiences,
    providers: settingsOfProviders,
    claimMs,
    leaseMs,
    observe,
    publicUrl,
    mailSecrets,
  } = options;
  const models = notificationModels(database.connection);
  const waiting = new WaitingDeliveries({ database, clock });
  const digests = new Digests({ database, clock });
  const settings = new NotificationSettingsService({ settings: models.settings, users, waiting, digests });
  const isPushService = pushServiceCheck(options.pushHosts, options.allowLoopbackPush);
  const devices = new DeviceService({ devices: models.devices, clock, isPushService });
  const inboxes = new Inboxes({ database });
  const lines = new Lines({ database, clock, users });
  const inboxChanges = new InboxChanges({ database, outbox, inboxes });
  const told = { lines, changes: inboxChanges };
  const notifications = new NotificationService({ database, outbox, pager, clock, inboxes, ...told });
  const changes = new ChangesService({ database, inboxes, clock });
  const announcements = new AnnouncementService({ database, outbox, clock, pager, audiences });
  const batches = new BatchService({ database, outbox, clock, users, announcements });
  const deadLetters = new DeadLetterService({ database, outbox, clock, pager });
  const served = servedChannels(settingsOfProviders);
  const { visibility, posts, streams } = options;
  const mutes = new MuteService({ database, pager, clock, users, posts, visibility });
  const { suppressionKey: key } = options;
  const suppressions = new SuppressionService({ database, outbox, clock, pager, users, key });
  const links = unsubscribeLinks(options.unsubscribeSigner, publicUrl);
  const unsubscribing = new UnsubscribeService({ links, users, settings });
  const host = options.providers.mailFrom.split('@').at(-1)?.replace('>', '').trim() ?? 'atrium';
  const foreground = new Foreground({ database, nodes: options.nodes, log });
  const facts = new RecipientFacts({ users, settings, devices, phones, mutes, suppressions, visibility, foreground });
  const withdrawals = new Withdrawals({ database, clock, ...told });
  const writer = new NotificationWriter({ models, facts, outbox, clock, withdrawals, digests, served, ...told });

  const startWorkers = (): DeliveryWorkers => {
    const unreadCounts = (userIds: string[]) => inboxes.unreadCounts(userIds);
    const onBreaker = (provider: string, state: BreakerState) => observe.breaker(provider, state);
    const deps = { database, clock, log, unreadCounts, onBreaker, twilioCallbackUrl: twilioCallbackUrl(publicUrl) };
    const { email, webPush, mobilePush, sms } = createProviders(settingsOfProviders, deps);
    const senders: ChannelSender[] = [];
    if (email)
      senders.push(createEmailSender({ route: email, users, suppressions, publicUrl, host, mailSecrets, links }));
    for (const [channel, route] of [['webPush', webPush] as const, ['mobilePush', mobilePush] as const]) {
      if (route) senders.push(createPushSender({ channel, route, devices, batchSize: 500, concurrency: 2 }));
    }
    if (sms) senders.push(createSmsSender({ route: sms, users, phones, suppressions, publicUrl, mailSecrets }));
    const reconsideration = new Reconsideration({
      ...{ facts, served, clock },
      stopped: (ids) => announcements.stopped(ids),
    });
    const progress = new AnnouncementProgress({ database, outbox, clock, audiences });
    const channels = senders.map((sender) => {
      const { channel } = sender;
      const queue = new DeliveryQueue({
        ...{ database, outbox, clock, channel, digests, claimMs },
        onCancelled: (session, given) => progress.countGivenUp(session, channel, given),
      });
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
    const stopping = new Stopping({ database, outbox, clock });
    const announcing = new AnnouncementWorker({
      ...{ database, progress, clock, audiences, writer, stopping, leaseMs, log },
    });
    const endings = new EndingWorker({ database, clock, withdrawals, claimMs, log });
    const statistics = statisticsConsumer({ database, log });
    statistics.start();
    const digestWorker =
      email &&
      new DigestWorker({
        ...{ facts, route: email, suppressions, served, publicUrl, host, links, clock, log },
        queue: new DigestQueue({ database, outbox, clock, claimMs }),
        renewMs: claimMs / 3,
      });
    return {
      channels,
      fanOut,
      announcements: announcing,
      endings,
      wake() {
        for (const worker of [fanOut, announcing, endings, digestWorker, ...channels]) worker?.wake();
      },
      async stop() {
        // Before the channel's own worker, which closes the way to the providers.
        await digestWorker?.stop();
        await Promise.all([
          fanOut.stop(),
          announcing.stop(),
          endings.stop(),
          statistics.stop(),
          ...channels.map((worker) => worker.stop()),
        ]);
      },
    };
  };

  return {
    startWorkers,
    deadLetters,
    foreground,
    routes: [
      ...liveRoutes({ changes, streams }),
      ...notificationRoutes({
        notifications,
        changes,
        batches,
        devices,
        vapidPublicKey: settingsOfProviders.vapid.publicKey,
      }),
      ...notificationSettingsRoutes({ settings, mutes }),
      ...deadLetterRoutes(deadLetters),
      ...suppressionRoutes(suppressions),
      ...feedbackFromProviders(context, {
        ...{ users, phones, suppressions, publicUrl, host },
        sendGridWebhookKey: options.sendGridWebhookKey,
        twilioToken: settingsOfProviders.twilio?.authToken,
      }),
      ...unsubscribeRoutes({ unsubscribing, publicUrl }),
      ...announcementRoutes(announcements),
      ...templateRoutes(new Previews({ publicUrl, host })),
      ...statisticsRoutes(new StatisticsService({ database, clock })),
    ],
    listeners: [
      notificationListener(writer, withdrawals),
      endingListener({ database, outbox, clock }),
      blockListener({ database, outbox, inboxes, ...told }),
      departureListener({ database, outbox, deletions: options.deletions, inboxes, ...told }),
      timeZoneListener(waiting, settings),
    ],
    personalData: [
      notificationData({ database, outbox, models, settings, inboxes, ...told }),
      suppressionData({ database, users, phones, key }),
      announcementData({ database }),
    ],
    namespaces: [
      notificationNamespace(notifications, {
        ...{ streams, foreground, log },
        onShown: (at) => observe.shown(Date.now() - at.getTime()),
      }),
    ],
    events: [
      ...notificationEvents,
      deadLetterRequeued,
      deadLetterDiscarded,
      addressSuppressed,
      addressReopened,
      suppressionAdded,
      suppressionLifted,
      ...announcementEvents,
    ],
  };
}
