import { createPublicKey, verify } from 'node:crypto';

/** What a request brings that SendGrid has signed. */
export interface SignedRequest {
  /** Base64 of a DER signature. */
  signature: string;
  /** As it stands in its header, since the signature is over that. */
  timestamp: string;
  body: Buffer;
}

/**
 * Checks what SendGrid has signed: ECDSA with P-256 and SHA-256 over the timestamp and the body as it came.
 * @param publicKey as SendGrid's settings show it: base64 of its DER form
 */
export function sendGridSignatures(publicKey: string): (request: SignedRequest) => boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  return ({ signature, timestamp, body }) =>
    verify('sha256', Buffer.concat([Buffer.from(timestamp), body]), key, Buffer.from(signature, 'base64'));
}
