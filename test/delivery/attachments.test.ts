import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { pdf, uploaded } from '../support/media.js';
import { until } from '../support/until.js';
import { isolated, MessageScene } from './message-scene.js';

describe('Messages without words', function () {
  this.timeout(60_000);

  let scene: MessageScene;
  before(async () => {
    scene = await MessageScene.open();
  });
  after(() => scene.close());

  const photo = async (person: Person): Promise<object> => ({ attachments: [(await uploaded(person)).id] });
  const document = async (person: Person): Promise<object> => ({
    attachments: [(await uploaded(person, pdf(), { type: 'DOCUMENT' })).id],
  });
  const excerptFor = (person: Person, id: string, seq: number): Promise<Json> =>
    until(
      async () => (await person.get(`/conversations/${id}`)).body.lastMessage,
      (last) => last?.seq === seq,
    ).then(({ excerpt }) => excerpt as string);

  it('say what they have attached, in the language of whoever is told or looks at the list', async () => {
    const [sara, omar, amal] = (await scene.people(
      { name: 'Sara' },
      { name: 'Omar' },
      { name: 'أمل', locale: 'ar' },
    )) as [Person, Person, Person];
    const id = await converse(sara, [omar, amal], 'Trip');
    await scene.soonAfter(await say(sara, id, '', await photo(sara)));
    const [toOmar, toAmal] = await Promise.all([scene.told(omar, 1), scene.told(amal, 1)]);
    expect(toOmar.body).to.equal(`${isolated('Sara')}: 📎 Photo`);
    expect(toAmal.body).to.equal(`${isolated('Sara')}: 📎 صورة`);
    expect(await excerptFor(omar, id, 1)).to.equal('📎 Photo');
    expect(await excerptFor(amal, id, 1)).to.equal('📎 صورة');
    const direct = await converse(sara, [amal]);
    await scene.soonAfter(await say(sara, direct, '', await document(sara)));
    const line = await until(
      async () => (await scene.toldOf(amal)).find(({ entity }) => entity.id === direct),
      (found) => found !== undefined,
    );
    expect(line!.body).to.equal('📎 مستند');
    expect(await excerptFor(sara, direct, 1)).to.equal('📎 Document');
    // With words, the words are what is said.
    await say(sara, direct, 'The plan', await document(sara));
    expect(await excerptFor(amal, direct, 2)).to.equal('The plan');
  });

  it('are quoted no longer once they are deleted', async () => {
    const { sara, omar, id } = await scene.pair();
    const words = await say(sara, id, 'Look at this');
    const sent = await say(sara, id, '', await photo(sara));
    await scene.soonAfter(words, sent);
    expect(await scene.told(omar, 2)).to.include({ body: '📎 Photo' });
    await sara.delete(`/conversations/${id}/messages/${sent.id as string}`);
    const line = await scene.told(omar, 1);
    expect(line.body).to.equal('');
    expect(line.data).to.deep.include({ excerpt: '' }).and.not.to.have.property('attached');
    expect(await excerptFor(omar, id, 2)).to.equal('');
  });
});
