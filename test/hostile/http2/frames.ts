/** Frames of RFC 9113 section 4.1, made and taken apart; they can be made wrong in every way. */

export const type = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Section 7. */
export const code = {
  none: 0x0,
  protocol: 0x1,
  internal: 0x2,
  flowControl: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSize: 0x6,
  refused: 0x7,
  cancel: 0x8,
  compression: 0x9,
  connect: 0xa,
  calm: 0xb,
} as const;

/** Section 6.5.2. */
export const setting = {
  tableSize: 0x1,
  push: 0x2,
  maxStreams: 0x3,
  window: 0x4,
  maxFrame: 0x5,
  maxHeaderList: 0x6,
} as const;

/** Section 3.4. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** Sections 6.5.2 and 6.9.2: what holds until SETTINGS say otherwise. */
export const INITIAL_WINDOW = 65_535;
export const SMALLEST_MAX_FRAME = 16_384;
export const MAX_WINDOW = 2 ** 31 - 1;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** `length` is what the header says, where it lies. */
export function frame(kind: number, flags: number, stream: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = kind;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

/** Puts a payload between its Pad Length and `bytes` of padding. */
export const padded = (payload: Buffer, bytes: number) =>
  Buffer.concat([Buffer.from([bytes]), payload, Buffer.alloc(bytes)]);

export const data = (stream: number, body: string | Buffer = '', flags = 0) =>
  frame(type.data, flags, stream, Buffer.from(body as string, 'latin1'));
/** Ends its block, and not the stream, unless told otherwise. */
export const headers = (stream: number, fieldBlock: Buffer, flags: number = flag.endHeaders) =>
  frame(type.headers, flags, stream, fieldBlock);
export const continuation = (stream: number, fieldBlock: Buffer, flags: number = flag.endHeaders) =>
  frame(type.continuation, flags, stream, fieldBlock);
/** Section 6.3: dependency with its E bit, and weight less one. */
export const priorityFields = (dependency: number, weight = 15, exclusive = false) =>
  Buffer.concat([uint32(dependency + (exclusive ? 2 ** 31 : 0)), Buffer.from([weight])]);
export const priority = (stream: number, dependency: number) =>
  frame(type.priority, 0, stream, priorityFields(dependency));
export const reset = (stream: number, why: number = code.cancel) => frame(type.rstStream, 0, stream, uint32(why));
export type Setting = readonly [id: number, value: number];
export const settings = (...pairs: readonly Setting[]) =>
  frame(
    type.settings,
    0,
    0,
    Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)]))),
  );
export const settingsAck = frame(type.settings, flag.ack, 0, Buffer.alloc(0));
export const ping = (payload: string, flags = 0) => frame(type.ping, flags, 0, Buffer.from(payload, 'latin1'));
export const goaway = (last: number, why: number, debug = '') =>
  frame(type.goaway, 0, 0, Buffer.concat([uint32(last), uint32(why), Buffer.from(debug)]));
export const windowUpdate = (stream: number, increment: number) =>
  frame(type.windowUpdate, 0, stream, uint32(increment));
export const pushPromise = (stream: number, promised: number, fieldBlock: Buffer) =>
  frame(type.pushPromise, flag.endHeaders, stream, Buffer.concat([uint32(promised), fieldBlock]));

/** Cuts a stream of bytes into frames. */
export function createFrameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 9) {
      const end = 9 + rest.readUIntBE(0, 3);
      if (rest.length < end) return;
      const [kind, flags] = [rest[3]!, rest[4]!];
      const stream = rest.readUInt32BE(5) & MAX_WINDOW;
      const payload = rest.subarray(9, end);
      rest = rest.subarray(end);
      onFrame({ type: kind, flags, stream, payload });
    }
  };
}

export const textOf = (names: Readonly<Record<string, number>>, value: number) =>
  Object.entries(names).find(([, one]) => one === value)?.[0] ?? `0x${value.toString(16)}`;
