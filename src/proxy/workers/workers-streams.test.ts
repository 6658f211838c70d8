/** TCP, UDP and TLS of several worker processes. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { streamListener, streamPlan, streamRoute } from '../stream/testing.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { dial, listenRaw } from '../testing/sockets.ts';
import type { WorkerCommand } from './crew.ts';
import { bundleWorker, createWorkersFront, removeBundles, until, type WorkersFront } from './testing.ts';

const front = '127.77.9.11';
const behind = '127.77.9.12';
const PORT = 8080;
const linux = process.platform === 'linux';

let command: WorkerCommand;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  command = await bundleWorker();
});
afterAll(removeBundles);
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function open(): WorkersFront {
  const made = createWorkersFront({}, { count: 2, command });
  ends.push(() => made.proxy.close(0));
  return made;
}

const kill = (pid: number) => process.kill(pid, 'SIGKILL');

describe.skipIf(!linux)('streams of two workers', () => {
  interface UdpClient {
    readonly socket: DatagramSocket;
    /** Sends and waits for what comes back: the address that the backend saw. */
    ask(port: number, timeoutMs?: number): Promise<string>;
  }

  function udpClient(): UdpClient {
    const socket = createSocket('udp4');
    ends.push(async () => socket.close());
    return {
      socket,
      ask: (port, timeoutMs = 2_000) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error('no datagram came back')), timeoutMs);
          socket.once('message', (data) => {
            clearTimeout(timer);
            resolve(data.toString());
          });
          socket.send('hello', port, front);
        }),
    };
  }

  async function udpEcho(): Promise<void> {
    const echo = createSocket('udp4');
    echo.on('message', (_, { address, port }) => echo.send(`${address}:${port}`, port, address));
    await new Promise<void>((done) => echo.bind(9000, behind, done));
    ends.push(async () => echo.close());
  }

  it('keep each UDP client on one flow, and go on when the worker of a listener is gone', async () => {
    await udpEcho();
    const made = open();
    await made.endpoints({ app: [endpoint(behind, 9000)] });
    const ports = [5353, 5354, 5355];
    const { listeners } = await made.plan(
      streamPlan(ports.map((port) => streamListener(front, port, 'UDP', [streamRoute()]))),
    );
    expect(Object.values(listeners)).toEqual([{ bound: true }, { bound: true }, { bound: true }]);
    const clients = Array.from({ length: 8 }, udpClient);
    for (const port of ports) {
      const flows = new Set<string>();
      for (const client of clients) {
        const seen = new Set<string>();
        for (let i = 0; i < 6; i++) seen.add(await client.ask(port));
        expect(seen.size).toBe(1);
        flows.add([...seen][0]!);
      }
      expect(flows.size).toBe(clients.length);
    }
    // Each of the two in turn, so that the owner of every listener has gone once.
    for (const victim of made.proxy.pids()) {
      kill(victim);
      for (const port of ports) {
        await until(async () => (await clients[0]!.ask(port, 200).catch(() => '')) !== '', `UDP port ${port} answers`);
      }
      await until(() => !made.proxy.pids().includes(victim) && made.proxy.pids().length === 2, 'two serve');
    }
  });

  it('carry TCP in both', async () => {
    const echo = await listenRaw(behind, 9000, (socket) => socket.on('data', (data) => socket.write(data)));
    ends.push(echo.close);
    const made = open();
    await made.endpoints({ app: [endpoint(behind, 9000)] });
    await made.plan(streamPlan([streamListener(front, 9001, 'TCP', [streamRoute()])]));
    const clients = await Promise.all(Array.from({ length: 20 }, () => dial(front, 9001)));
    for (const client of clients) client.send('ping');
    for (const client of clients) await client.until('ping');
    for (const client of clients) client.socket.destroy();
    await until(() => made.streams.length === 20, 'all are told of');
  });
});

describe.skipIf(!linux || !hasOpenssl())('TLS of two workers', () => {
  it('takes session tickets of workers that are no more', async () => {
    const app = await listenRaw(behind, PORT, (socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')),
    );
    ends.push(app.close);
    const certificate = selfSigned('web', 'web.example');
    const made = open();
    await made.endpoints({ app: [endpoint(behind, PORT)] });
    const tls = { certificates: [{ serverName: '*', certificate: 'web' }] };
    const https = listener(front, 8443, [host('*', [route()])], { protocol: 'HTTPS', tls });
    await made.plan(planOf([https], undefined, [certificate]));

    const visit = (session?: Buffer) =>
      new Promise<{ resumed: boolean; session: Buffer | undefined }>((resolve, reject) => {
        const options = { host: front, port: 8443, servername: 'web.example', rejectUnauthorized: false };
        const socket = connect({ ...options, ...(session && { session }) });
        let given = session;
        socket.on('session', (ticket: Buffer) => {
          given = ticket;
        });
        socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: web.example\r\n\r\n'));
        socket.on('data', (data: Buffer) => {
          if (!data.toString().endsWith('hello')) return;
          resolve({ resumed: socket.isSessionReused(), session: given });
          socket.destroy();
        });
        socket.on('error', reject);
        socket.setTimeout(5_000, () => reject(new Error('no answer came')));
      });

    const { session, resumed } = await visit();
    expect(resumed).toBe(false);
    for (let i = 0; i < 10; i++) expect((await visit(session)).resumed).toBe(true);
    const before = made.proxy.pids();
    for (const pid of before) kill(pid);
    await until(() => made.proxy.pids().length === 2 && !before.some((pid) => made.proxy.pids().includes(pid)), 'new');
    for (let i = 0; i < 10; i++) expect((await visit(session)).resumed).toBe(true);
  });
});
