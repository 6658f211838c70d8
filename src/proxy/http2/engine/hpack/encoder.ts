/**
 * Heads and trailers of responses as field blocks (RFC 7541), written as text, one character per byte. Lines that come
 * again and again are put into the dynamic table the second time they are seen; values are not Huffman-coded, which
 * would save a fifth of the bytes that the table does not, and cost more than all the rest of a head.
 */
import { trimSpace } from '../../../http1/characters.ts';
import { ENTRY_OVERHEAD } from './field.ts';
import { FIRST_DYNAMIC, staticNames, staticTable } from './static-table.ts';

/** More than what clients offer by default is not used. */
const MAX_TABLE_BYTES = 4_096;
/** Longer lines are not worth their place in the table. */
const MAX_INDEXED_BYTES = 256;
/** A longer head is not kept: it would stay in memory for as long as its connection is idle. */
const MAX_KEPT_BYTES = 4_096;
/** Lines that were seen once; when there are so many, all are forgotten. */
const MAX_SEEN = 64;

export interface Encoder {
  /** By line, its number in order of insertion. */
  readonly table: Map<string, number>;
  /** Lines in that order and their sizes, oldest first. */
  readonly lines: string[];
  readonly sizes: number[];
  inserted: number;
  size: number;
  tableBytes: number;
  /** The next block must begin with a change of the table's size; the smallest since the last block. */
  smallest: number;
  resized: boolean;
  readonly seen: Set<string>;
  /** The head written last and its block, as long as that would be the same again. */
  lastStatus: number;
  lastLines: string;
  lastBlock: string;
}

export function createEncoder(): Encoder {
  return {
    table: new Map(),
    lines: [],
    sizes: [],
    inserted: 0,
    size: 0,
    tableBytes: MAX_TABLE_BYTES,
    smallest: MAX_TABLE_BYTES,
    resized: false,
    seen: new Set(),
    lastStatus: 0,
    lastLines: '',
    lastBlock: '',
  };
}

/** To be called with SETTINGS_HEADER_TABLE_SIZE of the client. */
export function setTableSize(encoder: Encoder, bytes: number): void {
  const size = Math.min(bytes, MAX_TABLE_BYTES);
  if (size === encoder.tableBytes) return;
  encoder.smallest = encoder.resized ? Math.min(encoder.smallest, size) : size;
  encoder.resized = true;
  encoder.tableBytes = size;
  encoder.lastBlock = '';
  evict(encoder, encoder.smallest);
}

/** A block for field lines, each with its CRLF; `status` 0 writes none. */
export function encodeHead(encoder: Encoder, status: number, lines: string): string {
  if (encoder.lastBlock !== '' && status === encoder.lastStatus && lines === encoder.lastLines)
    return encoder.lastBlock;
  const { inserted, seen } = encoder;
  const news = seen.size;
  const updates = sizeUpdates(encoder);
  const block = (status === 0 ? '' : statusOf(status)) + encodeLines(encoder, lines);
  const isSettled = encoder.inserted === inserted && seen.size === news && lines.length <= MAX_KEPT_BYTES;
  encoder.lastStatus = status;
  encoder.lastLines = isSettled ? lines : '';
  encoder.lastBlock = isSettled ? block : '';
  return updates + block;
}

/** Section 4.2: the smallest size that was in force, then the one that is. */
function sizeUpdates(encoder: Encoder): string {
  if (!encoder.resized) return '';
  encoder.resized = false;
  const { smallest, tableBytes } = encoder;
  return (smallest < tableBytes ? integer(smallest, 5, 0x20) : '') + integer(tableBytes, 5, 0x20);
}

function encodeLines(encoder: Encoder, lines: string): string {
  let block = '';
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at);
    block += encodeLine(encoder, lines.slice(at, end));
    at = end + 2;
  }
  return block;
}

function encodeLine(encoder: Encoder, line: string): string {
  const number = encoder.table.get(line);
  if (number !== undefined) return integer(FIRST_DYNAMIC + encoder.inserted - 1 - number, 7, 0x80);
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).toLowerCase();
  if (hopNames.has(name)) return '';
  const value = trimSpace(line, colon + 1);
  if (sensitive.has(name)) return literal(name, value, 4, 0x10);
  if (line.length > MAX_INDEXED_BYTES || !isSeen(encoder, line)) return literal(name, value, 4, 0);
  const size = name.length + value.length + ENTRY_OVERHEAD;
  if (size > encoder.tableBytes) return literal(name, value, 4, 0);
  const bytes = literal(name, value, 6, 0x40);
  insert(encoder, line, size);
  return bytes;
}

/** RFC 9113 section 8.2.2: a route may have been told to add them. */
const hopNames = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
/** RFC 7541 section 7.1.3: nobody on the way is to put them into a table either. */
const sensitive = new Set(['set-cookie', 'authorization', 'proxy-authorization', 'cookie']);

/** Whether a line was seen before; remembers it. */
function isSeen({ seen }: Encoder, line: string): boolean {
  if (seen.delete(line)) return true;
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.add(line);
  return false;
}

function insert(encoder: Encoder, line: string, size: number): void {
  evict(encoder, encoder.tableBytes - size);
  encoder.table.set(line, encoder.inserted++);
  encoder.lines.push(line);
  encoder.sizes.push(size);
  encoder.size += size;
}

/** Drops the oldest entries until no more than `bytes` are left. */
function evict(encoder: Encoder, bytes: number): void {
  while (encoder.size > bytes) {
    encoder.table.delete(encoder.lines.shift()!);
    encoder.size -= encoder.sizes.shift()!;
  }
}

const char = String.fromCharCode;

/** Section 5.1. */
function integer(value: number, prefixBits: number, flags: number): string {
  const most = (1 << prefixBits) - 1;
  if (value < most) return char(flags | value);
  let text = char(flags | most);
  let rest = value - most;
  for (; rest >= 128; rest >>= 7) text += char((rest & 127) | 128);
  return text + char(rest);
}

function literal(name: string, value: string, prefixBits: number, flags: number): string {
  const index = staticNames.get(name);
  const head =
    index === undefined ? char(flags) + integer(name.length, 7, 0) + name : integer(index, prefixBits, flags);
  return head + integer(value.length, 7, 0) + value;
}

const statuses = new Map<number, string>(
  staticTable.flatMap(([name, value], i): [number, string][] =>
    name === ':status' ? [[Number(value), integer(i + 1, 7, 0x80)]] : [],
  ),
);

/** Of at most 900 statuses. */
function statusOf(status: number): string {
  let block = statuses.get(status);
  if (block === undefined) {
    block = literal(':status', String(status), 4, 0);
    statuses.set(status, block);
  }
  return block;
}
