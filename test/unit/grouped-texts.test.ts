import { expect } from 'chai';
import { isGrouped, NOTIFICATION_TYPE_NAMES } from '../../src/modules/notifications/notification.types.js';
import { groupTitleOf, type Templated } from '../../src/modules/notifications/texts.js';

const isolated = (name: string): string => `\u2068${name}\u2069`;

describe('The title of several that are told as one', () => {
  it('names the newest and counts the others, in English', () => {
    const title = (others: number) => groupTitleOf('REACTION', 'en', 'Amal', others);
    expect(title(1)).to.equal(`${isolated('Amal')} and 1 other reacted to your post`);
    expect(title(11)).to.equal(`${isolated('Amal')} and 11 others reacted to your post`);
    expect(title(1_234)).to.equal(`${isolated('Amal')} and 1,234 others reacted to your post`);
  });

  it('says of a message that it is one, in both languages', () => {
    const title = (locale: 'en' | 'ar', others: number) =>
      groupTitleOf('REACTION', locale, 'Amal', others, { reactedTo: 'message' });
    expect(title('en', 1)).to.equal(`${isolated('Amal')} and 1 other reacted to your message`);
    expect(title('en', 11)).to.equal(`${isolated('Amal')} and 11 others reacted to your message`);
    expect(title('ar', 1)).to.equal(`تفاعل ${isolated('Amal')} وشخص آخر مع رسالتك`);
    expect(title('ar', 2)).to.equal(`تفاعل ${isolated('Amal')} وشخصان آخران مع رسالتك`);
    expect(title('ar', 11)).to.equal(`تفاعل ${isolated('Amal')} و١١ شخصًا آخر مع رسالتك`);
  });

  it('has the form that Arabic wants for so many', () => {
    const title = (others: number) => groupTitleOf('REACTION', 'ar', 'Amal', others);
    const forms: Record<number, string> = {
      1: 'وشخص آخر',
      2: 'وشخصان آخران',
      3: 'و٣ أشخاص آخرين',
      10: 'و١٠ أشخاص آخرين',
      11: 'و١١ شخصًا آخر',
      99: 'و٩٩ شخصًا آخر',
      100: 'و١٠٠ شخص آخر',
      102: 'و١٠٢ شخص آخر',
      103: 'و١٠٣ أشخاص آخرين',
      1_011: 'و١٬٠١١ شخصًا آخر',
    };
    for (const [others, form] of Object.entries(forms)) {
      expect(title(Number(others))).to.equal(`تفاعل ${isolated('Amal')} ${form} مع منشورك`);
    }
  });

  it('says of messages how many there are, and from whom or in which group', () => {
    const title = (locale: 'en' | 'ar', count: number, chat?: { group: string }) =>
      groupTitleOf('MESSAGE', locale, 'سارة', count - 1, { ...(chat && { chat }) });
    expect(title('en', 3)).to.equal(`3 messages from ${isolated('سارة')}`);
    expect(title('en', 2, { group: 'Team' })).to.equal(`2 messages in ${isolated('Team')}`);
    expect(title('en', 5, { group: '' })).to.equal('5 messages in a group conversation');
    expect(title('ar', 2)).to.equal(`رسالتان من ${isolated('سارة')}`);
    expect(title('ar', 3, { group: 'Team' })).to.equal(`٣ رسائل في ${isolated('Team')}`);
    expect(title('ar', 11, { group: '' })).to.equal('١١ رسالة في محادثة جماعية');
  });

  it('is there, in both languages, for every kind that is grouped', () => {
    for (const type of NOTIFICATION_TYPE_NAMES.filter(isGrouped)) {
      for (const locale of ['en', 'ar'] as const) {
        expect(groupTitleOf(type as Templated, locale, 'Amal', 2)).to.include(isolated('Amal'));
      }
    }
    expect(() => groupTitleOf('COMMENT', 'en', 'Amal', 2)).to.throw('no words');
  });
});
