import { type ModuleContext } from '../../core/module.js';
import { type Connections, type Visibility } from '../../core/visibility.js';
import { type Onlookers, type Unread } from '../chat/index.js';
import { type PhoneService } from '../phones/index.js';
import { type Audiences, type UserService } from '../users/index.js';
import { type AnnouncementService } from './announcements/announcement.service.js';
import { AnnouncementWorker } from './announcements/announcement.worker.js';
import { AnnouncementProgress } from './announcements/progress.js';
import { Stopping } from './announcements/stopping.js';
import { type ChannelSender } from './delivery/channel-sender.js';
import { ChannelWorker } from './delivery/channel-worker.js';
import { type BreakerState } from './delivery/circuit-breaker.js';
import { DeliveryQueue } from './delivery/delivery-queue.js';
import { type DirectWay } from './delivery/direct-way.js';
import { type EmailContext } from './delivery/email-content.js';
import { createEmailSender } from './delivery/email-sender.js';
import { createProviders, type ProviderSettings } from './delivery/providers.js';
import { createPushSender } from './delivery/push-sender.js';
import { createSmsSender } from './delivery/sms-sender.js';
import { type DeviceService } from './device.service.js';
import { DigestQueue } from './digests/digest-queue.js';
import { DigestWorker } from './digests/digest-worker.js';
import { type Digests } from './digests/digests.js';
import { EndingWorker } from './endings/ending.worker.js';
import { FanOutWorker } from './fan-out.worker.js';
import { twilioCallbackUrl } from './feedback/twilio-callback.js';
import { type Inboxes } from './inboxes.js';
import { type Dismissal } from './messages/dismissal.js';
import { Mentioning } from './messages/mentioning.js';
import { MessageNewsWorker } from './messages/news.worker.js';
import { type Retraction } from './messages/retraction.js';
import { type Rewording } from './messages/rewording.js';
import { Telling } from './messages/telling.js';
import { type OutsideChannel } from './notification.types.js';
import { type NotificationWriter } from './notification.writer.js';
import { PlacementWorker } from './placements/placement.worker.js';
import { type RecipientFacts } from './recipient-facts.js';
import { Reconsideration } from './reconsideration.js';
import { type SuppressionService } from './suppressions/suppression.service.js';
import { type Withdrawals } from './withdrawals.js';

/** What an operator wants measured of deliveries. */
export interface DeliveryObserver {
  delivered(channel: OutsideChannel, outcome: string, sinceCreationMs: number): void;
  /** A provider's breaker was made, or has changed. */
  breaker(provider: string, state: BreakerState): void;
}

/** What the workers need of the module, and of others. */
export interface WorkerDeps extends EmailContext {
  users: UserService;
  phones: PhoneService;
  audiences: Audiences;
  connections: Connections;
  visibility: Visibility;
  chat: { onlookers: Onlookers; unread: Unread };
  dismissal: Dismissal;
  retraction: Retraction;
  rewording: Rewording;
  announcements: AnnouncementService;
  devices: DeviceService;
  digests: Digests;
  facts: RecipientFacts;
  inboxes: Inboxes;
  suppressions: SuppressionService;
  withdrawals: Withdrawals;
  writer: NotificationWriter;
  /** How what this process writes comes to these workers. */
  directWay: DirectWay;
  providers: ProviderSettings;
  /** Channels that some provider serves. */
  served: ReadonlySet<OutsideChannel>;
  claimMs: number;
  leaseMs: number;
  observe: DeliveryObserver;
}

/** The part of this module that runs on workers. */
export interface DeliveryWorkers {
  channels: ChannelWorker[];
  fanOut: FanOutWorker;
  announcements: AnnouncementWorker;
  endings: EndingWorker;
  placements: PlacementWorker;
  messages: MessageNewsWorker;
  /** How many pieces of work wait for another attempt because the last one failed, by kind. */
  failing(): Promise<Record<string, number>>;
  /** Has all of them look for what is due; returns at once. */
  wake(): void;
  stop(): Promise<void>;
}

/** Starts all that sends, and all that writes what is too much for the reactor. */
export function startDeliveryWorkers(
  { database, outbox, clock, log }: ModuleContext,
  deps: WorkerDeps,
): DeliveryWorkers {
  const { users, phones, audiences, connections, announcements, devices, digests, facts, inboxes } = deps;
  const { suppressions, withdrawals, writer, directWay, providers, served, claimMs, leaseMs, observe } = deps;
  const { publicUrl, host, mailSecrets, links, visibility, chat, dismissal, retraction, rewording } = deps;
  const unreadCounts = (userIds: string[]) => inboxes.unreadCounts(userIds);
  const onBreaker = (provider: string, state: BreakerState) => observe.breaker(provider, state);
  const forProviders = {
    database,
    clock,
    log,
    unreadCounts,
    onBreaker,
    twilioCallbackUrl: twilioCallbackUrl(publicUrl),
  };
  const { email, webPush, mobilePush, sms } = createProviders(providers, forProviders);
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
    const worker = new ChannelWorker({
      queue,
      sender,
      reconsider: (claimed) => reconsideration.among(channel, claimed),
      renewMs: claimMs / 3,
      log,
      observe: ({ kind }, ms) => observe.delivered(channel, kind, ms),
    });
    directWay.leadTo(channel, worker);
    return worker;
  });
  const fanOut = new FanOutWorker({ database, clock, writer, claimMs: leaseMs, log });
  const stopping = new Stopping({ database, outbox, clock });
  const announcing = new AnnouncementWorker({
    ...{ database, progress, clock, audiences, writer, stopping, leaseMs, log },
  });
  const endings = new EndingWorker({ database, clock, withdrawals, claimMs: leaseMs, log });
  const placements = new PlacementWorker({
    ...{ database, clock, users, audiences, connections, writer, claimMs: leaseMs, log },
  });
  const messages = new MessageNewsWorker({
    ...{ database, clock, dismissal, retraction, rewording, claimMs: leaseMs, log },
    telling: new Telling({ database, ...chat, visibility, users, writer }),
    mentioning: new Mentioning({ database, ...chat, visibility, users, writer, withdrawals, retraction }),
  });
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
    placements,
    messages,
    async failing() {
      const failing = [fanOut, endings, placements, messages].map((worker) => worker.failing());
      const [batches = 0, withdrawals = 0, news = 0, told = 0] = await Promise.all(failing);
      return { batches, withdrawals, placements: news, messages: told };
    },
    wake() {
      for (const worker of [fanOut, announcing, endings, placements, messages, digestWorker, ...channels])
        worker?.wake();
    },
    async stop() {
      // Before the channel's own worker, which closes the way to the providers.
      await digestWorker?.stop();
      // What these have written for the channels is handed to them.
      await Promise.all([fanOut, announcing, endings, placements, messages].map((worker) => worker.stop()));
      await Promise.all(channels.map((worker) => worker.stop()));
    },
  };
}
