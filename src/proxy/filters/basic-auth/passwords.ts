/** Hashes of passwords as htpasswd files have them. */
import { createHash, getFips, timingSafeEqual } from 'node:crypto';

export interface PasswordHash {
  /** As in the file. */
  readonly text: string;
  /**
   * What checking costs: microseconds, about a millisecond, or (bcrypt) up to seconds, which `PasswordChecks.compare`
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
  if (hash.startsWith('$apr1$')) return parseApr1(hash);
  if (hash.startsWith('$2')) return parseBcrypt(hash);
  return 'is none of bcrypt, apr1 and {SHA}: use htpasswd -B';
}

function parseBcrypt(hash: string): PasswordHash | string {
  const [, cost] = /^\$2[aby]\$([0-9]{2})\$[./0-9A-Za-z]{53}$/.exec(hash) ?? [];
  if (cost === undefined) return 'is not a whole bcrypt hash ($2y$, $2a$ or $2b$)';
  if (Number(cost) < 4) return 'is not a whole bcrypt hash: its cost is less than 4';
  if (Number(cost) > MAX_BCRYPT_COST)
    return `is a bcrypt hash of cost ${Number(cost)}, which takes too long: use htpasswd -B -C ${MAX_BCRYPT_COST} or less`;
  return { text: hash, cost: 'much', verify: () => false };
}

function parseSha(text: string): PasswordHash | string {
  const expected = Buffer.from(text, 'base64');
  if (expected.length !== 20) return 'is not a whole {SHA} hash';
  return {
    text,
    cost: 'none',
    verify: (password) => timingSafeEqual(createHash('sha1').update(password).digest(), expected),
  };
}

function parseApr1(hash: string): PasswordHash | string {
  const [, salt, digest] = /^\$apr1\$([^$]{1,8})\$([./0-9A-Za-z]{22})$/.exec(hash) ?? [];
  if (salt === undefined || digest === undefined) return 'is not a whole apr1 hash';
  if (getFips() === 1) return 'is an apr1 hash, whose MD5 this system forbids (FIPS)';
  const expected = Buffer.from(digest, 'latin1');
  return {
    text: hash,
    cost: 'some',
    verify: (password) => timingSafeEqual(Buffer.from(apr1(password, Buffer.from(salt, 'utf8')), 'latin1'), expected),
  };
}

const md5 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The MD5-based hash of Apache (apr_md5.c), which is that of FreeBSD's crypt with another name in it. */
function apr1(password: Buffer, salt: Buffer): string {
  const inner = md5(password, salt, password);
  const parts: Buffer[] = [password, Buffer.from('$apr1$'), salt];
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
