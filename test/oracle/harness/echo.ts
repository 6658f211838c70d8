/**
 * Backends that note what they get and answer as the request itself says, so that both fronts find the same ones. Each
 * request carries a mark, by which what belongs to one question is found: at the backend, the auth service, the mirror.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { chunksOf } from './chunks.ts';

/** What a backend got. */
export interface Seen {
  readonly backend: string;
  readonly method: string;
  readonly target: string;
  /** In the order they came; names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** How a backend answers. A header may come several times. */
export interface Instruction {
  readonly status?: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  /** Milliseconds before it does. */
  readonly afterMs?: number;
}

/** Header with the mark of a question. */
export const markHeader = 'x-ask';

/** Which header tells a backend how to answer: `x-tell-auth` the one called auth. */
export const tellHeader = (backend: string) => `x-tell-${backend}`;

/** Header line that tells a backend how to answer one request. */
export function tell(backend: string, instruction: Instruction): readonly [string, string] {
  return [tellHeader(backend), Buffer.from(JSON.stringify(instruction)).toString('base64url')];
}

export interface Backends {
  readonly addresses: Readonly<Record<string, string>>;
  readonly port: number;
  /** What backends got of the question with this mark. */
  seen(mark: string): readonly Seen[];
  close(): Promise<void>;
}

export const backendPort = 8080;

/** One backend for each name, on addresses that end in 1, 2, 3 … of a block like `127.85.3`. */
export async function startBackends(names: readonly string[], block: string): Promise<Backends> {
  const notes = new Map<string, Seen[]>();
  const addresses = Object.fromEntries(names.map((name, i) => [name, `${block}.${i + 1}`]));
  const servers = await Promise.all(names.map((name) => startBackend(name, addresses[name]!, notes)));
  return {
    addresses,
    port: backendPort,
    seen: (mark) => notes.get(mark) ?? [],
    close: async () => {
      await Promise.all(servers.map(closed));
    },
  };
}

interface Listening {
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

function closed({ server, sockets }: Listening): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

/** Takes whatever a front sends, also what node's own server would refuse. */
function startBackend(name: string, address: string, notes: Map<string, Seen[]>): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let found = takeRequest(text); found; found = takeRequest(text)) {
        text = text.slice(found.length);
        const seen = { backend: name, ...found.request };
        const mark = valueIn(seen.headers, markHeader) ?? '';
        notes.set(mark, [...(notes.get(mark) ?? []), seen]);
        answer(name, seen, socket);
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(backendPort, address, () => resolve({ server, sockets }));
  });
}

const valueIn = (headers: Seen['headers'], wanted: string) => headers.find(([name]) => name === wanted)?.[1];

/** The first whole request of a text; undefined while it is not whole. */
function takeRequest(text: string): { request: Omit<Seen, 'backend'>; length: number } | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const [line = '', ...fields] = text.slice(0, head).split('\r\n');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  const isChunked = valueIn(headers, 'transfer-encoding') === 'chunked';
  const body = isChunked ? chunksOf(text, head + 4) : plainBody(text, head + 4, valueIn(headers, 'content-length'));
  if (!body) return undefined;
  const [method = ''] = line.split(' ');
  const target = line.slice(method.length + 1, line.lastIndexOf(' '));
  return { request: { method, target, headers, body: body.data }, length: body.end };
}

function plainBody(text: string, start: number, length = '0'): { data: string; end: number } | undefined {
  const end = start + Number(length);
  return text.length >= end ? { data: text.slice(start, end), end } : undefined;
}

function instructionOf(name: string, { headers }: Seen): Instruction {
  const told = valueIn(headers, tellHeader(name));
  if (told !== undefined) return JSON.parse(Buffer.from(told, 'base64url').toString()) as Instruction;
  // What a page of errors is asked for with (custom-http-errors): it answers with the status that it stands for.
  const code = Number(valueIn(headers, 'x-code') ?? Number.NaN);
  return Number.isInteger(code) ? { status: code } : {};
}

function answer(name: string, seen: Seen, socket: Socket): void {
  const { status = 200, headers = [], body = `${name}\n`, afterMs = 0 } = instructionOf(name, seen);
  const isBodiless = status === 204 || status === 304;
  const length = isBodiless ? [] : [['Content-Length', String(body.length)] as const];
  const isLast = valueIn(seen.headers, 'connection')?.toLowerCase() === 'close';
  const close = isLast ? [['Connection', 'close'] as const] : [];
  const fields = [['X-Backend', name] as const, ...headers, ...length, ...close].map(
    ([field, value]) => `${field}: ${value}\r\n`,
  );
  const bytes = `HTTP/1.1 ${status} Told\r\n${fields.join('')}\r\n${isBodiless || seen.method === 'HEAD' ? '' : body}`;
  const send = () => {
    if (socket.writable) socket.write(bytes, 'latin1');
    if (isLast) socket.end();
  };
  if (afterMs > 0) setTimeout(send, afterMs);
  else send();
}
