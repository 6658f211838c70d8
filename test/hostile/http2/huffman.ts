/** The Huffman code of RFC 7541 appendix B. It is canonical, so the lengths of its codes say all of it. */

/** Bits of the code of each byte, in rows of 32; the last one is EOS. */
const lengths: readonly number[] = [
  '13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28',
  '6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10',
  '13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6',
  '15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28',
  '20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24',
  '22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23',
  '26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27',
  '20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26',
  '30',
].flatMap((row) => row.split(' ').map(Number));

export const EOS = 256;

/** Code of each symbol as a string of 0 and 1. */
const codes: readonly string[] = (() => {
  const result: string[] = [];
  const order = lengths.map((_, symbol) => symbol).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  let next = 0;
  let length = 0;
  for (const symbol of order) {
    next *= 2 ** (lengths[symbol]! - length);
    length = lengths[symbol]!;
    result[symbol] = next.toString(2).padStart(length, '0');
    next++;
  }
  return result;
})();

const symbols = new Map(codes.map((code, symbol) => [code, symbol]));

/** Packs bits into bytes. */
export function packed(bits: string): Buffer {
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2)));
}

/** Bits of symbols, EOS among them if asked for. */
export const bitsOf = (wanted: Iterable<number>) => [...wanted].map((symbol) => codes[symbol]!).join('');

/** Padded with the beginning of EOS, as section 5.2 has it. */
export const huffman = (text: string) => packed(bitsOf(Buffer.from(text, 'latin1')));

/** Throws where section 5.2 calls it an error: EOS inside, padding that is too long or not made of ones. */
export function unhuffman(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const result: number[] = [];
  let start = 0;
  for (let end = 1; end <= bits.length; end++) {
    const symbol = symbols.get(bits.slice(start, end));
    if (symbol === undefined) continue;
    if (symbol === EOS) throw new Error('EOS inside a string');
    result.push(symbol);
    start = end;
  }
  if (!/^1{0,7}$/.test(bits.slice(start))) throw new Error('bad padding of a Huffman string');
  return Buffer.from(result).toString('latin1');
}
