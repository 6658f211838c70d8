/** A client that speaks HTTP/2 frame by frame, over TCP with prior knowledge or over TLS with ALPN. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Target } from '../http1/run.ts';
import {
  code,
  createFrameReader,
  type Frame,
  flag,
  INITIAL_WINDOW,
  PREFACE,
  type Setting,
  SMALLEST_MAX_FRAME,
  setting,
  settings,
  settingsAck,
  textOf,
  type,
} from './frames.ts';
import { createDecoder, type Field } from './hpack.ts';

export interface Place extends Target {
  readonly secure: boolean;
}

/** What has come back on a stream. */
export interface StreamView {
  /** Of the final response; 0 before. */
  status: number;
  readonly interim: number[];
  fields: readonly Field[];
  trailers: readonly Field[];
  /** One character per byte; only its beginning where it is long. */
  body: string;
  bodyBytes: number;
  ended: boolean;
  /** Code of RST_STREAM. */
  reset: number | undefined;
}

export interface Peer {
  readonly socket: Socket;
  /** What the server has set, defaults included where they matter. */
  readonly settings: Map<number, number>;
  /** How many frames of each type have come. */
  readonly counts: Map<number, number>;
  /** Type of the first frame that came. */
  firstFrame(): number | undefined;
  stream(id: number): StreamView;
  /** Payloads of PING frames with ACK. */
  readonly pongs: Set<string>;
  settingsAcks(): number;
  /** Code of the last GOAWAY. */
  goaway(): number | undefined;
  /** Codes of all of them. */
  readonly goaways: number[];
  /** The server has closed, or reset, the connection. */
  closed(): boolean;
  /** GOAWAY with an error, or closed. */
  over(): boolean;
  send(...bytes: readonly Buffer[]): void;
  /** SETTINGS are not acknowledged until `sendAcks`. */
  holdAcks(): void;
  sendAcks(): void;
  /** Resolves to whether it has come true in time. */
  until(test: () => boolean, timeoutMs?: number): Promise<boolean>;
  /** Closes without listening any further. */
  leave(): void;
  /** What is wrong with what the server sent, as far as it can be told: for people. */
  readonly faults: string[];
  /** Says in a line what has come. */
  summary(): string;
}

const KEPT_BODY = 4_096;

export function openSocket(from: string, place: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const at = { host: place.address, port: place.port, localAddress: from };
    const tcp = connect({ ...at, noDelay: true, allowHalfOpen: true });
    tcp.once('error', reject);
    if (!place.secure) {
      tcp.once('connect', () => resolve(tcp));
      return;
    }
    const tls = connectTls({ socket: tcp, ALPNProtocols: ['h2'], rejectUnauthorized: false, servername: 'a.example' });
    tls.once('error', reject);
    tls.once('secureConnect', () => {
      if (tls.alpnProtocol === 'h2') resolve(tls);
      else reject(new Error(`ALPN chose ${tls.alpnProtocol}`));
    });
  });
}

/** What a client sends first (section 3.4). */
export const greeting = (...pairs: readonly Setting[]) => Buffer.concat([PREFACE, settings(...pairs)]);

/** Listens on a connection; acknowledges SETTINGS, and sends nothing else by itself. */
export function createPeer(socket: Socket): Peer {
  const streams = new Map<number, StreamView>();
  const waiting = new Set<() => void>();
  const decode = createDecoder();
  const faults: string[] = [];
  const pongs = new Set<string>();
  const counts = new Map<number, number>();
  const known = new Map<number, number>([
    [setting.window, INITIAL_WINDOW],
    [setting.maxFrame, SMALLEST_MAX_FRAME],
  ]);
  let first: number | undefined;
  let acks = 0;
  let owed = 0;
  let held = false;
  const goaways: number[] = [];
  let closed = false;
  let fieldBlock: Buffer[] = [];
  let endsStream = false;

  const view = (id: number): StreamView => {
    let one = streams.get(id);
    if (!one) {
      one = {
        ...{ status: 0, interim: [], fields: [], trailers: [], body: '', bodyBytes: 0, ended: false },
        reset: undefined,
      };
      streams.set(id, one);
    }
    return one;
  };

  function onFields(id: number): void {
    const fields = decode(Buffer.concat(fieldBlock));
    fieldBlock = [];
    const one = view(id);
    const status = Number(fields.find(([name]) => name === ':status')?.[1] ?? 0);
    if (status >= 100 && status < 200) one.interim.push(status);
    else if (one.status === 0) Object.assign(one, { status, fields });
    else one.trailers = fields;
    if (endsStream) one.ended = true;
  }

  function onBlock({ stream, flags, payload }: Frame): void {
    fieldBlock.push(payload);
    if (flags & flag.endHeaders) onFields(stream);
  }

  const onFrame: Record<number, (frame: Frame) => void> = {
    [type.data]({ stream, flags, payload }) {
      const one = view(stream);
      const body = unpadded(flags, payload);
      one.bodyBytes += body.length;
      if (one.body.length < KEPT_BODY) one.body += body.toString('latin1', 0, KEPT_BODY);
      if (flags & flag.endStream) one.ended = true;
    },
    [type.headers](frame) {
      endsStream = (frame.flags & flag.endStream) !== 0;
      const body = unpadded(frame.flags, frame.payload);
      onBlock({ ...frame, payload: frame.flags & flag.priority ? body.subarray(5) : body });
    },
    [type.continuation]: onBlock,
    [type.rstStream]({ stream, payload }) {
      view(stream).reset = payload.readUInt32BE(0);
    },
    [type.settings]({ flags, payload }) {
      if (flags & flag.ack) {
        acks++;
        return;
      }
      for (let at = 0; at + 6 <= payload.length; at += 6)
        known.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
      owed++;
      if (!held) sendAcks();
    },
    [type.ping]({ flags, payload }) {
      if (flags & flag.ack) pongs.add(payload.toString('latin1'));
    },
    [type.goaway]({ payload }) {
      goaways.push(payload.readUInt32BE(4));
    },
    [type.pushPromise]() {
      faults.push('PUSH_PROMISE, which nobody has asked for');
    },
  };

  const read = createFrameReader((frame) => {
    first ??= frame.type;
    counts.set(frame.type, (counts.get(frame.type) ?? 0) + 1);
    try {
      onFrame[frame.type]?.(frame);
    } catch (error) {
      faults.push((error as Error).message);
    }
  });
  const look = () => {
    for (const check of [...waiting]) check();
  };
  const close = () => {
    closed = true;
    look();
  };
  socket.on('data', (chunk: Buffer) => {
    read(chunk);
    look();
  });
  socket.on('error', close);
  socket.on('end', close);
  socket.on('close', close);

  const send = (...bytes: readonly Buffer[]) => {
    if (!socket.destroyed && socket.writable) socket.write(Buffer.concat(bytes));
  };
  function sendAcks(): void {
    held = false;
    for (; owed > 0; owed--) send(settingsAck);
  }
  const peer: Peer = {
    ...{ socket, settings: known, counts, pongs, goaways, faults, send },
    firstFrame: () => first,
    stream: view,
    settingsAcks: () => acks,
    holdAcks() {
      held = true;
    },
    sendAcks,
    goaway: () => goaways.at(-1),
    closed: () => closed,
    over: () => closed || (goaways.at(-1) ?? code.none) !== code.none,
    until: (test, timeoutMs = 1_500) => waitFor(waiting, test, timeoutMs),
    leave() {
      socket.off('close', close);
      socket.off('end', close);
      socket.destroy();
    },
    summary: () => summaryOf(peer, streams),
  };
  return peer;
}

function unpadded(flags: number, payload: Buffer): Buffer {
  return flags & flag.padded ? payload.subarray(1, payload.length - payload[0]!) : payload;
}

function waitFor(waiting: Set<() => void>, test: () => boolean, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (outcome: boolean) => {
      clearTimeout(timer);
      waiting.delete(check);
      resolve(outcome);
    };
    const check = () => {
      if (test()) settle(true);
    };
    const timer = setTimeout(() => settle(test()), timeoutMs);
    waiting.add(check);
    check();
  });
}

function summaryOf(peer: Peer, streams: ReadonlyMap<number, StreamView>): string {
  const parts = [...streams].map(([id, { status, reset, ended }]) => {
    const answer = status > 0 ? ` ${status}${ended ? '' : ' unended'}` : '';
    return `${id}:${answer}${reset === undefined ? '' : ` reset ${textOf(code, reset)}`}${answer === '' && reset === undefined ? ' nothing' : ''}`;
  });
  parts.push(...peer.goaways.map((goaway) => `GOAWAY ${textOf(code, goaway)}`));
  if (peer.closed()) parts.push('closed');
  return [...parts, ...peer.faults].join(', ');
}
