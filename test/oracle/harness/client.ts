/** A client that sends request targets and header lines exactly as it is told, over connections that it keeps. */
import { connect, type Socket } from 'node:net';
import { chunksOf } from './chunks.ts';

/** One request. Everything is sent byte for byte. */
export interface Ask {
  readonly method?: string;
  /** Value of the Host line. */
  readonly host: string;
  /** Request target: path and query. */
  readonly target: string;
  /** Header lines besides Host and Content-Length. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  /** Loopback address to send from; the harness's own unless given. */
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Client {
  ask(request: Ask, more?: readonly (readonly [name: string, value: string])[]): Promise<Answer>;
  close(): void;
}

interface Line {
  readonly socket: Socket;
  readonly from: string;
  text: string;
  settle: ((answer: Answer | Error) => void) | undefined;
  isHead: boolean;
}

const ANSWER_MS = 5_000;

/** Asks one server; as many connections as there are questions at once. */
export function createClient(address: string, port: number, localAddress: string): Client {
  const idle: Line[] = [];
  const lines = new Set<Line>();

  function open(from: string): Line {
    const socket = connect({ host: address, port, localAddress: from });
    const line: Line = { socket, from, text: '', settle: undefined, isHead: false };
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      line.text += chunk.toString('latin1');
      take(line, false);
    });
    socket.on('error', (error) => drop(line, error));
    socket.on('end', () => take(line, true));
    socket.on('close', () => drop(line, new Error('closed without an answer')));
    lines.add(line);
    return line;
  }

  function drop(line: Line, error: Error): void {
    lines.delete(line);
    const at = idle.indexOf(line);
    if (at >= 0) idle.splice(at, 1);
    line.settle?.(error);
  }

  function take(line: Line, ended: boolean): void {
    if (!line.settle) return;
    const found = parseAnswer(line.text, line.isHead, ended);
    if (!found) return;
    line.text = line.text.slice(found.length);
    line.settle(found.answer);
  }

  async function ask(request: Ask, more: readonly (readonly [string, string])[] = []): Promise<Answer> {
    const from = request.from ?? localAddress;
    const kept = idle.findIndex((each) => each.from === from);
    const line = kept >= 0 ? idle.splice(kept, 1)[0]! : open(from);
    const answer = await exchange(line, request, more);
    if (keepsOpen(answer) && line.text === '' && !line.socket.destroyed) idle.push(line);
    else line.socket.destroy();
    return answer;
  }

  return {
    ask,
    close() {
      for (const { socket } of lines) socket.destroy();
    },
  };
}

function exchange(line: Line, request: Ask, more: readonly (readonly [string, string])[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`none in ${ANSWER_MS} ms`)), ANSWER_MS);
    const settle = (answer: Answer | Error) => {
      clearTimeout(timer);
      line.settle = undefined;
      if (!(answer instanceof Error)) return resolve(answer);
      line.socket.destroy();
      reject(answer);
    };
    line.settle = settle;
    line.isHead = request.method === 'HEAD';
    line.socket.write(bytesOf(request, more), 'latin1');
  });
}

function bytesOf(
  { method = 'GET', host, target, headers = [], body }: Ask,
  more: readonly (readonly [string, string])[],
) {
  const length: (readonly [string, string])[] = body === undefined ? [] : [['Content-Length', String(body.length)]];
  const fields = [['Host', host] as const, ...headers, ...more, ...length];
  return `${method} ${target} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body ?? ''}`;
}

function keepsOpen({ headers }: Answer): boolean {
  return !headers.some(([name, value]) => name === 'connection' && value.toLowerCase() === 'close');
}

/** The first whole response of the text; undefined while it is not whole. Names of headers in lower case. */
function parseAnswer(text: string, isHead: boolean, ended: boolean): { answer: Answer; length: number } | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const [line = '', ...fields] = text.slice(0, head).split('\r\n');
  const status = Number(line.split(' ')[1]);
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  const body = bodyOf(text, head + 4, isHead || status === 204 || status === 304, headers, ended);
  return body && { answer: { status, headers, body: body.data }, length: body.end };
}

function bodyOf(
  text: string,
  start: number,
  isEmpty: boolean,
  headers: Answer['headers'],
  ended: boolean,
): { data: string; end: number } | undefined {
  if (isEmpty) return { data: '', end: start };
  const value = (name: string) => headers.find((each) => each[0] === name)?.[1];
  if (value('transfer-encoding')?.toLowerCase() === 'chunked') return chunksOf(text, start);
  const length = value('content-length');
  if (length === undefined) return ended ? { data: text.slice(start), end: text.length } : undefined;
  const end = start + Number(length);
  return text.length >= end ? { data: text.slice(start, end), end } : undefined;
}
