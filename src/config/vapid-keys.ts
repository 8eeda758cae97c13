import webPush from 'web-push';
import { type Config } from '../config.js';
import { type Database } from '../core/database/database.js';
import { sharedSecret } from '../core/security/secrets.js';
import { type VapidKeys } from '../modules/notifications/index.js';

/** What web pushes are signed with: the configured keys, else some that all nodes share. */
export async function vapidKeys(config: Config, database: Database): Promise<VapidKeys> {
  const { vapidSubject: subject, vapidPublicKey, vapidPrivateKey } = config;
  if (vapidPublicKey !== undefined && vapidPrivateKey !== undefined) {
    return { subject, publicKey: vapidPublicKey, privateKey: vapidPrivateKey };
  }
  return { subject, ...(await sharedSecret(database, 'vapid-keys', () => webPush.generateVAPIDKeys())) };
}
