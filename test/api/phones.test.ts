import { expect } from 'chai';
import { MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';
import { wrongCode } from './auth-mail.js';
import { expectInvalid, expectProblem } from './helpers.js';

const PATH = '/users/me/phone';

describe('Phone numbers', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    const env = { ...campus.edge.twilio.environment, PHONE_COUNTRY: 'JO', PHONE_COUNTRIES: 'JO,SA' };
    api = await campus.startNode({ env });
    otherNode = await campus.startNode({ env: { ...env, ROLE: 'api' } });
  });
  after(() => campus.close());

  let numbers = 0;
  const newNumber = (): string => `+96279${String((numbers += 1)).padStart(7, '0')}`;
  const ask = (person: Person, phone: string) => person.put(PATH, { phone });
  const verify = (person: Person, code: string) => person.post(`${PATH}/verify`, { code });
  /** The code in the SMS that came last to a number, of so many. */
  const codeIn = async (number: string, count = 1): Promise<string> => {
    const sent = await campus.edge.twilio.waitFor(({ to }) => to === number, { count });
    return /: (\d{6})$/.exec(sent.at(-1)!.body)![1]!;
  };
  const give = async (person: Person, number = newNumber()): Promise<string> => {
    const before = campus.edge.twilio.received.filter(({ to }) => to === number).length;
    expect((await ask(person, number)).status).to.equal(202);
    expect((await verify(person, await codeIn(number, before + 1))).status).to.equal(200);
    return number;
  };
  const own = async (person: Person): Promise<Json> => (await person.get(PATH)).body;
  const told = (person: Person, title: RegExp): Promise<Json> =>
    until(
      async () =>
        ((await person.get('/notifications?type=SECURITY')).body.data as Json[]).find((n) => title.test(n.title)),
      (found) => found !== undefined,
    );

  it('are one’s own once the code is given that was sent there', async () => {
    const person = await api!.register();
    expect(await own(person)).to.deep.equal({});
    const number = newNumber();
    const { status, body } = await ask(person, number);
    expect({ status, body }).to.deep.equal({ status: 202, body: { expiresIn: 600 } });
    const expiresAt = (await own(person)).pending.expiresAt as string;
    expect(await own(person)).to.deep.equal({ pending: { number, expiresAt } });

    const code = await codeIn(number);
    const [sms] = campus.edge.twilio.received.filter(({ to }) => to === number);
    expect(sms!.body).to.equal(`Your code to confirm your phone number: ${code}`);
    const verified = await verify(person, code);
    expect(verified.status).to.equal(200);
    expect(verified.body).to.deep.equal({ number, verifiedAt: verified.body.verifiedAt });
    expect(await own(person)).to.deep.equal(verified.body);
    expect((await told(person, /A phone number was added/)).entity.kind).to.equal('phone');
    expectProblem(await verify(person, code), 400, 'CODE_INVALID');
    expectProblem(await ask(person, number), 400, 'PHONE_UNCHANGED');
  });

  it('are shown to nobody else, and stand in no notification or event in the clear with their code', async () => {
    const [person, friend] = [await api!.register(), await api!.register()];
    const number = await give(person);
    const admin = await api!.admin();
    for (const reader of [friend, admin]) {
      for (const path of [`/profiles/${person.id}`, '/users', `/users?q=${encodeURIComponent(person.name)}`]) {
        expect(JSON.stringify((await reader.get(path)).body), path).to.not.contain(number.slice(1));
      }
    }
    const { body } = await person.get('/notifications?limit=100');
    expect(JSON.stringify(body)).to.not.contain(number.slice(1));
    const code = await codeIn(number);
    for (const name of ['mailedCodes', 'notifications', 'events', 'phones']) {
      const stored = JSON.stringify(await campus.db.collection(name).find().toArray());
      // As a word of its own: six digits may well stand in an id.
      expect(new RegExp(`(?<![0-9a-f])${code}(?![0-9a-f])`).test(stored), name).to.equal(false);
    }
  });

  it('are read in the ways in which people write them, and sent to in the language of their owner', async () => {
    const person = await api!.register({ locale: 'ar' });
    for (const [written, number] of [
      ['079 555 0001', '+962795550001'],
      ['٠٧٩٥٥٥٠٠٠٢', '+962795550002'],
      ['+966 50 123 4567', '+966501234567'],
    ] as const) {
      expect((await ask(person, written)).status, written).to.equal(202);
      const [sms] = await campus.edge.twilio.waitFor(({ to }) => to === number);
      expect(sms!.body).to.match(/^رمز تأكيد رقم هاتفك: \d{6}$/);
    }
    expectInvalid(await ask(person, ''), 'body.phone');
    expectInvalid(await person.put(PATH, { phone: 962791234567 }), 'body.phone');
  });

  it('are none where nothing takes SMS there, or it is too far away', async () => {
    const wrong: [string, string][] = [
      ['a word', 'call me'],
      ['too short', '+96279'],
      ['a desk', '+96265001234'],
      ['an extension', '+962791234567 ext. 5'],
      ['another country', '+447400123456'],
      ['a number to be paid for', '+96290001234'],
    ];
    const people = await Promise.all(wrong.map(() => api!.register()));
    for (const [index, [what, number]] of wrong.entries()) {
      const answer = await ask(people[index]!, number);
      expect(answer.body.code, what).to.equal('PHONE_INVALID');
      expectProblem(answer, 400, 'PHONE_INVALID');
    }
  });

  it('take a code that may be wrong five times, works for ten minutes and is replaced by the next', async () => {
    const [careless, late, twice] = await Promise.all([api!.register(), api!.register(), api!.register()]);
    const number = newNumber();
    await ask(careless, number);
    const code = await codeIn(number);
    const guesses = await Promise.all(
      Array.from({ length: 5 }, (_, index) => verify(index % 2 ? careless : careless.on(otherNode!), wrongCode(code))),
    );
    for (const guess of guesses) expectProblem(guess, 400, 'CODE_INVALID');
    expectProblem(await verify(careless, code), 400, 'CODE_INVALID');
    expectProblem(await ask(careless, newNumber()), 429, 'RATE_LIMITED');

    const [first, second] = [newNumber(), newNumber()];
    await ask(twice, first);
    const old = await codeIn(first);
    await ask(twice, second);
    const current = await codeIn(second);
    if (old !== current) expectProblem(await verify(twice, old), 400, 'CODE_INVALID');
    expect((await verify(twice, current)).body.number).to.equal(second);

    const slow = newNumber();
    await ask(late, slow);
    const expired = await codeIn(slow);
    campus.clock.advance(10 * MINUTE);
    expectProblem(await verify(late, expired), 400, 'CODE_INVALID');
    expect(await own(late)).to.deep.equal({});
  });

  it('are written to only so often, by one person and by all together', async () => {
    const person = await api!.register();
    const answers = [];
    for (let asked = 0; asked < 6; asked += 1) answers.push(await ask(person, newNumber()));
    expect(answers.map(({ status }) => status)).to.deep.equal([202, 202, 202, 202, 202, 429]);

    const victim = newNumber();
    const crowd = await Promise.all(Array.from({ length: 7 }, () => api!.register()));
    const tried = await Promise.all(crowd.map((one, index) => ask(index % 2 ? one : one.on(otherNode!), victim)));
    expect(tried.filter(({ status }) => status === 202)).to.have.length(5);
    expect(tried.filter(({ status }) => status === 429)).to.have.length(2);
  });

  it('are one account’s at a time: whoever shows last that the phone is theirs', async () => {
    const [former, present] = [await api!.register(), await api!.register()];
    const number = await give(former);
    await give(present, number);
    expect(await own(former)).to.deep.equal({});
    expect(await own(present)).to.deep.include({ number });
    const { body } = await told(former, /no phone number any more/);
    expect(body).to.not.contain(present.name);
    const admin = await api!.admin();
    const rows = (await admin.get(`/audit?targetId=${former.id}&action=phone.removed`)).body.data as Json[];
    expect(rows.map(({ reason, actorId }) => [reason, actorId])).to.deep.equal([['moved', present.id]]);
  });

  it('are one account’s though several show it at the same moment', async () => {
    const [one, other] = [await api!.register(), await api!.register()];
    const number = newNumber();
    const codes: string[] = [];
    for (const person of [one, other]) {
      await ask(person, number);
      codes.push(await codeIn(number, codes.length + 1));
    }
    const answers = await Promise.all([verify(one, codes[0]!), verify(other.on(otherNode!), codes[1]!)]);
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200]);
    const owners = [await own(one), await own(other)].filter(({ number: theirs }) => theirs === number);
    expect(owners).to.have.length(1);
  });

  it('can be taken away, with the code that is on its way, and are audited without the number', async () => {
    const person = await api!.register();
    const number = await give(person);
    const next = newNumber();
    await ask(person, next);
    const code = await codeIn(next);
    expect((await person.delete(PATH)).status).to.equal(204);
    expect(await own(person)).to.deep.equal({});
    expectProblem(await verify(person, code), 400, 'CODE_INVALID');
    expect((await person.delete(PATH)).status).to.equal(204);
    await told(person, /no phone number any more/);

    const admin = await api!.admin();
    const { data } = (await admin.get(`/audit?targetId=${person.id}&limit=100`)).body as { data: Json[] };
    const rows = data.filter(({ action }) => (action as string).startsWith('phone.'));
    expect(rows.map(({ action, reason }) => [action, reason])).to.deep.equal([
      ['phone.removed', 'removed'],
      ['phone.confirmed', undefined],
    ]);
    for (const row of rows) expect(row.origin).to.have.property('ip');
    expect(JSON.stringify(rows)).to.not.contain(number.slice(1));
  });
});
