import { Announcement } from './announcement.js';
import { CROWD, progress, publish, SECONDS, WARM_UP_SECONDS } from './choices.js';
import { insertRaw, RAW } from './raw-inserts.js';
import { Reactions } from './reactions.js';
import { compareLatencies, round } from './report.js';
import { type Stage } from './stage.js';

/** Reactions while a crowd is written to beside their quiet latency, and who got what when the announcing worker dies. */
export async function measureAnnouncements(stage: Stage): Promise<void> {
  const { recipients, connected, perSecond } = CROWD;
  progress(`announcements: registering ${connected} people among ${recipients} recipients`);
  await stage.populate(connected, recipients);
  await stage.startSecondWorker();
  const reactions = await Reactions.prepare(stage);
  progress(`announcements: ${perSecond} reactions a second, quiet`);
  await reactions.run(perSecond, WARM_UP_SECONDS);
  const floor = await reactions.run(perSecond, 2 * SECONDS);
  progress(`announcements: to ${recipients}`);
  const announcement = await Announcement.begin(stage);
  const atrium = await reactions.run(perSecond, 2 * SECONDS);
  progress('announcements: kill -9 of the worker that announces');
  const wasKilled = await announcement.killAnnouncer();
  const { seconds, reached, doubled, missing } = await announcement.end();
  const measure = `reaction to socket while ${recipients} are announced to; raw: quiet`;
  const compared = compareLatencies(measure, [{ atrium, floor }], { mostRatio: 2 });
  publish({ ...compared, atrium: { ...compared.atrium, 'fan-out s': round(seconds) } });
  publish({
    measure: `announced exactly once${wasKilled ? ', its worker killed in the midst' : '; over before its worker was killed'}`,
    unit: 'users',
    atrium: { reached, doubled, missing },
    aim: 'each once',
    met: doubled === 0 && missing === 0,
    overdue: 0,
  });
  await measureQuietAnnouncement(stage);
}

/** One to all that nothing disturbs, beside the plain insertion of as many documents like those that it writes. */
async function measureQuietAnnouncement(stage: Stage): Promise<void> {
  const sizeBefore = await stage.databaseSize();
  progress('announcements: once more, with nothing else going on');
  const quiet = await Announcement.begin(stage);
  const { seconds, reached, memory } = await quiet.end();
  const grown = (await stage.databaseSize()) - sizeBefore;
  const like = await stage.db.collection('notifications').find({ type: 'SYSTEM' }).limit(1_000).toArray();
  const raw = await insertRaw(stage.db, { name: RAW.bare, like, count: reached, atOnce: 1 });
  const rawSeconds = reached / raw;
  publish({
    measure: `announcement to ${reached}, nothing else going on`,
    unit: 's',
    atrium: { seconds: round(seconds), 'workers MB': round(memory), 'database MB more': round(grown) },
    raw: { seconds: round(rawSeconds) },
    ratio: round(seconds / rawSeconds),
    aim: 'at most 5 × raw',
    met: seconds <= 5 * rawSeconds,
    overdue: 0,
  });
}
