/** Backend servers of a soak: they say who they are and what they were asked, and can be stopped and started again. */
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { WebSocketServer } from 'ws';

export interface SoakServers {
  start(at: number): Promise<void>;
  /** Takes no connections that begin from now on; those that it has, those that wait to be accepted included, go on. */
  stop(at: number): Promise<void>;
  /** Lets slow downloads come to their end. */
  finish(): void;
  close(): Promise<void>;
}

/** What a server says of a request: `server=1;stamp=…;path=…;bytes=…`. */
export interface Said {
  readonly server: number;
  readonly stamp: string;
  readonly path: string;
  readonly bytes: number;
  readonly digest: string;
}

export function parseSaid(text: string): Said {
  const fields = new Map(text.split(';').map((pair) => pair.split('=', 2) as [string, string]));
  const field = (name: string) => fields.get(name) ?? '';
  return {
    server: Number(field('server')),
    stamp: field('stamp'),
    path: field('path'),
    bytes: Number(field('bytes')),
    digest: field('digest'),
  };
}

/** Bytes of a long body by their place, so that a part that is missing or doubled shows. */
export function pattern(from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = ((from + i) * 31 + ((from + i) >>> 8)) & 0xff;
  return bytes;
}

const PIECE_BYTES = 16_384;

/** Servers on ports `firstPort`, `firstPort + 1`, … of an address; none is started. */
export function createServers(address: string, firstPort: number): SoakServers {
  const listening = new Map<number, Server>();
  const all = new Set<Server>();
  let finished = false;

  async function start(at: number): Promise<void> {
    if (listening.has(at)) return;
    const server = createSoakServer(at, () => finished);
    listening.set(at, server);
    all.add(server);
    server.on('close', () => all.delete(server));
    server.listen({ port: firstPort + at, host: address, backlog: 1_024 });
    await once(server, 'listening');
  }

  async function stop(at: number): Promise<void> {
    const server = listening.get(at);
    if (!server) return;
    listening.delete(at);
    // Whoever connected before this one has been accepted when this one is answered.
    const [answered] = await once(request({ host: address, port: firstPort + at, agent: false }).end(), 'response');
    (answered as IncomingMessage).resume();
    // Not the close of http.Server, which closes idle connections too: that is up to the data plane.
    NetServer.prototype.close.call(server);
  }

  return {
    start,
    stop,
    finish() {
      finished = true;
    },
    async close() {
      finished = true;
      for (const server of all) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function createSoakServer(at: number, isFinished: () => boolean): Server {
  const server = createServer((request, response) => {
    if (request.url?.includes('?download')) download(response, isFinished);
    else answer(at, request, response);
  });
  // Longer than any gap between two requests of the data plane: it is the one that closes what is idle.
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) =>
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary })),
    );
  });
  return server;
}

function answer(at: number, request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  const digest: Hash | undefined = request.method === 'PUT' ? createHash('sha1') : undefined;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    digest?.update(chunk);
  });
  request.on('end', () => {
    const stamp = request.headers['x-plan'] ?? '';
    const said = `server=${at};stamp=${stamp};path=${request.url};bytes=${bytes};digest=${digest?.digest('hex') ?? ''}`;
    response.writeHead(200, { 'content-length': said.length, 'x-server-secret': 'removed by a filter' });
    response.end(said);
  });
}

/** As much as the reader takes, until it is told to finish. */
function download(response: ServerResponse, isFinished: () => boolean): void {
  let sent = 0;
  const more = () => {
    while (!isFinished() && !response.destroyed) {
      const goesOn = response.write(pattern(sent, PIECE_BYTES));
      sent += PIECE_BYTES;
      if (!goesOn) return;
    }
    response.end();
  };
  response.on('drain', more);
  more();
}
