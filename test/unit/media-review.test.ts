import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY, MINUTE } from '../../src/core/clock.js';
import { Problem } from '../../src/core/http/problem.js';
import { localStorage } from '../../src/core/storage/local-storage.js';
import { messagesWithMedia } from '../../src/modules/chat/message.attaching.js';
import { messageCollection } from '../../src/modules/chat/message.model.js';
import { Attachments } from '../../src/modules/media/media.attachments.js';
import { type Media, mediaCollection } from '../../src/modules/media/media.model.js';
import { MediaReview } from '../../src/modules/media/media.review.js';
import { MediaService } from '../../src/modules/media/media.service.js';
import { MovableClock } from '../support/clock.js';
import { EventLab } from '../support/event-lab.js';
import { pdf } from '../support/media.js';

describe('The review of media', () => {
  const ownerId = new ObjectId().toHexString();
  let lab: EventLab;
  let folder: string;
  let clock: MovableClock;
  let media: MediaService;
  let attachments: Attachments;
  let reviews: MediaReview[];
  beforeEach(async () => {
    lab = await EventLab.open([mediaCollection, messageCollection]);
    folder = await mkdtemp(join(tmpdir(), 'atrium-media-'));
    clock = new MovableClock();
    const { database, outbox } = lab;
    media = new MediaService({ database, outbox, clock, storage: localStorage(folder) });
    attachments = new Attachments({ database, clock });
    // As on two workers, of which one has lost the job without knowing.
    reviews = [0, 1].map(() => new MediaReview({ database, outbox, clock, findUses: messagesWithMedia(database) }));
  });
  afterEach(async () => {
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  });

  const uploaded = async (): Promise<string> =>
    (await media.upload(ownerId, { type: 'DOCUMENT', file: pdf(), name: 'x.pdf' }))._id.toHexString();
  const stored = (id: string) => lab.database.collection<Media>('media').findOne({ _id: new ObjectId(id) });
  const isThere = async (id: string): Promise<boolean> => (await stored(id)) !== null;
  const all = async (review: MediaReview): Promise<void> => {
    while ((await review.reviewSome()) > 0);
  };
  const reviewed = () => Promise.all(reviews.map(all));
  let seq = 0;
  /** Writes the message for which these were attached. */
  const written = async (_id: ObjectId, ids: string[]): Promise<void> => {
    seq += 1;
    await lab.database.collection('messages').insertOne({
      ...{ _id, conversationId: new ObjectId(), seq, senderId: new ObjectId(), clientId: 'x', body: '' },
      attachments: ids.map((id) => ({ id: new ObjectId(id), type: 'DOCUMENT' })),
    });
  };
  const removals = () => lab.database.collection('events').countDocuments({ type: 'media.removed' });

  it('removes what nothing has referred to for a day, once, and not before', async () => {
    const ids = await Promise.all([uploaded(), uploaded()]);
    clock.advance(DAY - MINUTE);
    await reviewed();
    expect(await Promise.all(ids.map(isThere))).to.deep.equal([true, true]);
    clock.advance(2 * MINUTE);
    await reviewed();
    await reviewed();
    expect(await Promise.all(ids.map(isThere))).to.deep.equal([false, false]);
    expect(await removals()).to.equal(2);
  });

  it('leaves what a message has, for as long as it has it', async () => {
    const [id, message] = [await uploaded(), new ObjectId()];
    await attachments.attach(ownerId, [id], message);
    await written(message, [id]);
    clock.advance(DAY + MINUTE);
    await reviewed();
    // Nothing more is to be found out.
    expect(await stored(id))
      .to.deep.include({ uses: [message] })
      .and.not.to.have.property('reviewAt');
    clock.advance(300 * DAY);
    await reviewed();
    await lab.database.collection('messages').updateOne({ _id: message }, { $unset: { attachments: 1 } });
    await attachments.release([new ObjectId(id)], message);
    await attachments.release([new ObjectId(id)], message);
    clock.advance(DAY - MINUTE);
    await reviewed();
    expect(await isThere(id)).to.equal(true);
    clock.advance(2 * MINUTE);
    await reviewed();
    expect(await isThere(id)).to.equal(false);
  });

  it('finds out what was never written, and keeps what another message has', async () => {
    const [lost, shared, message] = [await uploaded(), await uploaded(), new ObjectId()];
    await attachments.attach(ownerId, [lost, shared], new ObjectId());
    await attachments.attach(ownerId, [shared], message);
    await written(message, [shared]);
    clock.advance(DAY + MINUTE);
    await reviewed();
    expect(await isThere(lost)).to.equal(false);
    expect(await stored(shared)).to.deep.include({ uses: [message] });
  });

  it('never removes what is being attached at that moment: it is attached, or was removed before', async () => {
    const outcomes = { attached: 0, removed: 0 };
    for (let round = 0; round < 8; round += 1) {
      const ids = await Promise.all(Array.from({ length: 6 }, uploaded));
      clock.advance(DAY + MINUTE);
      const attach = async (id: string, index: number) => {
        // One after the other, while the review goes through them.
        for (let turn = 0; turn < 2 * index * round; turn += 1) await stored(id);
        const message = new ObjectId();
        try {
          await attachments.attach(ownerId, [id], message);
        } catch (error) {
          expect(error).to.be.instanceOf(Problem).with.property('code', 'UNKNOWN_ATTACHMENT');
          expect(await isThere(id)).to.equal(false);
          outcomes.removed += 1;
          return;
        }
        await written(message, [id]);
        expect(await isThere(id)).to.equal(true);
        outcomes.attached += 1;
      };
      await Promise.all([...ids.map(attach), reviewed()]);
    }
    expect(outcomes.attached + outcomes.removed).to.equal(48);
    // The race was one.
    expect(Math.min(outcomes.attached, outcomes.removed), JSON.stringify(outcomes)).to.be.greaterThan(0);
    expect(await removals()).to.equal(outcomes.removed);
    clock.advance(2 * DAY);
    await reviewed();
    expect(await lab.database.collection('media').countDocuments()).to.equal(outcomes.attached);
  });

  it('is of what can be attached a thousand times, and not more often', async () => {
    const id = await uploaded();
    const uses = Array.from({ length: 999 }, () => new ObjectId());
    await lab.database.collection<Media>('media').updateOne({ _id: new ObjectId(id) }, { $set: { uses } });
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => attachments.attach(ownerId, [id], new ObjectId())),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect((await stored(id))!.uses).to.have.length(1_000);
  });
});
