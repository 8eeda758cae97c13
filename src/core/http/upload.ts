import { type Request, type Response } from 'express';
import multer, { MulterError } from 'multer';
import { badRequest, Problem } from './problem.js';

/** The content type of a form with a file. */
export const FORM = 'multipart/form-data';

/**
 * Reads the one file of a form, from its field `file`, into memory.
 * @throws Problem 400 where there is no such file or the form is malformed, 413 where it is larger than `maxBytes`
 */
export async function readUpload(request: Request, response: Response, maxBytes: number): Promise<Buffer> {
  const read = multer({
    storage: multer.memoryStorage(),
    limits: { fileSize: maxBytes, files: 1, fields: 0, parts: 1, headerPairs: 20, fieldNameSize: 50 },
  }).single('file');
  await new Promise<void>((resolve, reject) => {
    void read(request, response, (error: unknown) => {
      if (error === undefined || error === null) resolve();
      else reject(problemOf(error, maxBytes));
    });
  });
  if (!request.file || request.file.size === 0) {
    throw badRequest('FILE_REQUIRED', 'The form needs a file in its field "file".');
  }
  return request.file.buffer;
}

function problemOf(error: unknown, maxBytes: number): Problem {
  if (error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE') {
    const detail = `The file is larger than ${Math.floor(maxBytes / 1_048_576)} MB.`;
    return new Problem({ status: 413, code: 'FILE_TOO_LARGE', detail, cause: error });
  }
  // Whatever else the parser minds is the form's fault.
  return new Problem({
    status: 400,
    code: 'MALFORMED_FORM',
    detail: 'The body must be a form with one file, in its field "file".',
    cause: error,
  });
}
