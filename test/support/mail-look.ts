import { type Page } from 'playwright-core';

interface Passage {
  text: string;
  direction: string;
  align: string;
  /** From the edge of the card to where each line starts. */
  lineStarts: number[];
  /** From the end of the longest line to the other edge. */
  room: number;
  width: number;
}

/** How a mail looks in a browser, in CSS pixels. */
export interface MailLook {
  /** The computed direction of the page. */
  direction: string;
  /** By how much its contents are wider than the window. */
  excess: number;
  /** Every paragraph and heading. */
  passages: Passage[];
  /** From the edge of the card where lines start to the button, and to its other side. */
  button: { start: number; end: number; text: string };
  /** The least contrast between a text and what is behind it. */
  contrast: number;
  /** How bright (0 to 1) what is behind the card is, and the card. */
  brightness: number[];
  /** Whether Arabic letters are drawn, each another one, and joined. */
  hasArabicFont: boolean;
}

/** Runs in the page. Starts of lines are measured from the edge of the card where they should start. */
const LOOK = `(() => {
  const root = document.documentElement;
  const { direction } = getComputedStyle(root);
  const card = document.querySelector('.card');
  const edges = card.getBoundingClientRect();
  const startOf = (box) => (direction === 'rtl' ? edges.right - box.right : box.left - edges.left);
  const endOf = (box) => (direction === 'rtl' ? box.left - edges.left : edges.right - box.right);

  const passageOf = (element) => {
    const { direction, textAlign } = getComputedStyle(element);
    const range = document.createRange();
    range.selectNodeContents(element);
    const boxes = [...range.getClientRects()].filter(({ width, height }) => width > 0 && height > 0);
    const lines = [];
    for (const box of boxes) {
      const middle = (box.top + box.bottom) / 2;
      const line = lines.find((each) => Math.abs(each.middle - middle) < 6);
      if (line) line.start = Math.min(line.start, startOf(box));
      else lines.push({ middle, start: startOf(box) });
    }
    return {
      text: element.textContent.trim(),
      direction,
      align: textAlign,
      lineStarts: lines.map(({ start }) => start),
      room: Math.min(...boxes.map(endOf)),
      width: Math.max(...boxes.map(({ width }) => width)),
    };
  };

  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const isPainted = (color) => channels(color)[3] !== 0;
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return element === root || isPainted(backgroundColor) ? backgroundColor : behind(element.parentElement);
  };
  const contrastOf = (element) => {
    const values = [getComputedStyle(element).color, behind(element)].map(luminance);
    return (Math.max(...values) + 0.05) / (Math.min(...values) + 0.05);
  };
  const isShownText = (element) =>
    element.getClientRects().length > 0 &&
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');

  const context = Object.assign(document.createElement('canvas'), { width: 80, height: 80 }).getContext('2d');
  context.font = '40px ' + getComputedStyle(document.querySelector('h1')).fontFamily;
  const drawn = (text) => {
    context.clearRect(0, 0, 80, 80);
    context.fillText(text, 20, 50);
    return context.canvas.toDataURL();
  };
  const drawings = ['', 'ش', 'ع', 'م', 'ق', '\\u{10FFFD}'].map(drawn);
  const widthOf = (text) => context.measureText(text).width;

  const button = document.querySelector('a[target]');
  const place = button.closest('td').getBoundingClientRect();
  return {
    direction,
    excess: root.scrollWidth - root.clientWidth,
    passages: [...document.querySelectorAll('.ink > div, .faint > div')].map(passageOf),
    button: { start: startOf(place), end: endOf(place), text: button.textContent.trim() },
    contrast: Math.min(...[...document.body.querySelectorAll('*')].filter(isShownText).map(contrastOf)),
    brightness: [document.body, card.parentElement, card, card.querySelector('td')].map(behind).map(luminance),
    hasArabicFont: new Set(drawings).size === drawings.length && widthOf('ببب') < 2.5 * widthOf('ب'),
  };
})()`;

/** Looks at a mail in a window of this width. */
export async function lookAt(page: Page, html: string, width: number): Promise<MailLook> {
  await page.setViewportSize({ width, height: 700 });
  await page.setContent(html);
  return page.evaluate<MailLook>(LOOK);
}
