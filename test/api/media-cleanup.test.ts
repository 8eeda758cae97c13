import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { DAY, MINUTE } from '../../src/core/clock.js';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { converse, read, say } from '../support/chat.js';
import { follow, uploaded } from '../support/media.js';
import { until } from '../support/until.js';

describe('The clean-up of media', () => {
  it('removes what nothing refers to after a day, with its files, and leaves what a message has', async () => {
    const campus = await Campus.open(SWEPT_OFTEN);
    try {
      const api = await campus.startNode();
      let sara = await api.register();
      const id = await converse(sara, [await api.register()]);
      const [kept, unused, regretted] = [await uploaded(sara), await uploaded(sara), await uploaded(sara)];
      await say(sara, id, 'Stays', { attachments: [kept.id] });
      const gone = await say(sara, id, 'Goes', { attachments: [regretted.id] });
      await sara.delete(`/conversations/${id}/messages/${gone.id as string}`);
      const folders = async () => (await readdir(join(campus.dataDir, 'files', sara.id, 'media'))).sort();
      const all = [kept, unused, regretted].map((media) => media.id as string).sort();
      expect(await folders()).to.deep.equal(all);

      campus.clock.advance(DAY + MINUTE);
      // Once an hour: this hour is over.
      const job = { name: 'cleanup' };
      await campus.db.collection('agendaJobs').updateOne(job, { $set: { nextRunAt: new Date() } });
      await until(folders, (names) => names.length === 1);
      expect(await folders()).to.deep.equal([kept.id]);
      sara = await api.signIn(sara.email, sara.password);
      for (const media of [unused, regretted]) {
        expect((await sara.get(`/media/${media.id as string}`)).status).to.equal(404);
      }
      const [stays] = await read(sara, id);
      expect((await follow(sara, stays.attachments[0].url)).response.status).to.equal(200);
    } finally {
      await campus.close();
    }
  });
});
