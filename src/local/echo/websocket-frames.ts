/** Frames of WebSockets (RFC 6455 section 5): an incremental reader for a server, and a writer. */

export type Opcode = 0 | 1 | 2 | 8 | 9 | 10;

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly fin: boolean;
  readonly opcode: Opcode;
  /** Unmasked. */
  readonly payload: Buffer;
}

/** A broken connection, with the status code to close it with (RFC 6455 section 7.4.1). */
export interface FrameError {
  readonly code: 1002 | 1009;
  readonly reason: string;
}

export type FrameResult =
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'error'; readonly error: FrameError }
  | { readonly type: 'more' };

export interface FrameReader {
  push(chunk: Buffer): void;
  /** The next whole frame; `more` when bytes are missing. */
  next(): FrameResult;
}

const known: ReadonlySet<number> = new Set(Object.values(opcodes));
const more: FrameResult = { type: 'more' };

function broken(code: FrameError['code'], reason: string): FrameResult {
  return { type: 'error', error: { code, reason } };
}

/** Holds at most one frame of `maxPayload` bytes and what came with its last chunk. */
export function createFrameReader(maxPayload: number): FrameReader {
  let chunks: Buffer[] = [];
  let available = 0;

  function joined(): Buffer {
    if (chunks.length !== 1) chunks = [Buffer.concat(chunks)];
    return chunks[0]!;
  }

  return {
    push(chunk) {
      chunks.push(chunk);
      available += chunk.length;
    },
    next() {
      if (available < 2) return more;
      const head = readHead(joined());
      if ('error' in head) return { type: 'error', error: head.error };
      if (head.length === undefined) return more;
      if (head.length > maxPayload) return broken(1009, `frames are limited to ${maxPayload} bytes`);
      const end = head.size + head.length;
      if (available < end) return more;
      const bytes = joined();
      const payload = unmask(bytes.subarray(head.size, end), bytes.subarray(head.size - 4, head.size));
      chunks = [bytes.subarray(end)];
      available -= end;
      return { type: 'frame', frame: { fin: head.fin, opcode: head.opcode, payload } };
    },
  };
}

interface Head {
  readonly fin: boolean;
  readonly opcode: Opcode;
  /** Bytes of the head with its masking key. */
  readonly size: number;
  /** Of the payload; undefined while the head is incomplete. */
  readonly length: number | undefined;
}

function readHead(bytes: Buffer): Head | { error: FrameError } {
  const [first, second] = [bytes[0]!, bytes[1]!];
  const opcode = first & 15;
  const fin = (first & 128) !== 0;
  const short = second & 127;
  const refuse = (reason: string) => ({ error: { code: 1002 as const, reason } });
  if ((first & 112) !== 0) return refuse('reserved bits are set');
  if (!known.has(opcode)) return refuse(`unknown opcode ${opcode}`);
  if ((second & 128) === 0) return refuse('frames of a client must be masked');
  if (opcode >= 8 && (!fin || short > 125)) return refuse('control frames are short and whole');

  const extended = { 126: 2, 127: 8 }[short] ?? 0;
  const size = 2 + extended + 4;
  const length = bytes.length < size ? undefined : readLength(bytes, short);
  return { fin, opcode: opcode as Opcode, size, length };
}

function readLength(bytes: Buffer, short: number): number {
  if (short === 126) return bytes.readUInt16BE(2);
  return short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
}

function unmask(payload: Buffer, key: Buffer): Buffer {
  const clear = Buffer.allocUnsafe(payload.length);
  for (let i = 0; i < payload.length; i++) clear[i] = payload[i]! ^ key[i & 3]!;
  return clear;
}

/** A frame of a server, unmasked. */
export function encodeFrame({ fin, opcode, payload }: Frame): Buffer {
  const first = (fin ? 128 : 0) | opcode;
  if (payload.length < 126) return Buffer.concat([Buffer.of(first, payload.length), payload]);
  const head = payload.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = first;
  head[1] = head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  else head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 123);
  const payload = Buffer.alloc(2 + text.length);
  payload.writeUInt16BE(code);
  text.copy(payload, 2);
  return payload;
}

/** Codes that may be sent over the wire (RFC 6455 section 7.4). */
export function isCloseCode(code: number): boolean {
  return (code >= 3000 && code <= 4999) || (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code));
}
