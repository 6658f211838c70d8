/** A backend for tests that keeps each request as it came, byte for byte, and answers as it is told. */
import type { Socket } from 'node:net';
import { type Backdrop, listenRaw } from './sockets.ts';

export interface SeenRequest {
  readonly line: string;
  /** Header lines as they came. */
  readonly lines: readonly string[];
  /** As framed on the wire, chunk sizes included. */
  readonly body: string;
  /** Which connection of the backend it came on, from 0. */
  readonly connection: number;
}

export interface RecordingBackend extends Backdrop {
  readonly requests: SeenRequest[];
  /** What came on connections that are still open and is no whole request. */
  unread(): readonly string[];
  /** What to answer from now on: bytes, or a function that does it. */
  answer(how: Answer): void;
}

export type Answer = string | ((request: SeenRequest, socket: Socket) => void);

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Length of the first whole message in the text; 0 while it is not whole. Content-Length and chunked, nothing clever. */
function messageEnd(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const lines = text.slice(0, head);
  if (/^transfer-encoding: *chunked$/im.test(lines)) return chunksEnd(text, head + 4);
  const length = /^content-length: *(\d+)$/im.exec(lines);
  const whole = head + 4 + Number(length?.[1] ?? 0);
  return text.length >= whole ? whole : 0;
}

/** Where the chunked body that begins at `start` ends, its trailers included; 0 while it is not whole. */
function chunksEnd(text: string, start: number): number {
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return 0;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (size === 0) return trailersEnd(text, line);
    at = line + 4 + size;
    if (Number.isNaN(size) || at > text.length) return 0;
  }
}

function trailersEnd(text: string, line: number): number {
  const end = text.indexOf('\r\n\r\n', line);
  return end < 0 ? 0 : end + 4;
}

function parse(text: string, connection: number): SeenRequest {
  const head = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, head).split('\r\n');
  return { line, lines, body: text.slice(head + 4), connection };
}

/** Data and trailer section of a chunked body. */
export function dechunk(body: string): { readonly data: string; readonly trailer: string } {
  let data = '';
  for (let at = 0; at < body.length; ) {
    const line = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, line), 16);
    if (size === 0) return { data, trailer: body.slice(line + 2) };
    data += body.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
  throw new Error(`a chunked body without an end: ${JSON.stringify(body.slice(0, 200))}`);
}

export async function recordingBackend(address: string, port: number, first: Answer = OK): Promise<RecordingBackend> {
  const requests: SeenRequest[] = [];
  let how = first;
  let connections = 0;
  const rests = new Map<Socket, string>();
  const backdrop = await listenRaw(address, port, (socket) => {
    const connection = connections++;
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = messageEnd(text); end > 0; end = messageEnd(text)) {
        const request = parse(text.slice(0, end), connection);
        text = text.slice(end);
        requests.push(request);
        if (typeof how === 'string') socket.write(how, 'latin1');
        else how(request, socket);
      }
      rests.set(socket, text);
    });
    socket.on('close', () => rests.delete(socket));
    socket.on('end', () => socket.end());
  });
  return {
    ...backdrop,
    requests,
    unread: () => [...rests.values()].filter((rest) => rest !== ''),
    answer(next) {
      how = next;
    },
  };
}
