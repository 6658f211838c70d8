/** What the clients of proxy-clients.test.ts talk to: one front door, with a developer's processes behind it. */
import { execFile, execFileSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import { certificateSecret } from '../../support/certificates.ts';
import { openDoor, type TestDoor } from '../../support/door.ts';
import { app, backendRef, gateway, httpRoute, stream } from '../../support/manifests.ts';
import { type GrpcServers, startGrpcServers } from './grpc-server.ts';

export const HOST = 'zoo.example.com';
export const GRPC_HOST = 'grpc.example.com';
export const GRPC_TLS_HOST = 'grpcs.example.com';

export interface Zoo {
  readonly door: TestDoor;
  /** Of the Gateway: port 80 is HTTP, 443 HTTPS. */
  readonly address: string;
  /** PEM of the certificate that is shown to clients. */
  readonly certificate: string;
  readonly backend: WebBackend;
  readonly grpc: GrpcServers;
  close(): Promise<void>;
}

export async function openZoo(): Promise<Zoo> {
  const backend = await startWebBackend();
  const grpc = await startGrpcServers();
  const secret = certificateSecret('cert', ['*.example.com']);
  const tls = { certificateRefs: [{ name: 'cert' }] };
  const speaks = (appProtocol: string) => ({
    service: { ports: [{ name: 'http', port: 80, targetPort: 'web', appProtocol }] },
  });
  const local = (service: string, targetPort: number) =>
    ({ namespace: 'default', service, host: '127.0.0.1', targetPort }) as const;
  const door = await openDoor(35, {
    paths: ['-'],
    stdin: stream(
      ...app('web'),
      ...app('grpc', speaks('kubernetes.io/h2c')),
      ...app('grpcs', speaks('grpcs')),
      secret,
      gateway('zoo', [
        { name: 'http', port: 80, protocol: 'HTTP' },
        { name: 'https', port: 443, protocol: 'HTTPS', tls },
      ]),
      httpRoute('web', 'zoo', [{ backendRefs: [backendRef('web')] }], { hostnames: [HOST] }),
      httpRoute('grpc', 'zoo', [{ backendRefs: [backendRef('grpc')] }], { hostnames: [GRPC_HOST] }),
      httpRoute('grpcs', 'zoo', [{ backendRefs: [backendRef('grpcs')] }], { hostnames: [GRPC_TLS_HOST] }),
    ),
    backends: [local('web', backend.port), local('grpc', grpc.plainPort), local('grpcs', grpc.securePort)],
  });
  return {
    door,
    address: door.summary.gateways[0]!.addresses[0]!,
    certificate: Buffer.from(secret.data['tls.crt'], 'base64').toString(),
    backend,
    grpc,
    async close() {
      await door.close(0);
      backend.close();
      grpc.close();
    },
  };
}

export interface WebBackend {
  readonly port: number;
  /** Codes with which clients closed their WebSockets. */
  readonly closeCodes: number[];
  close(): void;
}

/** Ten thousand bytes that compress well. */
export const TEXT = 'all the animals of the zoo\n'.repeat(400).slice(0, 10_000);

/** What `/echo` says of a request. */
export interface WebEcho {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  readonly bytes: number;
  readonly headers: Record<string, string>;
}

async function startWebBackend(): Promise<WebBackend> {
  const closeCodes: number[] = [];
  const page = createPage();
  const server: Server = createServer((request, response) => page(request, response) || answer(request, response));
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('close', (code) => closeCodes.push(code));
      echoTo(client);
    }),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    closeCodes,
    close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Messages come back; `close 4001` closes with that code. */
function echoTo(client: WebSocket): void {
  client.on('message', (data, isBinary) => {
    const code = isBinary ? undefined : /^close (\d+)$/.exec(String(data))?.[1];
    if (code === undefined) client.send(data, { binary: isBinary });
    else client.close(Number(code), 'as you wish');
  });
}

const answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/text': (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) return response.setHeader('content-length', TEXT.length).end(TEXT);
    const [from, to] = [Number(range[1]), Number(range[2])];
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${TEXT.length}`, 'content-length': to - from + 1 });
    return response.end(TEXT.slice(from, to + 1));
  },
  '/gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(TEXT)),
  '/trailers': (_, response) => {
    response.writeHead(200, { trailer: 'x-checksum' });
    response.write('body');
    response.addTrailers({ 'x-checksum': 'abc' });
    response.end();
  },
  '/small': (_, response) => response.setHeader('content-length', 6).end('small\n'),
};

function answer(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    const known = answers[(request.url ?? '').split('?')[0]!];
    if (known) return known(request, response);
    const { method, url, httpVersion: version, headers } = request;
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ method, url, version, bytes, headers }));
  });
}

/** A page that is loaded when its script is done: an image waits for what the script has to say. */
function createPage(): (request: IncomingMessage, response: ServerResponse) => boolean {
  let image: ServerResponse | undefined;
  return (request, response) => {
    if (request.url === '/page') response.setHeader('content-type', 'text/html').end(PAGE);
    else if (request.url === '/done') {
      image?.writeHead(404).end();
      response.end();
    } else if (request.url === '/image') image = response;
    else return false;
    return true;
  };
}

const PAGE = `<!doctype html><title>zoo</title><p id="said">nothing</p><img src="/image"><script>
const said = [];
const done = () => { document.getElementById('said').textContent = said.join(' '); fetch('/done'); };
fetch('/echo', { method: 'POST', body: 'x'.repeat(50000) }).then((r) => r.json()).then((echo) => {
  said.push('posted', echo.bytes);
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
  socket.onopen = () => socket.send('hello');
  socket.onmessage = ({ data }) => { said.push('echo', data); socket.send('close 4002'); };
  socket.onclose = ({ code }) => { said.push('closed', code); done(); };
}).catch((error) => { said.push(String(error)); done(); });
</script>`;

/** True where a command can be run; says so where it cannot. */
export function hasTool(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return true;
    console.log(`skipped: ${command} is not installed`);
    return false;
  }
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a client to its end, with something on its standard input. */
export function runTool(command: string, args: readonly string[], input = '', timeout = 15_000): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
