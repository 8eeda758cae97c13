import { expect } from 'chai';
import { strFromU8, unzipSync } from 'fflate';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { call, callable, type Device, deviceOf, has, heard, start, stateOf, talk } from '../support/callers.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';
import { allPages, expectProblem, idsOf } from './helpers.js';

describe('One’s own calls', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
    api = await campus.startNode();
  });
  after(() => campus.close());

  const arrive = async (name: string): Promise<Device> => deviceOf(await callable(api, { name }));
  const listOf = async (person: Person): Promise<Json[]> => (await person.get('/calls')).body.data as Json[];

  it('are none at first', async () => {
    const { status, body } = await (await api.register()).get('/calls');
    expect(status).to.equal(200);
    expect(body).to.deep.equal({ data: [], nextCursor: null });
  });

  it('are listed, the newest first, in whatever direction and however they ended; a third hears of none', async () => {
    const [one, other, third] = [await arrive('Amal'), await arrive('عمر'), await arrive('Third')];
    const { callId: answered } = await talk(one, other);
    await call(other, 'end', { callId: answered });
    const { id: rejected } = await start(other, one);
    await call(one, 'reject', { callId: rejected });
    const { id: given } = await start(one, other);
    await call(one, 'end', { callId: given });
    const { id: rings } = await start(other, one);

    const list = await listOf(one.person);
    expect(list.map(({ id, status, direction }) => [id, status, direction])).to.deep.equal([
      [rings, 'ringing', 'in'],
      [given, 'missed', 'out'],
      [rejected, 'rejected', 'in'],
      [answered, 'ended', 'out'],
    ]);
    const ended = list[3];
    expect(ended).to.have.all.keys(
      ...['id', 'type', 'direction', 'status', 'version', 'participants', 'startedAt'],
      ...['answeredAt', 'endedAt', 'endReason'],
    );
    expect(stateOf(ended, other)).to.have.all.keys('user', 'isCaller', 'state', 'joinedAt', 'leftAt');
    expect(stateOf(ended, other).user).to.deep.include({ id: other.person.id, name: 'عمر' });
    expect(await listOf(third.person)).to.deep.equal([]);

    let made = 0;
    const paged = await allPages(other.person, '/calls', {
      limit: 1,
      between: async () => {
        // What begins meanwhile neither repeats nor skips one.
        if ((made += 1) === 1) await call(other, 'end', { callId: rings });
        if (made === 2) await call(third, 'end', { callId: (await start(third, other)).id });
      },
    });
    expect(idsOf(paged)).to.deep.equal([rings, given, rejected, answered]);
    const { nextCursor } = (await other.person.get('/calls?limit=1')).body;
    expectProblem(await one.person.get(`/calls?cursor=${nextCursor as string}`), 400, 'INVALID_CURSOR');
    expectProblem(await one.person.get('/calls?limit=0'), 400, 'VALIDATION_FAILED');
  });

  const exportedCalls = async (person: Person): Promise<Json[]> => {
    const code = await newCode(campus, person, 'export');
    expect((await person.post('/users/me/export', { code })).status).to.equal(202);
    const { downloadUrl } = await until(
      async () => (await person.get('/users/me/export')).body,
      ({ status }) => status === 'ready',
    );
    const headers = { authorization: `Bearer ${person.token}` };
    const file = await fetch(`${api.url}${downloadUrl as string}`, { headers });
    return JSON.parse(strFromU8(unzipSync(new Uint8Array(await file.arrayBuffer()))['calls.json']!)) as Json[];
  };

  it('are in one’s export, with ids and names of the others and nothing more', async () => {
    const [one, other] = [await arrive('Amal'), await arrive('عمر')];
    const { callId } = await talk(one, other);
    await call(one, 'end', { callId });
    const [exported, ...more] = await exportedCalls(one.person);
    expect(more).to.deep.equal([]);
    expect(exported).to.deep.include({ id: callId, type: 'voice', direction: 'out', status: 'ended' });
    expect(exported.participants).to.deep.equal([
      { id: one.person.id, name: 'Amal', state: 'left' },
      { id: other.person.id, name: 'عمر', state: 'left' },
    ]);
  });

  it('are all in one’s export, however many, in their order', async () => {
    const [one, other] = [await arrive('Amal'), await arrive('Other')];
    const { callId } = await talk(one, other);
    await call(one, 'end', { callId });
    const calls = campus.db.collection('calls');
    const last = await until(
      () => calls.findOne({ _id: new ObjectId(callId) }),
      (found) => found?.['endedAt'] !== undefined,
    );
    await calls.insertMany(Array.from({ length: 250 }, () => ({ ...last, _id: new ObjectId() })));
    const exported = await exportedCalls(one.person);
    const ids = exported.map(({ id }) => id as string);
    expect(ids).to.have.length(251);
    expect(ids).to.deep.equal([...new Set(ids)].sort());
  });

  it('stay with the others when someone is erased, as by a deleted user; whoever gives up is out of calls at once', async () => {
    const [goner, other] = [await arrive('زمردة'), await arrive('Other')];
    const { callId } = await talk(goner, other);
    const { person } = goner;
    const code = await newCode(campus, person, 'erasure');
    expect((await person.delete('/users/me', { password: person.password, code })).status).to.equal(202);
    await heard(other, callId, has('ended'));

    campus.clock.advance(31 * DAY);
    const left = await api.signIn(other.person.email, other.person.password);
    await until(
      async () => JSON.stringify(await campus.db.collection('calls').find().toArray()),
      (stored) => !stored.includes(person.id),
    );
    const [kept] = await until(
      () => listOf(left),
      ({ length }) => length === 1,
    );
    expect(kept).to.deep.include({ id: callId, direction: 'in', status: 'ended' });
    const [caller] = kept.participants as Json[];
    expect(caller).to.deep.include({ isCaller: true, state: 'left' });
    expect(caller.user).to.deep.include({ name: 'Deleted user' });
    expect(caller.user.id).to.not.equal(person.id);
  });
});
