/** The part of http_ece that is used; the package ships no types. */
declare module 'http_ece' {
  import { type ECDH } from 'node:crypto';

  const ece: {
    decrypt(body: Buffer, params: { version: 'aes128gcm'; privateKey: ECDH; authSecret: string }): Buffer;
  };
  export default ece;
}
