// SHA-crypt (`$5$`, `$6$`), as crypt(3) has it: https://www.akkadia.org/drepper/SHA-crypt.txt. Plain JavaScript for the
// thread that computes it.
import { createHash, timingSafeEqual } from 'node:crypto';

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const usualRounds = 5000;

// Bytes of the digest that four letters stand for: each triple follows from the one before.
const kinds = {
  5: { algorithm: 'sha256', bytes: 32, triples: 10, turn: ([a, b, c]) => [c + 1, a + 1, b + 1], rest: [31, 30] },
  6: { algorithm: 'sha512', bytes: 64, triples: 21, turn: ([a, b, c]) => [b + 1, c + 1, a + 1], rest: [63] },
};

/** Whether `password` (text) is the one of a whole hash. */
export function isShaCrypt(password, hash) {
  const [, id, rounds, salt, digest] =
    /^\$([56])\$(?:rounds=([0-9]+)\$)?([^$]{0,16})\$([./0-9A-Za-z]+)$/.exec(hash) ?? [];
  if (id === undefined) return false;
  const kind = kinds[id];
  const made = encode(compute(kind, Buffer.from(password), Buffer.from(salt), Number(rounds ?? usualRounds)), kind);
  return made.length === digest.length && timingSafeEqual(Buffer.from(made), Buffer.from(digest));
}

function compute({ algorithm, bytes }, password, salt, rounds) {
  const digestOf = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest();
  const stretched = (digest, length) =>
    Buffer.concat(Array(Math.ceil(length / bytes)).fill(digest)).subarray(0, length);
  const inner = digestOf(password, salt, password);
  const parts = [password, salt, stretched(inner, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? inner : password);
  let digest = digestOf(...parts);
  const p = stretched(digestOf(...Array(password.length).fill(password)), password.length);
  const s = stretched(digestOf(...Array(16 + digest[0]).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    const isOdd = (round & 1) === 1;
    const middle = [...(round % 3 ? [s] : []), ...(round % 7 ? [p] : [])];
    digest = digestOf(isOdd ? p : digest, ...middle, isOdd ? digest : p);
  }
  return digest;
}

function encode(digest, { bytes, triples, turn, rest }) {
  const third = triples;
  let triple = [0, third, 2 * third];
  let text = '';
  for (let i = 0; i < triples; i++) {
    const [a, b, c] = triple;
    text += letters((digest[a] << 16) | (digest[b] << 8) | digest[c], 4);
    triple = turn(triple);
  }
  const value = rest.reduce((sum, at) => (sum << 8) | digest[at], 0);
  return text + letters(value, bytes === 32 ? 3 : 2);
}

function letters(value, count) {
  return Array.from({ length: count }, (_, i) => alphabet[(value >> (6 * i)) & 63]).join('');
}
