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
  const length = /^content-length: *(\d+)$/im.exec(lines);
  if (/^transfer-encoding: *chunked$/im.test(lines)) {
    const end = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(head + 4));
    return end ? head + 4 + end.index + end[0].length : 0;
  }
  const whole = head + 4 + Number(length?.[1] ?? 0);
  return text.length >= whole ? whole : 0;
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
    });
    socket.on('end', () => socket.end());
  });
  return {
    ...backdrop,
    requests,
    answer(next) {
      how = next;
    },
  };
}
