import { strToU8, zipSync, type Zippable } from 'fflate';
import sharp from 'sharp';
import { type Answer, type Json } from './api.js';
import { type Person } from './campus.js';

/** An image of one colour. */
export function image(format: 'jpeg' | 'png' | 'webp' | 'gif' = 'png', width = 640, height = 480): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#3366cc' } })
    .toFormat(format)
    .toBuffer();
}

/** Images that nobody can show: one that is damaged, and one that unfolds into too many pixels. */
export async function unreadable(): Promise<Buffer[]> {
  const noise = Buffer.from(Array.from({ length: 200 * 200 * 3 }, (_, i) => (i * 7_919) % 251));
  const jpeg = await sharp(noise, { raw: { width: 200, height: 200, channels: 3 } })
    .jpeg()
    .toBuffer();
  const bomb = await sharp({
    create: { width: 7_200, height: 7_200, channels: 3, background: '#000000' },
    limitInputPixels: false,
  })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return [jpeg.subarray(0, jpeg.length / 2), bomb];
}

/** A PDF of one empty page, and with `inside` somewhere in it. */
export function pdf(inside = ''): Buffer {
  const objects = [
    '1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
    '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj',
    '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj',
  ];
  return Buffer.from(`%PDF-1.4\n${objects.join('\n')}\n% ${inside}\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n`);
}

const MAIN_PARTS = {
  docx: ['word/document.xml', 'wordprocessingml.document.main+xml'],
  pptx: ['ppt/presentation.xml', 'presentationml.presentation.main+xml'],
  xlsx: ['xl/workbook.xml', 'spreadsheetml.sheet.main+xml'],
} as const;

/** An Office file, and with more parts in it. */
export function office(kind: keyof typeof MAIN_PARTS, more: Zippable = {}): Buffer {
  const [part, type] = MAIN_PARTS[kind];
  const types = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/${part}" ContentType="application/vnd.openxmlformats-officedocument.${type}"/></Types>`;
  return Buffer.from(zipSync({ '[Content_Types].xml': strToU8(types), [part]: strToU8('<x/>'), ...more }));
}

export interface UploadChoices {
  type?: string;
  altText?: string;
  name?: string;
  more?: Record<string, string>;
}

/** Sends a form with a file. */
export async function upload(person: Person, file: Uint8Array, choices: UploadChoices = {}): Promise<Answer<Json>> {
  const { type = 'IMAGE', altText, name = '../../etc/passwd', more = {} } = choices;
  const form = new FormData();
  form.append('type', type);
  if (altText !== undefined) form.append('altText', altText);
  for (const [key, value] of Object.entries(more)) form.append(key, value);
  form.append('file', new Blob([new Uint8Array(file)]), name);
  const response = await fetch(`${person.api.url}/api/v1/media/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${person.token}` },
    body: form,
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Uploads a file that is taken, and answers with what it became. */
export async function uploaded(person: Person, file?: Uint8Array, choices: UploadChoices = {}): Promise<Json> {
  const { status, body } = await upload(person, file ?? (await image()), choices);
  if (status !== 201) throw new Error(`an upload was refused: ${JSON.stringify(body)}`);
  return body;
}

/** Follows a link, as a page does: without any token. */
export async function follow(person: Person, url: string): Promise<{ response: Response; body: Buffer }> {
  const response = await fetch(`${person.api.url}${url}`);
  return { response, body: Buffer.from(await response.arrayBuffer()) };
}
