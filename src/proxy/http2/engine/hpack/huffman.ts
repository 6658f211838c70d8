/** The Huffman code of RFC 7541 appendix B, decoded half a byte at a time by a table of states. */

/** Bits of the code of each byte, in rows of 32, and of EOS. The code is canonical: the lengths say all of it. */
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

const EOS = 256;

/** A node of the code's tree: two children, or a symbol. */
interface Node {
  readonly children: (Node | undefined)[];
  symbol: number;
  /** Number of an inner node. */
  state: number;
  /** A string may end here: padding of fewer than eight ones (section 5.2). */
  accepts: boolean;
}

const createNode = (): Node => ({ children: [undefined, undefined], symbol: -1, state: -1, accepts: false });

function createTree(): Node {
  const root = createNode();
  const order = lengths.map((_, symbol) => symbol).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  let code = 0;
  let length = 0;
  for (const symbol of order) {
    code *= 2 ** (lengths[symbol]! - length);
    length = lengths[symbol]!;
    addSymbol(root, symbol, code, length);
    code++;
  }
  return root;
}

function addSymbol(root: Node, symbol: number, code: number, length: number): void {
  let node = root;
  for (let bit = length - 1; bit >= 0; bit--) {
    const side = Math.floor(code / 2 ** bit) % 2;
    node.children[side] ??= createNode();
    node = node.children[side]!;
  }
  node.symbol = symbol;
}

/** Inner nodes, the root first; marks those that a string may end at. */
function numberStates(root: Node): Node[] {
  const states: Node[] = [];
  const visit = (node: Node) => {
    if (node.symbol >= 0) return;
    node.state = states.push(node) - 1;
    for (const child of node.children) if (child) visit(child);
  };
  visit(root);
  let node: Node | undefined = root;
  for (let depth = 0; depth < 8 && node; depth++) {
    node.accepts = true;
    node = node.children[1];
  }
  return states;
}

/** Of an entry: the next state, then these, then the symbol in the upper bits. */
const EMITS = 1 << 8;
const ACCEPTS = 1 << 9;
const FAILS = 1 << 10;
const SYMBOL_SHIFT = 16;

/** 16 entries per state. No code is shorter than five bits, so four of them bring one symbol at most. */
const table: Int32Array = (() => {
  const root = createTree();
  const states = numberStates(root);
  const entries = new Int32Array(states.length * 16);
  states.forEach((from, state) => {
    for (let nibble = 0; nibble < 16; nibble++) entries[state * 16 + nibble] = step(root, from, nibble);
  });
  return entries;
})();

function step(root: Node, from: Node, nibble: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = node.children[(nibble >> bit) & 1]!;
    if (node.symbol === EOS) return FAILS;
    if (node.symbol < 0) continue;
    emitted = EMITS | (node.symbol << SYMBOL_SHIFT);
    node = root;
  }
  return node.state | emitted | (node.accepts ? ACCEPTS : 0);
}

/** Grows with the longest string seen, which the bound on field blocks bounds. */
let scratch = Buffer.allocUnsafeSlow(4_096);

/** The text, one character per byte, of the code in `bytes[start, end)`; undefined when it is malformed. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  // Five bits are the shortest code.
  const most = Math.ceil(((end - start) * 8) / 5);
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most * 2);
  let length = 0;
  let entry = ACCEPTS;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    entry = table[((entry & 255) << 4) | (byte >> 4)]!;
    if (entry & EMITS) scratch[length++] = entry >> SYMBOL_SHIFT;
    if (entry & FAILS) return undefined;
    entry = table[((entry & 255) << 4) | (byte & 15)]!;
    if (entry & EMITS) scratch[length++] = entry >> SYMBOL_SHIFT;
    if (entry & FAILS) return undefined;
  }
  return entry & ACCEPTS ? scratch.toString('latin1', 0, length) : undefined;
}
