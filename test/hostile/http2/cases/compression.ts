/** RFC 7541 and RFC 9113 section 4.3: field blocks that cannot be decoded, and that must be although nobody wants them. */
import { answered, ask, breaks, END, end, get, type Http2Case, malformed, open } from '../case.ts';
import { code, data, headers, reset, setting, settings } from '../frames.ts';
import { FIRST_DYNAMIC, indexed, integer, literal, neverIndexed, remembered, string, tableSize } from '../hpack.ts';
import { bitsOf, EOS, packed } from '../huffman.ts';

/** A request whose block ends with these bytes. */
const ending = (...bytes: readonly Buffer[]) => [headers(1, Buffer.concat([get(), ...bytes]), END)];
const starting = (...bytes: readonly Buffer[]) => [headers(1, Buffer.concat([...bytes, get()]), END)];
const raw = (...values: readonly number[]) => Buffer.from(values);
const huffmanValue = (bits: string) => {
  const bytes = packed(bits);
  return Buffer.concat([raw(0x00), string('x-a'), integer(bytes.length, 7, 0x80), bytes]);
};
const letters = (text: string) => bitsOf(Buffer.from(text));

const broken: readonly Http2Case[] = (
  [
    ['2.3.3', 'an index beyond the tables', ending(indexed(FIRST_DYNAMIC))],
    ['2.3.3', 'an index far beyond the tables', ending(indexed(4_000_000))],
    ['2.3.3', 'a name with an index beyond the tables', ending(literal(FIRST_DYNAMIC + 8, 'x'))],
    ['6.1', 'index 0', ending(indexed(0))],
    ['5.1', 'an integer that never ends', ending(raw(0xff), Buffer.alloc(40, 0xff))],
    ['5.1', 'an integer above 2^32', ending(indexed(2 ** 36))],
    ['5.1', 'an integer padded with zeros beyond any use', ending(raw(0xff), Buffer.alloc(40, 0x80), raw(0))],
    ['5.1', 'an integer without its end', ending(raw(0xff))],
    ['5.2', 'a string without its end', ending(raw(0x00, 0x05, 0x61))],
    ['5.2', 'a string of 2^31 bytes', ending(raw(0x00), integer(2 ** 31, 7), raw(0x61))],
    ['5.2', 'a name without its value', ending(raw(0x00), string('x-a'))],
    ['5.2', 'Huffman: padding of 8 bits', ending(huffmanValue(`${letters('a00')}${'1'.repeat(9)}`))],
    ['5.2', 'Huffman: padding of zeros', ending(huffmanValue(`${letters('a')}000`))],
    ['5.2', 'Huffman: padding of zeros and ones', ending(huffmanValue(`${letters('a')}110`))],
    ['5.2', 'Huffman: EOS', ending(huffmanValue(`${letters('a')}${bitsOf([EOS])}11111`))],
    ['5.2', 'Huffman: nothing but a byte of padding', ending(huffmanValue('11111111'))],
    ['4.2', 'a table size above the bound', starting(tableSize(2 ** 20))],
    ['4.2', 'a table size behind a field', ending(tableSize(0), literal('x-a', 'b'))],
    ['4.2', 'a table size at the end', ending(tableSize(4_096))],
    [
      '2.3.2',
      'an entry that a smaller table has dropped',
      [headers(1, Buffer.concat([tableSize(0), remembered('x-a', 'b'), indexed(FIRST_DYNAMIC), get()]), END)],
    ],
  ] as const
).map(([section, name, steps]) => breaks(`7541 ${section}`, name, steps, [code.compression]));

const saved = remembered('x-saved', 'yes');
const savedTwice = [{ has: ['x-saved: yes'] }, { has: ['x-saved: yes'] }];
const useSaved = (stream: number) => headers(stream, Buffer.concat([get(), indexed(FIRST_DYNAMIC)]), END);

const sound: readonly Http2Case[] = [
  answered('7541 4.2', 'a smaller table and a larger one', starting(tableSize(0), tableSize(4_096))),
  answered(
    '7541 2.3.2',
    'a field from the dynamic table',
    [headers(1, Buffer.concat([get(), saved]), END), end(1), useSaved(3)],
    savedTwice,
    {
      stream: 3,
    },
  ),
  answered('7541 6.2.3', 'a field that is never indexed', ending(neverIndexed('x-a', 'b')), [{ has: ['x-a: b'] }]),
  answered('7541 5.2', 'a string in Huffman code', ending(literal('x-a', 'b, c', 'huffman')), [{ has: ['x-a: b, c'] }]),
  answered('7541 A', 'a request out of the static table', [
    headers(1, Buffer.concat([indexed(2), indexed(4), indexed(6), literal(1, 'a')]), END),
  ]),
  breaks(
    '9113 4.3',
    'a field block that ends inside a field',
    [headers(1, get().subarray(0, -1), END)],
    [code.compression],
  ),
  breaks(
    '9113 4.3',
    'trailers that cannot be decoded',
    [open(1), data(1, 'x'), headers(1, indexed(0), END)],
    [code.compression],
  ),
];

/** Blocks that must be decoded so that the tables stay equal. */
const kept: readonly Http2Case[] = [
  {
    ...malformed('9113 4.3', 'a malformed request fills the table', [
      headers(1, Buffer.concat([get(), saved, literal('X-Upper', 'x')]), END),
      useSaved(3),
      end(3),
    ]),
    seen: [{ has: ['x-saved: yes'] }],
  },
  answered(
    '9113 5.1',
    'HEADERS of a stream that was reset fill the table',
    [open(1), reset(1), headers(1, Buffer.concat([literal('x-b', 'c'), saved]), END), useSaved(3)],
    [{ has: ['x-saved: yes'] }],
    { stream: 3 },
  ),
  answered(
    '9113 8.1',
    'trailers fill the table',
    [open(1), data(1, 'x'), headers(1, saved, END), end(1), useSaved(3)],
    [{}, { has: ['x-saved: yes'] }],
    { stream: 3 },
  ),
  answered(
    '9113 4.3.1',
    'a table of the size that the server has set',
    [
      (peer) => {
        const size = peer.settings.get(setting.tableSize) ?? 4_096;
        return headers(1, Buffer.concat([tableSize(size), get(), saved]), END);
      },
      end(1),
      useSaved(3),
    ],
    savedTwice,
    { stream: 3 },
  ),
  answered(
    '9113 6.5.2',
    'a response after the table has been made smaller',
    [settings([setting.tableSize, 64]), ask(1), end(1), ask(3)],
    [{}, {}],
    { stream: 3 },
  ),
];

export const compression: readonly Http2Case[] = [...broken, ...sound, ...kept];
