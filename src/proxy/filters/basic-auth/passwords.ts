/** Hashes of passwords as htpasswd files have them, with the schemes that nginx has added to those of Apache. */
import { createHash, getFips, timingSafeEqual } from 'node:crypto';

export interface PasswordHash {
  /** As in the file. */
  readonly text: string;
  /**
   * What checking costs: microseconds, about a millisecond, or (bcrypt, SHA-crypt) up to seconds, which `PasswordChecks.compare`
   * spends elsewhere.
   */
  readonly cost: 'none' | 'some' | 'much';
  /** Compares in a time that does not depend on where the difference is. Not for `much`. */
  readonly verify: (password: Buffer) => boolean;
}

/** Twice the time for each step; 14 takes about two seconds. */
const MAX_BCRYPT_COST = 14;

/** A hash ready to check passwords against, or why there is none. */
export function parseHash(hash: string): PasswordHash | string {
  if (hash.startsWith('{SHA}')) return parseSha(hash.slice(5));
  if (hash.startsWith('{SSHA}')) return parseSalted(hash.slice(6));
  if (hash.startsWith('{PLAIN}')) return parsePlain(hash.slice(7));
  if (hash.startsWith('$apr1$') || hash.startsWith('$1$')) return parseMd5(hash);
  if (hash.startsWith('$2')) return parseBcrypt(hash);
  if (hash.startsWith('$5$') || hash.startsWith('$6$')) return parseShaCrypt(hash);
  return 'is none of bcrypt, apr1, $1$, $5$, $6$, {SHA}, {SSHA} and {PLAIN}: use htpasswd -B';
}

function parseBcrypt(hash: string): PasswordHash | string {
  const [, cost] = /^\$2[aby]\$([0-9]{2})\$[./0-9A-Za-z]{53}$/.exec(hash) ?? [];
  if (cost === undefined) return 'is not a whole bcrypt hash ($2y$, $2a$ or $2b$)';
  if (Number(cost) < 4) return 'is not a whole bcrypt hash: its cost is less than 4';
  if (Number(cost) > MAX_BCRYPT_COST)
    return `is a bcrypt hash of cost ${Number(cost)}, which takes too long: use htpasswd -B -C ${MAX_BCRYPT_COST} or less`;
  return { text: hash, cost: 'much', verify: () => false };
}

const shaCryptDigest = { 5: 43, 6: 86 } as const;

/** The rounds that take as long as bcrypt of the cost above. */
const MAX_SHA_CRYPT_ROUNDS = 500_000;

function parseShaCrypt(hash: string): PasswordHash | string {
  const [, id, rounds = '5000', digest] =
    /^\$([56])\$(?:rounds=([1-9][0-9]{3,8})\$)?[^$]{0,16}\$([./0-9A-Za-z]+)$/.exec(hash) ?? [];
  if (digest?.length !== shaCryptDigest[id === '5' ? 5 : 6]) return 'is not a whole hash of SHA-crypt ($5$ or $6$)';
  if (Number(rounds) > MAX_SHA_CRYPT_ROUNDS)
    return `is a hash of SHA-crypt of ${rounds} rounds, which takes too long: use htpasswd -B`;
  return { text: hash, cost: 'much', verify: () => false };
}

function parseSha(text: string): PasswordHash | string {
  const expected = Buffer.from(text, 'base64');
  if (expected.length !== 20) return 'is not a whole {SHA} hash';
  return {
    text,
    cost: 'none',
    verify: (password) => timingSafeEqual(sha1(password), expected),
  };
}

const sha1 = (...parts: readonly Uint8Array[]) => digestOf('sha1', parts);
const md5 = (...parts: readonly Uint8Array[]) => digestOf('md5', parts);

function digestOf(algorithm: 'sha1' | 'sha256' | 'md5', parts: readonly Uint8Array[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const SHA1_BYTES = 20;
const MAX_SALT_BYTES = 64;

/** The digest of password and salt, with the salt behind it. */
function parseSalted(text: string): PasswordHash | string {
  const bytes = Buffer.from(text, 'base64');
  const salt = bytes.subarray(SHA1_BYTES);
  if (bytes.length < SHA1_BYTES || salt.length > MAX_SALT_BYTES) return 'is not a whole {SSHA} hash';
  const expected = bytes.subarray(0, SHA1_BYTES);
  return { text, cost: 'none', verify: (password) => timingSafeEqual(sha1(password, salt), expected) };
}

/** The password itself, which is not kept: digests have one length, whatever they are of. */
function parsePlain(text: string): PasswordHash {
  const expected = digestOf('sha256', [Buffer.from(text)]);
  const verify = (password: Buffer) => timingSafeEqual(digestOf('sha256', [password]), expected);
  return { text: expected.toString('base64'), cost: 'none', verify };
}

function parseMd5(hash: string): PasswordHash | string {
  const [, magic, salt, digest] = /^(\$apr1\$|\$1\$)([^$]{1,8})\$([./0-9A-Za-z]{22})$/.exec(hash) ?? [];
  if (magic === undefined || salt === undefined || digest === undefined) return 'is not a whole apr1 or $1$ hash';
  if (getFips() === 1) return 'is an apr1 or $1$ hash, whose MD5 this system forbids (FIPS)';
  const expected = Buffer.from(digest, 'latin1');
  return {
    text: hash,
    cost: 'some',
    verify: (password) =>
      timingSafeEqual(Buffer.from(md5Crypt(password, Buffer.from(salt, 'utf8'), magic), 'latin1'), expected),
  };
}

/** The MD5-based hash of FreeBSD's crypt (`$1$`), and of Apache (apr_md5.c), which has another name in it. */
function md5Crypt(password: Buffer, salt: Buffer, magic: string): string {
  const inner = md5(password, salt, password);
  const parts: Buffer[] = [password, Buffer.from(magic), salt];
  for (let left = password.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push(bits & 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  }
  let digest = md5(...parts);
  for (let round = 0; round < 1000; round++) {
    const odd = (round & 1) === 1;
    const middle = [...(round % 3 ? [salt] : []), ...(round % 7 ? [password] : [])];
    digest = md5(odd ? password : digest, ...middle, odd ? digest : password);
  }
  return encode(digest);
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const triples = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

function encode(digest: Buffer): string {
  const whole = triples.map(([a, b, c]) => letters((digest[a]! << 16) | (digest[b]! << 8) | digest[c]!, 4));
  return whole.join('') + letters(digest[11]!, 2);
}

function letters(value: number, count: number): string {
  return Array.from({ length: count }, (_, i) => alphabet[(value >> (6 * i)) & 63]).join('');
}
