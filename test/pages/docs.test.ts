import { expect } from 'chai';
import { type Browser, type Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import { type Api, Campus } from '../support/campus.js';
import { until } from '../support/until.js';

describe('The documentation page, in a browser', function () {
  // A new machine installs the browser first.
  this.timeout(180_000);
  let campus: Campus;
  let api: Api;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    [campus, browser] = await Promise.all([Campus.open(), openBrowser()]);
    api = await campus.startNode();
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${api.url}/docs`);
  });
  after(async () => {
    await browser.close();
    await campus.close();
  });

  it('shows every route that the API has', async () => {
    const { body: document } = await api.request('GET', '/../../openapi.json');
    const operations = Object.values(document.paths as Record<string, object>).flatMap((methods) =>
      Object.keys(methods),
    );
    // Of a long list only what comes into view is drawn: it is scrolled through as a reader would.
    await page.locator('.opblock').first().waitFor();
    const seen = new Set<string>();
    const scroll = async (): Promise<number> => {
      for (const id of await page.locator('.opblock').evaluateAll((blocks) => blocks.map((each) => each.id)))
        seen.add(id);
      await page.mouse.wheel(0, 500);
      return seen.size;
    };
    await until(scroll, (count) => count >= operations.length, 30_000);
    expect(seen.size).to.equal(operations.length);
  });

  it('works under its own content security policy, without a word of complaint', () => {
    expect(complaints).to.deep.equal([]);
  });
});
