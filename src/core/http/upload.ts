import { type Request, type Response } from 'express';
import multer, { MulterError } from 'multer';
import { type Limit } from './limits.js';
import { fieldErrors, validationFailed } from './problem-mapping.js';
import { badRequest, Problem } from './problem.js';
import { childrenOf, type Schema } from './schema.js';

/** The content type of a form with a file. */
export const FORM = 'multipart/form-data';

/** Whatever a user uploads counts together. */
export const uploads: Limit = { name: 'uploads', points: 20, seconds: 3_600 };

const LONGEST_FIELD_BYTES = 4_096;

/** The file of a form, and what stands beside it. */
export interface UploadedForm<T> {
  file: Buffer;
  /** What the sender calls it: to be shown, and never a path. */
  name: string;
  fields: T;
}

/**
 * Reads the one file of a form, from its field `file`, into memory.
 * @throws Problem 400 where there is no such file or the form is malformed, 413 where it is larger than `maxBytes`
 */
export async function readUpload(request: Request, response: Response, maxBytes: number): Promise<Buffer> {
  return (await read(request, response, { maxBytes, mostFields: 0 })).file;
}

/**
 * Reads a form with one file, in its field `file`, and the fields of a shape; their values are strings.
 * @throws Problem 400 where it does not fit or is malformed, 413 where the file is larger than `maxBytes`
 */
export async function readForm<T>(
  request: Request,
  response: Response,
  { maxBytes, fields }: { maxBytes: number; fields: Schema<T> },
): Promise<UploadedForm<T>> {
  const form = await read(request, response, { maxBytes, mostFields: childrenOf(fields).length });
  const checked = fields.validate({ ...form.fields }, { abortEarly: false, errors: { label: false } });
  if (checked.error) throw validationFailed(fieldErrors(checked.error, 'body'));
  return { ...form, fields: checked.value };
}

async function read(
  request: Request,
  response: Response,
  { maxBytes, mostFields }: { maxBytes: number; mostFields: number },
): Promise<UploadedForm<object>> {
  const parse = multer({
    storage: multer.memoryStorage(),
    // Names that are not ASCII are sent as they are.
    defParamCharset: 'utf8',
    limits: {
      ...{ fileSize: maxBytes, files: 1, parts: 1 + mostFields, fields: mostFields },
      ...{ headerPairs: 20, fieldNameSize: 50, fieldSize: LONGEST_FIELD_BYTES },
    },
  }).single('file');
  await new Promise<void>((resolve, reject) => {
    void parse(request, response, (error: unknown) => {
      if (error === undefined || error === null) resolve();
      else reject(problemOf(error, maxBytes));
    });
  });
  const { file } = request;
  const fields: unknown = request.body;
  if (!file || file.size === 0) throw badRequest('FILE_REQUIRED', 'The form needs a file in its field "file".');
  return { file: file.buffer, name: file.originalname, fields: fields ?? {} };
}

function problemOf(error: unknown, maxBytes: number): Problem {
  if (error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE') return fileTooLarge(maxBytes, error);
  // Whatever else the parser minds is the form's fault.
  return new Problem({
    status: 400,
    code: 'MALFORMED_FORM',
    detail: 'The body must be a form with one file, in its field "file", and nothing that this route does not take.',
    cause: error,
  });
}

/** 413: more bytes than this kind of file may have. */
export function fileTooLarge(maxBytes: number, cause?: unknown): Problem {
  const detail = `The file is larger than ${Math.floor(maxBytes / 1_048_576)} MB.`;
  return new Problem({ status: 413, code: 'FILE_TOO_LARGE', detail, cause });
}
