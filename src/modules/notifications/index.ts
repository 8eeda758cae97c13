import { type Module, type ModuleContext } from '../../core/module.js';
import { type EventStreams } from '../../core/realtime/event-streams.js';
import { type Nodes } from '../../core/realtime/nodes.js';
import { type Signer } from '../../core/security/signing.js';
import { type Connections, type Visibility } from '../../core/visibility.js';
import { type Attendance, type Onlookers, type Unread } from '../chat/index.js';
import { type PhoneService } from '../phones/index.js';
import { type PostService } from '../posts/index.js';
import { type Audiences, type DeletionService, type UserService } from '../users/index.js';
import { announcementEvents } from './announcements/announcement.events.js';
import { announcementData } from './announcements/announcement.personal-data.js';
import { announcementRoutes } from './announcements/announcement.routes.js';
import { AnnouncementService } from './announcements/announcement.service.js';
import { BatchService } from './batch.service.js';
import { blockListener } from './block.listener.js';
import { DirectWay } from './delivery/direct-way.js';
import { type MailSecrets } from './delivery/email-content.js';
import { deadLetterDiscarded, deadLetterRequeued } from './dead-letters/dead-letter.events.js';
import { deadLetterRoutes } from './dead-letters/dead-letter.routes.js';
import { DeadLetterService } from './dead-letters/dead-letter.service.js';
import { Digests } from './digests/digests.js';
import { type ProviderSettings, servedChannels } from './delivery/providers.js';
import { departureListener } from './departure.listener.js';
import { DeviceService } from './device.service.js';
import { ChangesService } from './changes.service.js';
import { InboxChanges } from './inbox-changes.js';
import { Inboxes } from './inboxes.js';
import { placementListener } from './placements/placement.listener.js';
import { endingListener } from './endings/ending.listener.js';
import { Foreground } from './foreground/foreground.js';
import { feedbackFromProviders } from './feedback/index.js';
import { notificationEvents } from './notification.events.js';
import { Lines } from './lines.js';
import { liveRoutes } from './live.routes.js';
import { Dismissal } from './messages/dismissal.js';
import { messageNewsListener } from './messages/news.listener.js';
import { readingListener } from './messages/reading.listener.js';
import { Retraction } from './messages/retraction.js';
import { Rewording } from './messages/rewording.js';
import { MuteService } from './mute.service.js';
import { notificationListener } from './notification.listeners.js';
import { notificationModels } from './notification.model.js';
import { notificationData } from './notification.personal-data.js';
import { notificationRoutes } from './notification.routes.js';
import { NotificationService } from './notification.service.js';
import { notificationNamespace } from './notification.sockets.js';
import { NotificationWriter } from './notification.writer.js';
import { pushServiceCheck } from './push-services.js';
import { RecipientFacts } from './recipient-facts.js';
import { notificationSettingsRoutes } from './settings.routes.js';
import { NotificationSettingsService } from './settings.service.js';
import { statisticsRoutes } from './statistics/statistics.routes.js';
import { statisticsListener } from './statistics/statistics.listener.js';
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
import { type DeliveryObserver, type DeliveryWorkers, startDeliveryWorkers } from './workers.js';

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
export { type DeliveryWorkers } from './workers.js';
export { type VapidKeys } from './delivery/web-push-transport.js';

/** What an operator wants measured. */
export interface NotificationObserver extends DeliveryObserver {
  /** Milliseconds from the event that tells of a notification to its emission to a socket. */
  shown(sinceEventMs: number): void;
}

export interface NotificationOptions {
  users: UserService;
  phones: PhoneService;
  audiences: Audiences;
  deletions: DeletionService;
  visibility: Visibility;
  /** Who is told of a placement. */
  connections: Connections;
  /** For muting them. */
  posts: Pick<PostService, 'find'>;
  /** Who has not read what, and who has it on the screen. */
  chat: { attendance: Attendance; onlookers: Onlookers; unread: Unread };
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
  /** How long a claim on what is written page by page holds, and the lease of who sends announcements. */
  leaseMs: number;
  observe: NotificationObserver;
}

/** Notifications: written from events, shown live, delivered on every channel. */
export function createNotifications(
  context: ModuleContext,
  options: NotificationOptions,
): Module & { startWorkers(): DeliveryWorkers; deadLetters: DeadLetterService; foreground: Foreground } {
  const { database, outbox, clock, pager, log } = context;
  const { users, phones, audiences, connections, visibility, posts, chat, streams, providers } = options;
  const { publicUrl, mailSecrets, suppressionKey: key, claimMs, leaseMs, observe } = options;
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
  const served = servedChannels(providers);
  const mutes = new MuteService({ database, pager, clock, users, posts, visibility });
  const suppressions = new SuppressionService({ database, outbox, clock, pager, users, key });
  const links = unsubscribeLinks(options.unsubscribeSigner, publicUrl);
  const unsubscribing = new UnsubscribeService({ links, users, settings });
  const host = providers.mailFrom.split('@').at(-1)?.replace('>', '').trim() ?? 'atrium';
  const foreground = new Foreground({ database, nodes: options.nodes, log });
  const facts = new RecipientFacts({
    ...{ users, settings, devices, phones, mutes, suppressions, visibility, foreground },
    attendance: chat.attendance,
  });
  const withdrawals = new Withdrawals({ database, clock, ...told });
  const directWay = new DirectWay({ database });
  const writer = new NotificationWriter({
    ...{ models, facts, outbox, clock, withdrawals, digests, directWay, served },
    ...told,
  });

  const dismissal = new Dismissal({ database, clock, ...chat });
  const retraction = new Retraction({ database, unread: chat.unread, visibility, users, withdrawals, ...told });
  const rewording = new Rewording({ database, unread: chat.unread, users, changes: inboxChanges });

  const startWorkers = () =>
    startDeliveryWorkers(context, {
      ...{ users, phones, audiences, connections, announcements, devices, digests, facts, inboxes, suppressions },
      ...{
        visibility,
        chat,
        dismissal,
        retraction,
        rewording,
        withdrawals,
        writer,
        directWay,
        providers,
        served,
        publicUrl,
        host,
        mailSecrets,
        links,
        claimMs,
        leaseMs,
        observe,
      },
    });

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
        vapidPublicKey: providers.vapid.publicKey,
      }),
      ...notificationSettingsRoutes({ settings, mutes }),
      ...deadLetterRoutes(deadLetters),
      ...suppressionRoutes(suppressions),
      ...feedbackFromProviders(context, {
        ...{ users, phones, suppressions, publicUrl, host },
        sendGridWebhookKey: options.sendGridWebhookKey,
        twilioToken: providers.twilio?.authToken,
      }),
      ...unsubscribeRoutes({ unsubscribing, publicUrl }),
      ...announcementRoutes(announcements),
      ...templateRoutes(new Previews({ publicUrl, host })),
      ...statisticsRoutes(new StatisticsService({ database, clock })),
    ],
    listeners: [
      notificationListener(writer, withdrawals),
      endingListener({ database, outbox, clock }),
      placementListener({ database, outbox, clock }),
      blockListener({ database, outbox, inboxes, ...told }),
      departureListener({ database, outbox, deletions: options.deletions, inboxes, ...told }),
      timeZoneListener(waiting, settings),
    ],
    followers: [
      messageNewsListener({ database, clock, dismissal }),
      readingListener({ database, retraction, ...told }),
      statisticsListener(database),
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
