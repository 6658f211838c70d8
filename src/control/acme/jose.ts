/** Signatures of requests (RFC 7515, RFC 7638) with the one algorithm that every ACME server takes: ES256. */
import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** Public key of an account. Its members are in the order that thumbprints want (RFC 7638 section 3). */
export interface Jwk {
  readonly crv: 'P-256';
  readonly kty: 'EC';
  readonly x: string;
  readonly y: string;
}

/** Flattened JSON serialization. */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

export function jwkOf(key: KeyObject): Jwk {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { crv: 'P-256', kty: 'EC', x, y };
}

/** SHA-256 thumbprint, base64url. */
export function thumbprint(jwk: Jwk): string {
  return createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
}

const encodeJson = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** `payload` undefined: the empty one of POST-as-GET (RFC 8555 section 6.3). */
export function signJws(key: KeyObject, header: object, payload: unknown): Jws {
  const head = encodeJson({ alg: 'ES256', ...header });
  const body = payload === undefined ? '' : encodeJson(payload);
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' });
  return { protected: head, payload: body, signature: signature.toString('base64url') };
}

/** Binds an account to one that the CA knows otherwise (RFC 8555 section 7.3.4). `macKey`: base64url, as CAs give it. */
export function externalBinding(macKey: string, keyId: string, url: string, jwk: Jwk): Jws {
  const head = encodeJson({ alg: 'HS256', kid: keyId, url });
  const payload = encodeJson(jwk);
  const signature = createHmac('sha256', Buffer.from(macKey, 'base64url')).update(`${head}.${payload}`);
  return { protected: head, payload, signature: signature.digest('base64url') };
}
