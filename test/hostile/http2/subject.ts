/** Something that speaks HTTP/2 to clients, in front of a backend that keeps what it gets. */
import type { Socket } from 'node:net';
import { createMetricsRegistry } from '../../../src/base/metrics.ts';
import type { ProxyOptions } from '../../../src/proxy/options.ts';
import { OK, type RecordingBackend, recordingBackend, type SeenRequest } from '../../../src/proxy/testing/backend.ts';
import { selfSigned } from '../../../src/proxy/testing/certificates.ts';
import { createFront, type Front } from '../../../src/proxy/testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../../../src/proxy/testing/plans.ts';
import { contentOf, doubts } from '../http1/form.ts';
import { takeSeen } from '../http1/run.ts';
import { SLOW_MS } from './case.ts';
import type { SeenByBackend } from './judge.ts';
import type { Place } from './wire.ts';

export interface Subject {
  readonly plain: Place;
  readonly secure: Place;
  /** Takes the whole requests of a client out of the record. */
  take(client: string): readonly SeenByBackend[];
  close(): Promise<void>;
}

export interface ProxySubject extends Subject {
  readonly front: Front;
  readonly backend: RecordingBackend;
  /** Sockets of clients that are open on the side of the data plane. */
  connections(): number;
}

/** A response that fills any window and buffer. */
const BIG = Buffer.alloc(4 << 20, 'x');
export const BIG_BYTES = BIG.length;

/** `/slow` takes its time, `/big` is long, `/never` is never answered. */
export function answerByPath({ line }: SeenRequest, socket: Socket): void {
  const path = line.split(' ')[1];
  if (path === '/slow') setTimeout(() => socket.write(OK), SLOW_MS);
  else if (path === '/big')
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`, () => socket.write(BIG));
  else if (path !== '/never') socket.write(line.startsWith('HEAD ') ? OK.slice(0, -2) : OK);
}

export const portOf = { plain: 8080, secure: 8443, backend: 8081 } as const;

/** Places of a server that listens on the usual ports of an address. */
export const placesOf = (address: string) => ({
  plain: { address, port: portOf.plain, secure: false },
  secure: { address, port: portOf.secure, secure: true },
});

/** The data plane, in clear text and over TLS, before a backend at the same address. */
export async function proxySubject(address: string, options: ProxyOptions): Promise<ProxySubject> {
  const backend = await recordingBackend(address, portOf.backend, answerByPath);
  const metrics = createMetricsRegistry();
  const front = createFront({ ...options, metrics });
  const certificate = selfSigned('a', 'a.example');
  const hosts = [host('*', [route()])];
  const tls = { certificates: [{ serverName: '*', certificate: 'a' }] };
  await front.endpoints({ app: [endpoint(address, portOf.backend)] });
  await front.plan(
    planOf(
      [listener(address, portOf.plain, hosts), listener(address, portOf.secure, hosts, { protocol: 'HTTPS', tls })],
      undefined,
      [certificate],
    ),
  );
  return {
    ...placesOf(address),
    front,
    backend,
    connections: () =>
      [...metrics.expose().matchAll(/^fairway_proxy_connections_open\{.*\} (\d+)$/gm)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      ),
    take: (client) => takeSeen(backend, client).map(seenOf),
    async close() {
      await front.close();
      await backend.close();
    },
  };
}

export function seenOf(request: SeenRequest): SeenByBackend {
  return { line: request.line, lines: request.lines, ...contentOf(request), doubts: doubts(request) };
}
