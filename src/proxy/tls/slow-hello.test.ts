/** Clients that take their time over a ClientHello, where the name decides whether certificates are asked for. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { authority, hasOpenssl } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { host, listener, planOf, route } from '../testing/plans.ts';

const address = '127.92.3.1';
const port = 8443;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

/** The record header of a ClientHello of 512 bytes, and as much of it as is wanted. */
const beginning = (bytes: number) =>
  Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), Buffer.alloc(bytes)]);

describe.skipIf(!able)('a ClientHello that is never whole', () => {
  const front = createFront({ client: { tlsHandshakeTimeoutMs: 400, maxConnections: 3 } });
  const sockets: Socket[] = [];
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await front.close();
  });

  async function serve(): Promise<void> {
    const ca = authority('partners');
    const web = ca.issue('web', ['DNS:*.example']);
    const clientValidation = { ca: ca.certificate, mode: 'ask', id: 'one' } as const;
    const certificates = [
      { serverName: 'one.example', certificate: web.id, clientValidation },
      { serverName: '*', certificate: web.id },
    ];
    const answering = route({ action: { type: 'respond', status: 200, reason: 'here' } });
    const door = listener(address, port, [host('*', [answering])], { protocol: 'HTTPS', tls: { certificates } });
    await front.plan(planOf([door], undefined, [web]));
  }

  /** Milliseconds until the other side has closed. */
  function closedAfter(talk: (socket: Socket) => void): Promise<number> {
    return new Promise((resolve) => {
      const start = performance.now();
      const socket = connect(port, address, () => talk(socket));
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.on('close', () => resolve(performance.now() - start));
    });
  }

  const answered = () =>
    new Promise<boolean>((resolve) => {
      const socket = connectTls({ host: address, port, servername: 'two.example', rejectUnauthorized: false }, () => {
        resolve(true);
        socket.destroy();
      });
      socket.on('error', () => resolve(false));
    });

  it('counts as a connection, and is ended in the time of a handshake, byte by byte or not at all', async () => {
    await serve();
    expect(await answered()).toBe(true);
    const byByte = (socket: Socket) => {
      const bytes = beginning(200);
      let at = 0;
      const timer = setInterval(() => (at < bytes.length && !socket.destroyed ? socket.write(bytes.subarray(at, ++at)) : clearInterval(timer)), 2); // biome-ignore format: one line
    };
    const ends = [byByte, (socket: Socket) => socket.write(beginning(3)), () => {}].map(closedAfter);
    // Whoever comes now is one too many.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await answered()).toBe(false);
    for (const ms of await Promise.all(ends)) expect(ms).toBeLessThan(2_000);
    expect(await answered()).toBe(true);
  });

  it('of more bytes than it may have is not waited for', async () => {
    const record = Buffer.concat([
      Buffer.from([22, 3, 1, 64, 0]),
      Buffer.from([1, 255, 255, 255]),
      Buffer.alloc(16_380),
    ]);
    expect(await closedAfter((socket) => socket.write(record))).toBeLessThan(390);
  });
});
