import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Delivery } from '../../src/modules/notifications/delivery.model.js';
import { type Notification } from '../../src/modules/notifications/notification.model.js';
import { type Telling } from '../../src/modules/notifications/mute.service.js';
import { Reconsideration } from '../../src/modules/notifications/reconsideration.js';
import { type Facts } from '../../src/modules/notifications/recipient-facts.js';

describe('What is decided again', () => {
  const asked: (readonly Telling[])[] = [];
  beforeEach(() => (asked.length = 0));

  const cancelled = new ObjectId();
  const facts: Facts = {
    contact: (id) => ({ _id: new ObjectId(id), name: 'Somebody', email: 'somebody@campus.test', locale: 'en' }),
    apart: () => false,
    outOfSight: () => false,
    reach: () => ({
      preferences: { social: { email: false } },
      timeZone: 'UTC',
      digest: 'off',
      hasDevice: { webPush: false, mobilePush: false },
      phone: 'none',
      muted: false,
    }),
  };
  const reconsideration = new Reconsideration({
    facts: {
      of: (tellings) => {
        asked.push(tellings);
        return Promise.resolve(facts);
      },
    },
    stopped: () => Promise.resolve(new Map([[cancelled.toHexString(), 'CANCELLED']])),
    served: new Set(['email']),
    clock: { now: () => new Date(0) },
  });
  const claimed = (email: Partial<Delivery>, type: Notification['type'] = 'COMMENT'): Notification => ({
    _id: new ObjectId(),
    userId: new ObjectId(),
    type,
    category: type === 'SECURITY' ? 'security' : 'social',
    actorIds: [],
    entity: { kind: 'comment', id: 'x' },
    title: 'T',
    body: 'B',
    deepLink: '/',
    data: {},
    locale: 'en',
    groupKey: 'g',
    dedupeKey: 'd',
    channels: { email: { status: 'sending', attempts: 1, ...email } },
    createdAt: new Date(0),
  });
  const among = async (...notifications: Notification[]) => [...(await reconsideration.among('email', notifications))];

  it('is what has waited and what has failed before, and it is read about together', async () => {
    const late = [claimed({ reason: 'QUIET_HOURS' }), claimed({ attempts: 2 })];
    const fresh = [claimed({}), claimed({})];
    expect(await among(...late, ...fresh)).to.deep.equal(
      late.map(({ _id }) => [_id.toHexString(), { kind: 'skipped', reason: 'PREFERENCE_OFF' }]),
    );
    expect(asked.map(({ length }) => length)).to.deep.equal([2]);
  });

  it('is nothing that is taken up for the first time: nothing is read for it', async () => {
    expect(await among(claimed({}), claimed({}))).to.deep.equal([]);
    expect(asked).to.deep.equal([]);
  });

  it('is given up without reading anything where its cause is undone, or its owner has deleted it', async () => {
    const [undone, deleted] = [
      { ...claimed({}), withdrawn: {} },
      { ...claimed({ attempts: 2, sentTo: ['phone'] }), deletedAt: new Date(0) },
    ];
    expect(await among(undone, deleted)).to.deep.equal([
      [undone._id.toHexString(), { kind: 'cancelled', reason: 'UNDONE' }],
      [deleted._id.toHexString(), { kind: 'cancelled', reason: 'DELETED' }],
    ]);
    expect(asked).to.deep.equal([]);
  });

  it('is given up without reading anything where a newer one of its line is sent instead', async () => {
    const line = new ObjectId();
    const newest: Notification = { ...claimed({}), line };
    newest.channels.inApp = { status: 'unread' };
    const older = { ...claimed({}), line };
    expect(await among(newest, older)).to.deep.equal([
      [older._id.toHexString(), { kind: 'cancelled', reason: 'GROUPED' }],
    ]);
    expect(asked).to.deep.equal([]);
  });

  it('is given up without reading anything of its recipient where its announcement was cancelled', async () => {
    const [one, other] = [
      { ...claimed({}, 'SYSTEM'), bulk: true, batchId: cancelled },
      { ...claimed({}, 'SYSTEM'), bulk: true, batchId: new ObjectId() },
    ];
    expect(await among(one, other)).to.deep.equal([
      [one._id.toHexString(), { kind: 'cancelled', reason: 'CANCELLED' }],
    ]);
    expect(asked).to.deep.equal([]);
  });

  it('is nothing that some device has already, or that concerns security', async () => {
    expect(
      await among(claimed({ attempts: 2, sentTo: ['phone'] }), claimed({ attempts: 2 }, 'SECURITY')),
    ).to.deep.equal([]);
    expect(asked).to.deep.equal([]);
  });
});
