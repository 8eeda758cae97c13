import { ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { badRequest } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type Device, type NotificationModels } from './notification.model.js';
import { type mobileDeviceBody, type webDeviceBody } from './notification.schemas.js';

type PushChannel = Device['channel'];

/** More than anyone carries; bounds what one notification can cost. */
const MOST_DEVICES = 20;

/** The phones and browsers that push can reach. */
export class DeviceService {
  constructor(
    private readonly deps: {
      devices: NotificationModels['devices'];
      clock: Clock;
      /** Whether the endpoint belongs to a push service that may be called. */
      isPushService: (endpoint: URL) => boolean;
    },
  ) {}

  /** A token moves to the user who registers it last. */
  async registerMobile(
    userId: string,
    { token, platform, app, locale }: Infer<typeof mobileDeviceBody>,
  ): Promise<void> {
    await this.register(userId, 'mobilePush', token, {
      platform,
      ...(app !== undefined && { app }),
      ...(locale !== undefined && { locale }),
    });
  }

  /** @throws Problem 400 `UNKNOWN_PUSH_SERVICE`: the server calls no host that a user names, but for push services */
  async registerWeb(userId: string, { endpoint, keys }: Infer<typeof webDeviceBody>): Promise<void> {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (!url || !this.deps.isPushService(url)) {
      throw badRequest('UNKNOWN_PUSH_SERVICE', 'The endpoint is not that of a known push service.');
    }
    await this.register(userId, 'webPush', url.href, { keys });
  }

  /** Forgets one of the user's own phones; another's is left alone. */
  async unregisterMobile(userId: string, token: string): Promise<void> {
    await this.unregister(userId, 'mobilePush', token);
  }

  /** Forgets one of the user's own browsers, by the endpoint as it was registered. */
  async unregisterWeb(userId: string, endpoint: string): Promise<void> {
    if (URL.canParse(endpoint)) await this.unregister(userId, 'webPush', new URL(endpoint).href);
  }

  /** Which of the users have a device, per push channel; answered from the index alone. */
  async owners(userIds: string[]): Promise<(userId: string) => { webPush: boolean; mobilePush: boolean }> {
    const found = await this.deps.devices.collection
      .find<Pick<Device, 'userId' | 'channel'>>(
        { userId: { $in: userIds.map((id) => new ObjectId(id)) } },
        { projection: { _id: 0, userId: 1, channel: 1 } },
      )
      .toArray();
    const owned = new Set(found.map(({ userId, channel }) => `${channel} ${userId.toHexString()}`));
    return (userId) => ({ webPush: owned.has(`webPush ${userId}`), mobilePush: owned.has(`mobilePush ${userId}`) });
  }

  /** The devices of the users on one channel, by user id, in one query. */
  async of(userIds: ObjectId[], channel: PushChannel): Promise<Map<string, Device[]>> {
    const found = await this.deps.devices.collection.find<Device>({ userId: { $in: userIds }, channel }).toArray();
    const byUser = new Map<string, Device[]>();
    for (const device of found) {
      const userId = device.userId.toHexString();
      byUser.set(userId, [...(byUser.get(userId) ?? []), device]);
    }
    return byUser;
  }

  /** Removes devices whose token or subscription is dead, unless they have been registered anew meanwhile. */
  async removeDead(devices: Device[]): Promise<void> {
    if (devices.length === 0) return;
    await this.deps.devices.collection.bulkWrite(
      devices.map(({ _id, updatedAt }) => ({ deleteOne: { filter: { _id, updatedAt } } })),
      { ordered: false },
    );
  }

  private async unregister(userId: string, channel: PushChannel, address: string): Promise<void> {
    await this.deps.devices.collection.deleteOne({ userId: new ObjectId(userId), channel, address });
  }

  private async register(userId: string, channel: PushChannel, address: string, facts: Partial<Device>): Promise<void> {
    const { devices, clock } = this.deps;
    const owner = new ObjectId(userId);
    await devices.collection.updateOne(
      { channel, address },
      { $set: { ...facts, userId: owner, updatedAt: clock.now() } },
      { upsert: true },
    );
    const surplus = await devices.collection
      .find({ userId: owner, channel }, { projection: { _id: 1 } })
      .sort({ updatedAt: -1 })
      .skip(MOST_DEVICES)
      .toArray();
    if (surplus.length > 0) await devices.collection.deleteMany({ _id: { $in: surplus.map(({ _id }) => _id) } });
  }
}
