/** One request of a test on a connection of its own, and the response in parts. */
import { dial } from './sockets.ts';

export interface PlainAnswer {
  readonly status: number;
  /** By lower-case name; repeated lines joined with `, `. */
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface PlainRequest {
  readonly path?: string;
  readonly method?: string;
  /** Header lines besides Host. */
  readonly lines?: readonly string[];
  /** As framed on the wire; `lines` says how. */
  readonly body?: string;
}

/** Understands bodies with a Content-Length, and none. */
export async function askFront(address: string, port: number, request: PlainRequest = {}): Promise<PlainAnswer> {
  const { path = '/', method = 'GET', lines = [], body = '' } = request;
  const client = await dial(address, port);
  client.send(
    `${method} ${path} HTTP/1.1\r\nHost: a.example\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`,
  );
  const text = await client.until(isWhole);
  client.socket.destroy();
  return parse(text);
}

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: *([0-9]+)/i.exec(text.slice(0, head))?.[1] ?? 0;
  return text.length >= head + 4 + Number(length);
}

function parse(text: string): PlainAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...rest] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const each of rest) {
    const name = each.slice(0, each.indexOf(':')).toLowerCase();
    const value = each.slice(each.indexOf(':') + 2);
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status: Number(line.split(' ')[1]), headers, body: text.slice(end + 4) };
}
