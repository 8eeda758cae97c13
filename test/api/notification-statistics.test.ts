import { expect } from 'chai';
import { DAY, HOUR } from '../../src/core/clock.js';
import { Scene } from '../delivery/scene.js';
import { type Json } from '../support/api.js';
import { type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectProblem, registerAs } from './helpers.js';

describe('The statistics of notifications', function () {
  this.timeout(60_000);

  let scene: Scene;
  let admin: Person;
  before(async () => {
    scene = await Scene.open();
    admin = await scene.api.admin();
  });
  after(() => scene.close());

  const today = (): string => scene.campus.clock.now().toISOString().slice(0, 10);
  const ask = async (query = ''): Promise<Json> => {
    const { status, body } = await admin.get(`/notifications/stats${query}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };
  /** The counts of announcements by mail, once they are these. */
  const mailed = (counts: object): Promise<Json> =>
    until(
      async () =>
        (await ask('?groupBy=type,channel')).data.find(
          ({ type, channel }: Json) => type === 'SYSTEM' && channel === 'email',
        ),
      (row) =>
        JSON.stringify(Object.entries(row?.counts ?? {}).sort()) === JSON.stringify(Object.entries(counts).sort()),
    );

  it('are empty where nothing was told', async () => {
    expect(await ask('?from=2020-01-01&to=2020-12-31&groupBy=channel,type,day')).to.deep.equal({
      ...{ from: '2020-01-01', to: '2020-12-31', groupBy: ['channel', 'type', 'day'], data: [] },
    });
  });

  it('count each notification once per channel with its last status, and how soon it was sent', async () => {
    const [first, second, refused, quiet] = await Promise.all(Array.from({ length: 4 }, () => scene.register()));
    scene.edge.smtp.refuse(refused!.email);
    const [from, to] = [0, 4].map((hours) => new Date(scene.campus.clock.now().getTime() + hours * HOUR));
    const days = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
    const span = { days, from: from!.toISOString().slice(11, 16), to: to!.toISOString().slice(11, 16) };
    await quiet!.patch('/settings/notifications', { quietHours: { spans: [span] } });
    await scene.notify([first!, second!, refused!, quiet!], { channels: ['email'] });

    const { latency } = await mailed({ sent: 2, dead: 1, pending: 1 });
    expect(latency.count).to.equal(2);
    expect(latency.p50).to.be.within(1, latency.p95 as number);
    expect(latency.p95)
      .to.be.at.most(latency.p99 as number)
      .and.below(60_000);
    const { id } = await scene.notification(quiet!);
    await quiet!.delete(`/notifications/${id as string}`);
    await mailed({ sent: 2, dead: 1, cancelled: 1 });

    const rows = (await ask('?groupBy=type,channel')).data.filter(({ type }: Json) => type === 'SYSTEM');
    expect(rows.find(({ channel }: Json) => channel === 'inApp')).to.deep.equal({
      ...{ type: 'SYSTEM', channel: 'inApp', counts: { unread: 4 } },
    });
  });

  it('are grouped by any of channel, type and day, in any order, and sorted by it', async () => {
    const sum = (rows: Json[]): number =>
      rows.flatMap(({ counts }) => Object.values<number>(counts)).reduce((all, one) => all + one, 0);
    const all = sum((await ask()).data);
    for (const groupBy of ['channel', 'type', 'day', 'day,channel', 'type,day,channel', 'channel,day,type']) {
      const { data, ...rest } = await ask(`?groupBy=${groupBy}`);
      const fields = groupBy.split(',');
      expect(rest).to.deep.include({ groupBy: fields, to: today() });
      expect(sum(data)).to.equal(all);
      const keys = data.map((row: Json) => JSON.stringify(fields.map((field) => row[field])));
      expect(keys).to.deep.equal([...new Set<string>(keys)].sort());
      for (const row of data) expect(Object.keys(row)).to.include.members(fields);
    }
  });

  it('are the same when everything is handled a second time', async () => {
    const before = await ask('?groupBy=type,channel');
    await scene.settled();
    await scene.campus.stopNodes();
    await scene.campus.db.collection<{ _id: string }>('consumers').deleteOne({ _id: 'follower' });
    scene = new Scene(scene.campus, await scene.campus.startNode({ env: SWEPT_OFTEN }));
    admin = await scene.api.admin();
    const person = await scene.register();
    await scene.notify([person], { channels: ['email'] });
    await mailed({ sent: 3, dead: 1, cancelled: 1 });
    const ofSystem = ({ data }: Json): Json[] => data.filter(({ type }: Json) => type === 'SYSTEM');
    const [inApp] = ofSystem(await ask('?groupBy=type,channel')).filter(({ channel }) => channel === 'inApp');
    expect(inApp.counts).to.deep.equal({ unread: 5 });
    expect(ofSystem(before)).to.have.length(2);
  });

  it('are those of UTC days, the last 30 unless others are asked for', async () => {
    const tomorrow = new Date(scene.campus.clock.now().getTime() + DAY).toISOString().slice(0, 10);
    expect(await ask()).to.include({ to: today() });
    expect((await ask(`?from=${tomorrow}&to=${tomorrow}`)).data).to.deep.equal([]);
    expect((await ask(`?from=${today()}&to=${tomorrow}`)).data).to.deep.equal((await ask()).data);
    expect(await ask('?from=2024-01-01T00:00:00Z&to=2024-12-31T23:59:59Z')).to.include({
      ...{ from: '2024-01-01', to: '2024-12-31' },
    });
    const { from, to } = await ask();
    expect((Date.parse(to) - Date.parse(from)) / DAY).to.equal(29);
  });

  it('are refused for days and groups that there are not', async () => {
    const refused = async (query: string, path: string): Promise<void> => {
      const answer = await admin.get(`/notifications/stats?${query}`);
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(new Set(answer.body.errors.map((error: Json) => error.path as string)), query).to.have.keys(
        `query.${path}`,
      );
    };
    for (const groupBy of ['', 'user', 'day,day', 'day,', 'channel,type,day,channel']) {
      await refused(`groupBy=${groupBy}`, 'groupBy');
    }
    for (const from of ['yesterday', '2026-02-30', '2026-1-1', '2026-01-01T25:00:00Z'])
      await refused(`from=${from}`, 'from');
    expectProblem(await admin.get('/notifications/stats?from=2026-02-02&to=2026-02-01'), 400, 'PERIOD_INVALID');
    expectProblem(await admin.get('/notifications/stats?from=2025-01-01&to=2026-01-02'), 400, 'PERIOD_TOO_LONG');
    await ask('?from=2025-01-01&to=2026-01-01');
  });

  it('are for admins, and for keys that may read', async () => {
    const moderator = await registerAs(scene.campus, scene.api, 'moderator');
    expectProblem(await moderator.get('/notifications/stats'), 403, 'FORBIDDEN');
    for (const [scope, status] of [
      ['notifications:read', 200],
      ['notifications:write', 403],
    ] as const) {
      const { body } = await admin.post('/api-keys', { name: 'Library', scopes: [scope] });
      const answer = await scene.api.request('GET', '/notifications/stats', undefined, { token: body.key as string });
      expect(answer.status).to.equal(status);
    }
  });
});
