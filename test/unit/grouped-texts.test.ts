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

  it('is there, in both languages, for every kind that is grouped', () => {
    for (const type of NOTIFICATION_TYPE_NAMES.filter(isGrouped)) {
      for (const locale of ['en', 'ar'] as const) {
        expect(groupTitleOf(type as Templated, locale, 'Amal', 2)).to.include(isolated('Amal'));
      }
    }
    expect(() => groupTitleOf('COMMENT', 'en', 'Amal', 2)).to.throw('no words');
  });
});
