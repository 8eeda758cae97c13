import { expect } from 'chai';
import { MongoServerError } from 'mongodb';
import { EventLab } from '../support/event-lab.js';

describe('What is to be done after a commit', () => {
  let lab: EventLab;
  before(async () => {
    lab = await EventLab.open([{ name: 'things', indexes: [] }]);
  });
  after(() => lab.close());

  const things = () => lab.database.collection<{ _id: string }>('things');

  it('is done once, though the transaction was made twice, when others see what it wrote', async () => {
    let attempts = 0;
    const done: Promise<[number, boolean]>[] = [];
    await lab.database.inTransaction(async (session) => {
      attempts += 1;
      const attempt = attempts;
      await things().insertOne({ _id: 'again' }, { session });
      lab.database.afterCommit(() => {
        done.push(
          things()
            .findOne({ _id: 'again' })
            .then((seen): [number, boolean] => [attempt, seen !== null]),
        );
      });
      if (attempts === 1) {
        const conflict = new MongoServerError({ message: 'somebody else was first' });
        conflict.addErrorLabel('TransientTransactionError');
        throw conflict;
      }
    });
    expect(await Promise.all(done)).to.deep.equal([[2, true]]);
  });

  it('waits for the whole of a transaction that others have joined', async () => {
    const order: string[] = [];
    await lab.database.inTransaction(async () => {
      await lab.database.inTransaction(() => {
        lab.database.afterCommit(() => order.push('task'));
        return Promise.resolve();
      });
      order.push('work');
    });
    expect(order).to.deep.equal(['work', 'task']);
  });

  it('is never done where nothing was committed, nor outside of a transaction', async () => {
    let isDone = false;
    const task = (): void => void (isDone = true);
    const failed = lab.database.inTransaction(() => {
      lab.database.afterCommit(task);
      return Promise.reject(new Error('on second thoughts'));
    });
    expect(await failed.catch(String)).to.contain('on second thoughts');
    expect(() => lab.database.afterCommit(task)).to.throw('there is no transaction');
    expect(isDone).to.equal(false);
  });
});
