import { expect } from 'chai';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import { Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { lookAt } from '../support/mail-look.js';

const MAILS = [
  { name: 'comment', query: 'type=COMMENT' },
  { name: 'announcement', query: 'type=SYSTEM' },
  { name: 'code', query: 'type=SECURITY&occasion=codeForEmailChange' },
  { name: 'digest', query: 'type=DIGEST' },
];
const WIDTHS = [360, 640];
/** What stands between the edge of the card and the text. */
const MARGIN = 24;
/** For people to look at. */
const PICTURES = join(tmpdir(), 'atrium-mails');

describe('A mail, in a browser', function () {
  // A new machine installs the browser first.
  this.timeout(180_000);
  let campus: Campus;
  let admin: Person;
  let browser: Browser;
  let page: Page;
  const fetched: string[] = [];

  before(async () => {
    [campus, browser] = await Promise.all([Campus.open(WITHOUT_WORKERS), openBrowser()]);
    admin = await (await campus.startNode()).admin();
    page = await browser.newPage();
    page.on('request', (request) => fetched.push(request.url()));
    await mkdir(PICTURES, { recursive: true });
  });
  after(async () => {
    await browser.close();
    await campus.close();
  });

  const mail = async (query: string, locale: string): Promise<string> => {
    const { status, body } = await admin.get(`/admin/templates/preview?${query}&channel=email&locale=${locale}`);
    expect(status).to.equal(200);
    return body.html as string;
  };

  for (const { locale, direction, align } of [
    { locale: 'ar', direction: 'rtl', align: 'right' },
    { locale: 'en', direction: 'ltr', align: 'left' },
  ]) {
    for (const { name, query } of MAILS) {
      for (const width of WIDTHS) {
        it(`reads from the ${align === 'left' ? 'left to the right' : 'right to the left'} and fits: ${name}, ${width} pixels wide`, async () => {
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme });
            const look = await lookAt(page, await mail(query, locale), width);
            await page.screenshot({
              path: join(PICTURES, `${name}-${locale}-${width}-${colorScheme}.png`),
              fullPage: true,
            });

            expect(look.direction).to.equal(direction);
            expect(look.excess).to.equal(0);
            expect(look.passages.length).to.be.at.least(3);
            for (const passage of look.passages) {
              expect(passage, passage.text).to.include({ direction, align });
              expect(passage.width, passage.text).to.be.greaterThan(20);
              expect(passage.room, passage.text).to.be.at.least(MARGIN - 1.5);
              for (const start of passage.lineStarts) expect(start, passage.text).to.be.closeTo(MARGIN, 1.5);
            }
            expect(look.button.text).not.to.equal('');
            expect(look.button.start).to.be.closeTo(MARGIN, 1);
            expect(look.button.end).to.be.greaterThan(2 * MARGIN);
            expect(look.hasArabicFont, 'an Arabic font').to.equal(true);
            for (const brightness of look.brightness) {
              expect(brightness > 0.5, `a brightness of ${brightness}`).to.equal(colorScheme === 'light');
            }
            expect(look.contrast).to.be.at.least(4.5);
          }
        });
      }
    }
  }

  it('fetches nothing from anywhere', () => {
    expect(fetched).to.deep.equal([]);
  });
});
