/** TLS by server name through a stream listener, over real sockets on 127.26.2.0/24. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, createServer, type Server, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { Certificate, StreamRoute } from '../../routing/plan/plan.ts';
import type { ProxyOptions } from '../options.ts';
import { recordingBackend } from '../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, route } from '../testing/plans.ts';
import { converse, dial, listenRaw } from '../testing/sockets.ts';
import type { StreamRecord } from './record.ts';
import { share, streamListener, streamPlan, streamRoute } from './testing.ts';

const front = '127.26.2.1';
const backs = '127.26.2.2';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A TLS server that tells its name and the server name it was asked for. */
async function tlsBackend(port: number, { chain, key, id }: Certificate): Promise<Server> {
  const server = createServer({ cert: chain, key, ALPNProtocols: ['own'] }, (socket) => {
    socket.on('error', () => {});
    socket.write(`${id} ${socket.servername} ${socket.alpnProtocol}\n`);
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(port, backs);
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return server;
}

async function dialTls(port: number, servername: string, more: object = {}) {
  const options = { host: front, port, servername, rejectUnauthorized: false, allowHalfOpen: true, ...more };
  const socket = connectTls(options);
  cleanups.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return { ...converse(socket), socket: socket as TLSSocket };
}

function open(options: ProxyOptions = {}) {
  const streams: StreamRecord[] = [];
  const made = createFront({ ...options, onStream: (record) => streams.push(record) });
  cleanups.push(() => made.close());
  const flags = async (count: number) => {
    for (let i = 0; i < 300 && streams.length < count; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    return streams.map(({ flag = 'none' }) => flag);
  };
  return { ...made, streams, flags };
}

const pass = (serverName: string, to: string): StreamRoute =>
  streamRoute({ id: `pass ${serverName}`, serverName, tls: 'passthrough', backends: [share(to)] });

describe.skipIf(!hasOpenssl())('TLS by server name', () => {
  it('passes the handshake through to the backend of the most specific name', async () => {
    const [one, two] = [selfSigned('one', 'one'), selfSigned('two', 'two')];
    await Promise.all([tlsBackend(4401, one), tlsBackend(4402, two)]);
    const proxy = open();
    await proxy.endpoints({ one: [endpoint(backs, 4401)], two: [endpoint(backs, 4402)] });
    const routes = [pass('a.example.com', 'one'), pass('*.example.com', 'two'), pass('*.b.example.com', 'one')];
    await proxy.plan(streamPlan([streamListener(front, 4400, 'TLS', routes)]));
    for (const [name, answer] of [
      ['a.example.com', 'one a.example.com own'],
      ['x.y.example.com', 'two x.y.example.com own'],
      ['x.b.example.com', 'one x.b.example.com own'],
    ] as const) {
      const client = await dialTls(4400, name, { ALPNProtocols: ['own'] });
      await client.until(`${answer}\n`);
      client.send('x'.repeat(200_000));
      await client.until((text) => text.length === answer.length + 1 + 200_000);
      client.socket.end();
    }
    await proxy.flags(3);
    expect(proxy.streams.map(({ serverName, route: id }) => `${serverName}: ${id}`)).toEqual([
      'a.example.com: pass a.example.com',
      'x.y.example.com: pass *.example.com',
      'x.b.example.com: pass *.b.example.com',
    ]);
  });

  it('refuses names without a route, no name, what is not TLS, and who does not say', async () => {
    const proxy = open({ stream: { helloTimeoutMs: 300 } });
    const closed = streamRoute({ serverName: 'closed.example.com', tls: 'passthrough', backends: [] });
    await proxy.plan(streamPlan([streamListener(front, 4410, 'TLS', [pass('*.example.com', 'one'), closed])]));
    await expect(dialTls(4410, 'a.example.org')).rejects.toThrow('ECONNRESET');
    await expect(dialTls(4410, 'closed.example.com')).rejects.toThrow('ECONNRESET');
    await expect(dialTls(4410, '')).rejects.toThrow('ECONNRESET');
    await expect(dialTls(4410, 'a.example.com')).rejects.toThrow('ECONNRESET');
    const plain = await dial(front, 4410);
    plain.send('GET / HTTP/1.1\r\n');
    expect(await plain.closed()).toBe('');
    const half = await dial(front, 4410);
    half.send('\x16\x03\x01');
    half.socket.end();
    expect(await half.closed()).toBe('');
    const silent = await dial(front, 4410);
    expect(await silent.closed(1_500)).toBe('');
    expect(await proxy.flags(7)).toEqual([
      'no_route',
      'no_route',
      'no_route',
      'no_endpoints',
      'bad_hello',
      'bad_hello',
      'hello_timeout',
    ]);
  });

  it('terminates with the certificate for the name, and gives the backend what was inside', async () => {
    const certificates = [selfSigned('exact', 'a.example.com'), selfSigned('wild', '*.example.com')];
    const backdrop = await listenRaw(backs, 4421, (socket) => {
      socket.write('who is there\n');
      socket.on('data', (chunk) => socket.write(chunk));
    });
    cleanups.push(() => backdrop.close());
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 4421)] });
    const terminate = streamRoute({
      serverName: '*.example.com',
      tls: 'terminate',
      certificates: [
        { serverName: 'a.example.com', certificate: 'exact' },
        { serverName: '*.example.com', certificate: 'wild' },
      ],
    });
    const plan = streamPlan([streamListener(front, 4420, 'TLS', [terminate])], {
      certificates: Object.fromEntries(certificates.map((one) => [one.id, one])),
    });
    await proxy.plan(plan);
    for (const [name, subject] of [
      ['a.example.com', 'a.example.com'],
      ['b.example.com', '*.example.com'],
    ] as const) {
      const client = await dialTls(4420, name);
      expect(client.socket.getPeerCertificate().subject.CN).toBe(subject);
      await client.until('who is there\n');
      client.send('ping'.repeat(50_000));
      await client.until((text) => text.length === 13 + 200_000);
      client.socket.end();
      await client.closed();
    }
    await expect(dialTls(4420, 'a.example.com', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' })).rejects.toThrow();
    expect(await proxy.flags(3)).toEqual(['none', 'none', 'handshake_failed']);
    expect(proxy.streams[0]).toMatchObject({ receivedBytes: 200_000, sentBytes: 200_013 });
  });

  it('gives up a handshake that does not end', async () => {
    const proxy = open({ client: { tlsHandshakeTimeoutMs: 300 } });
    const terminate = streamRoute({ tls: 'terminate', certificates: [{ serverName: '*', certificate: 'one' }] });
    const plan = streamPlan([streamListener(front, 4430, 'TLS', [terminate])], {
      certificates: { one: selfSigned('one', 'one') },
    });
    await proxy.plan(plan);
    // Takes the ClientHello of a real client and never answers the ServerHello.
    const catcher = await listenRaw(backs, 4431, (socket) => {
      socket.once('data', (hello) => {
        const stuck = connectTcp({ host: front, port: 4430 }, () => stuck.write(hello));
        stuck.on('error', () => {});
      });
    });
    cleanups.push(() => catcher.close());
    const client = connectTls({ host: backs, port: 4431, servername: 'one', rejectUnauthorized: false });
    client.on('error', () => {});
    cleanups.push(() => client.destroy());
    expect(await proxy.flags(1)).toEqual(['handshake_failed']);
  });

  it('leaves names of an HTTPS listener of the same port to it, when the TLS listener comes and when it goes', async () => {
    const certificate = selfSigned('web', 'www.example.com');
    const web = await recordingBackend(backs, 4441);
    cleanups.push(() => web.close());
    await tlsBackend(4442, selfSigned('one', 'one'));
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 4441)], one: [endpoint(backs, 4442)] });
    const https = listener(front, 4440, [host('*.example.com', [route()])], {
      protocol: 'HTTPS',
      tls: { certificates: [{ serverName: '*', certificate: 'web' }] },
    });
    const handover = streamRoute({ serverName: '*.example.com', tls: 'handover', backends: [] });
    const web443 = { listeners: [https], certificates: { web: certificate } };
    const shared = streamPlan([streamListener(front, 4440, 'TLS', [handover, pass('a.example.com', 'one')])], web443);
    const both = { ...shared, backends: { ...shared.backends, app: backend('app') } };
    const alone = { ...both, streams: [] };
    const get = async (name: string) => {
      const client = await dialTls(4440, name);
      client.send(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
      const text = await client.closed();
      client.socket.destroy();
      return text;
    };
    for (const plan of [both, alone, both]) {
      const { listeners } = await proxy.plan(plan);
      expect(listeners[`${front}:4440/HTTPS`]).toEqual({ bound: true });
      expect(await get('www.example.com')).toContain('200 OK');
    }
    const through = await dialTls(4440, 'a.example.com');
    await through.until('one a.example.com');
    await expect(dialTls(4440, 'other.org')).rejects.toThrow('ECONNRESET');
  });
});
