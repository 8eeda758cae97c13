import { type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import express, { type Request, type Response } from 'express';

/**
 * Reads a body as it came, into memory: for what is signed as a whole, or is no JSON.
 * @throws Error that is answered with 413 where it is larger than `maxBytes`
 */
export async function readRaw(request: Request, response: Response, maxBytes: number): Promise<Buffer> {
  // The route has looked at the content type.
  const read = promisify<IncomingMessage, ServerResponse>(express.raw({ limit: maxBytes, type: () => true }));
  await read(request, response);
  return request.body as Buffer;
}
