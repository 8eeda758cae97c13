import { expect } from 'chai';
import { strFromU8, unzipSync } from 'fflate';
import { DAY } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { call, callable, type Device, deviceOf, has, heard, start, stateOf, talk } from '../support/callers.js';
import { type Api, Campus, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';
import { newCode } from './auth-mail.js';
import { allPages, expectProblem, idsOf } from './helpers.js';

describe('One’s own calls', function () {
  this.timeout(40_000);

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

  it('are in one’s export, with ids and names of the others and nothing more', async () => {
    const [one, other] = [await arrive('Amal'), await arrive('عمر')];
    const { callId } = await talk(one, other);
    await call(one, 'end', { callId });
    const code = await newCode(campus, one.person, 'export');
    expect((await one.person.post('/users/me/export', { code })).status).to.equal(202);
    const { downloadUrl } = await until(
      async () => (await one.person.get('/users/me/export')).body,
      ({ status }) => status === 'ready',
    );
    const file = await fetch(`${api.url}${downloadUrl as string}`, {
      headers: { authorization: `Bearer ${one.person.token}` },
    });
    const files = unzipSync(new Uint8Array(await file.arrayBuffer()));
    const [exported, ...more] = JSON.parse(strFromU8(files['calls.json']!)) as Json[];
    expect(more).to.deep.equal([]);
    expect(exported).to.deep.include({ id: callId, type: 'voice', direction: 'out', status: 'ended' });
    expect(exported.participants).to.deep.equal([
      { id: one.person.id, name: 'Amal', state: 'left' },
      { id: other.person.id, name: 'عمر', state: 'left' },
    ]);
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
