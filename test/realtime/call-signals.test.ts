import { expect } from 'chai';
import { type Json, type LiveSocket } from '../support/api.js';
import { call, callable, type Device, deviceOf, heard, refused, start, stateOf, talk } from '../support/callers.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { mismatches, resolve } from './json-schema.js';

const OFFER = 'v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const CANDIDATE = {
  candidate: 'candidate:1 1 udp 2113937151 192.0.2.1 54400 typ host generation 0',
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: 'a+b/',
};

describe('The signals of a call', () => {
  let campus: Campus;
  let nodes: [Api, Api];
  let document: Json;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    nodes = [await campus.startNode(), await campus.startNode()];
    document = await (await fetch(`${nodes[0].url}/asyncapi.json`)).json();
  });
  after(() => campus.close());

  const arrive = async (count: number): Promise<Device[]> => {
    const people = await Promise.all(Array.from({ length: count }, () => callable(nodes[0])));
    return Promise.all(people.map((person, index) => deviceOf(person, nodes[index % 2])));
  };
  const to = (callId: string, { person }: Device, data: object) => ({ callId, to: person.id, data });
  const offer = { kind: 'offer', sdp: OFFER };

  it('reach the one device that is in the call, on another node, exactly as they were sent', async () => {
    const [caller, phone] = (await arrive(2)) as [Device, Device];
    const others = [await deviceOf(phone.person, nodes[0]), await deviceOf(phone.person, nodes[1])];
    const { callId } = await talk(caller, phone);
    const said: object[] = [
      offer,
      { kind: 'answer', sdp: OFFER },
      { kind: 'ice', candidates: [CANDIDATE, { candidate: '' }] },
    ];
    for (const data of said) {
      expect(await caller.live.ask('call:signal', to(callId, phone, data))).to.deep.equal({ ok: true });
    }
    expect(await phone.live.collect('call:signal', 3)).to.deep.equal(
      said.map((data) => ({ callId, from: caller.person.id, data })),
    );
    expect(await phone.live.ask('call:signal', to(callId, caller, offer))).to.deep.equal({ ok: true });
    await caller.live.next('call:signal', ({ from }) => from === phone.person.id);
    for (const { live } of others) expect(live.all('call:signal')).to.deep.equal([]);
    await call(caller, 'end', { callId });
    expect(await refused(phone, 'signal', to(callId, caller, offer))).to.equal('409 CALL_OVER');
  });

  it('go between those who are in the call, and nobody else', async () => {
    const [caller, joined, ringing, stranger] = (await arrive(4)) as [Device, Device, Device, Device];
    const { id: callId } = await start(caller, joined, ringing);
    // Nobody knows yet which device will answer.
    expect(await refused(caller, 'signal', to(callId, joined, offer))).to.equal('409 PARTICIPANT_AWAY');
    expect(await refused(joined, 'signal', to(callId, caller, offer))).to.equal('409 NOT_IN_CALL');
    await call(joined, 'accept', { callId });
    const tablet = await deviceOf(joined.person, nodes[0]);
    const cases: [Device, object, string][] = [
      [ringing, to(callId, caller, offer), '409 NOT_IN_CALL'],
      [tablet, to(callId, caller, offer), '409 NOT_IN_CALL'],
      [joined, to(callId, ringing, offer), '409 PARTICIPANT_AWAY'],
      [joined, to(callId, joined, offer), '404 PARTICIPANT_NOT_FOUND'],
      [joined, to(callId, stranger, offer), '404 PARTICIPANT_NOT_FOUND'],
      [stranger, to(callId, caller, offer), '404 CALL_NOT_FOUND'],
    ];
    for (const [from, payload, refusal] of cases) expect(await refused(from, 'signal', payload)).to.equal(refusal);
    for (const { live } of [caller, ringing, stranger]) expect(live.all('call:signal')).to.deep.equal([]);
  });

  it('may be as long as descriptions get, and no longer, and nothing but signals', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    const { callId } = await talk(caller, callee);
    const sdp = (length: number) => OFFER + 'a'.repeat(length - OFFER.length);
    const long = { kind: 'offer', sdp: sdp(32 * 1_024) };
    expect(await caller.live.ask('call:signal', to(callId, callee, long))).to.deep.equal({ ok: true });
    expect((await callee.live.next('call:signal')).data).to.deep.equal(long);
    const bad: unknown[] = [
      { kind: 'offer', sdp: sdp(32 * 1_024 + 1) },
      { kind: 'offer', sdp: 'hello' },
      { kind: 'offer', sdp: `${OFFER}\u0000` },
      { kind: 'offer', sdp: `${OFFER}s=مكالمة` },
      { kind: 'offer' },
      { kind: 'offer', sdp: OFFER, more: 1 },
      { kind: 'hello', sdp: OFFER },
      { kind: 'ice', candidates: [] },
      { kind: 'ice', candidates: Array.from({ length: 21 }, () => CANDIDATE) },
      { kind: 'ice', candidates: [{ ...CANDIDATE, candidate: 'x' }] },
      { kind: 'ice', candidates: [{ ...CANDIDATE, sdpMLineIndex: -1 }] },
      { kind: 'ice', candidates: [{ ...CANDIDATE, more: 1 }] },
      'an offer',
      undefined,
    ];
    for (const data of bad) {
      const payload = { callId, to: callee.person.id, data };
      expect(await refused(caller, 'signal', payload), JSON.stringify({ data }).slice(0, 80)).to.equal(
        '400 VALIDATION_FAILED',
      );
    }
    expect(callee.live.all('call:signal')).to.have.length(1);
  });

  it('and everything else that is said on the namespace, is as the document has it', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    const messageOf = (action: string, name: string): Json =>
      resolve(document, operationOf(action, name).messages[0].$ref);
    const operationOf = (action: string, name: string): Json =>
      Object.values<Json>(document.operations).find((one) => {
        const [channel, message] = [resolve(document, one.channel.$ref), resolve(document, one.messages[0].$ref)];
        return one.action === action && channel['address'] === '/calls' && message['name'] === name;
      });
    const said = async (from: Device, event: string, payload: object): Promise<Json> => {
      const answer = await from.live.ask(event, payload);
      expect(mismatches(document, messageOf('receive', event).payload, payload), event).to.be.empty;
      const { payload: schema } = resolve(document, operationOf('receive', event).reply.messages[0].$ref) as Json;
      expect(mismatches(document, schema, answer), JSON.stringify(answer)).to.be.empty;
      return answer;
    };
    const started = await said(caller, 'call:start', { userIds: [callee.person.id], type: 'voice' });
    const callId = started.call.id as string;
    await said(callee, 'call:accept', { callId });
    await said(callee, 'call:accept', { callId });
    await said(caller, 'call:signal', to(callId, callee, offer));
    await said(callee, 'call:resume', { callId });
    caller.live.socket.disconnect();
    await heard(callee, callId, (one) => stateOf(one, caller).droppedAt !== undefined);
    await said(callee, 'call:end', { callId });
    const again = await deviceOf(caller.person);
    const { call: second } = await said(callee, 'call:start', { userIds: [caller.person.id], type: 'video' });
    await again.live.next('call:incoming');
    await said(again, 'call:reject', { callId: second.id });
    await heard(callee, second.id as string, ({ status }) => status === 'rejected');

    const spoken = new Set<string>();
    for (const { heard: all } of [caller.live, callee.live, again.live] as LiveSocket[]) {
      for (const { event, payload } of all) {
        const { payload: schema } = messageOf('send', event);
        expect(mismatches(document, schema, payload), `${event}: ${JSON.stringify(payload)}`).to.be.empty;
        spoken.add(event);
      }
    }
    expect([...spoken]).to.have.members(['call:incoming', 'call:updated', 'call:signal']);
  });
});
