/** TCP, TLS and UDP of echo Pods, judged by openssl, curl and plain sockets. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { Container } from '../../kube/types/index.ts';
import { createBindPolicy } from '../../service/bind.ts';
import { boundless } from '../../service/socket-room.ts';
import type { PodState } from '../runtime.ts';
import { defaultEchoLimits } from './limits.ts';
import { createPodProcess } from './pod-process.ts';
import { createEchoServers } from './servers.ts';
import { echoPod, hasTool, runTool, startRuntime } from './testing.ts';

const store = createStore();
const { runtime, run } = startRuntime({ store });
const openssl = hasTool('openssl');
const folder = mkdtempSync(join(tmpdir(), 'echo-'));
const file = (name: string) => join(folder, name);

const image = 'registry.k8s.io/gateway-api/conformance/echo-basic:v0.1.0';
const conformance = (env: Record<string, string>): Pick<Container, 'name' | 'image' | 'env'> => ({
  name: 'main',
  image,
  env: Object.entries(env).map(([name, value]) => ({ name, value })),
});
const secretVolume = {
  volumes: [
    {
      name: 'secret-volume',
      secret: {
        secretName: 'cert',
        items: [
          { key: 'tls.crt', path: 'crt' },
          { key: 'tls.key', path: 'key' },
          { key: 'ca.crt', path: 'ca' },
        ],
      },
    },
  ],
};
const volumeMounts = [{ name: 'secret-volume', mountPath: '/etc/secret-volume' }];
const crt = { TLS_SERVER_CERT: '/etc/secret-volume/crt' };
const key = '/etc/secret-volume/key';

async function makeCertificate(name: string, subject: string): Promise<void> {
  await runTool('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', subject, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
  ]);
}

beforeAll(async () => {
  if (openssl) {
    await makeCertificate('server', '/CN=abc.example.com');
    await makeCertificate('client', '/CN=client');
    await makeCertificate('stranger', '/CN=stranger');
    const data = (name: string) => readFileSync(file(name)).toString('base64');
    store.put('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'shop', name: 'cert' },
      data: { 'tls.crt': data('server.crt'), 'tls.key': data('server.key'), 'ca.crt': data('client.crt') },
    } as never);
  }
  const tlsEnv = { ...crt, TLS_SERVER_PRIVKEY: key };
  await run(
    echoPod('plain-1', '127.78.13.1', {
      containers: [{ name: 'main', ports: [{ containerPort: 5300, protocol: 'UDP' }] }],
    }),
    echoPod('udp-1', '127.78.13.2', { containers: [conformance({ UDP_ECHO_SERVER: '1', SERVICE_NAME: 'udp' })] }),
    echoPod('tcp-1', '127.78.13.3', {
      containers: [{ ...conformance({ TCP_ECHO_SERVER: '1', ...crt, TLS_SERVER_PRIV_KEY: key }), volumeMounts }],
      ...secretVolume,
    }),
    echoPod('https-1', '127.78.13.4', { containers: [{ ...conformance(tlsEnv), volumeMounts }], ...secretVolume }),
    echoPod('mtls-1', '127.78.13.5', {
      containers: [{ ...conformance({ ...tlsEnv, TLS_CLIENT_CACERTS: '/etc/secret-volume/ca' }), volumeMounts }],
      ...secretVolume,
    }),
  );
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

async function udp(address: string, port: number, data: string): Promise<string> {
  const socket = dgram.createSocket('udp4');
  socket.send(data, port, address);
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return answer.toString();
}

describe('UDP', () => {
  it('comes back as it was', async () => {
    expect(await udp('127.78.13.1', 5300, 'hello')).toBe('hello');
    expect(runtime.logs('shop/plain-1')!.lines().at(-1)!.text).toMatch(
      /^Echoing back UDP datagram of 5 bytes to client \(127\.0\.0\.1:\d+\)$/,
    );
  });

  it('comes back wrapped in JSON from the conformance server, on its default port', async () => {
    const answer = JSON.parse(await udp('127.78.13.2', 8080, 'hello'));
    expect(answer).toEqual({ request: 'hello', namespace: 'shop', ingress: '', service: 'udp', pod: 'udp-1' });
  });

  it('does not answer another echo Pod, which would answer for ever', async () => {
    const client = dgram.createSocket('udp4').bind(0, '127.78.13.22');
    await once(client, 'listening');
    const answers: string[] = [];
    client.on('message', (data) => answers.push(data.toString()));
    const limits = defaultEchoLimits;
    const udpPlaces = new Set<string>();
    const around = {
      policy: createBindPolicy('native'),
      limits,
      servers: createEchoServers(limits),
      udpPlaces,
      room: boundless,
      admit: () => true,
      certificate: () => undefined,
      trouble: () => undefined,
    };
    const pod = echoPod('a', '127.78.13.20');
    const states: PodState[] = [];
    const process = createPodProcess(pod, around, (state) => states.push(state));
    const identity = { namespace: '', ingress: '', service: '', pod: 'a' };
    process.update(pod, '127.78.13.20', [
      { port: 5301, protocol: 'UDP', container: 'main', speech: 'udp-echo', identity },
    ]);
    await delay(20);
    expect(states).toEqual([{ type: 'running' }]);
    client.send('one', 5301, '127.78.13.20');
    await delay(30);
    udpPlaces.add(`127.78.13.22:${client.address().port}`);
    client.send('two', 5301, '127.78.13.20');
    await delay(30);
    expect(answers).toEqual(['one']);
    process.close();
    client.close();
  });
});

describe('the conformance TCP server', () => {
  it('speaks first and answers commands', async () => {
    const socket = connect({ host: '127.78.13.3', port: 3000 });
    expect(String((await once(socket, 'data'))[0])).toBe('Gateway API Test TCP Server\n');
    socket.end('PING\nIS_TLS\nnonsense\nTEST\n');
    const [pong, isTls, test, rest] = (await text(socket)).split('\n');
    expect([pong, isTls, rest]).toEqual(['PONG', 'false', '']);
    expect(JSON.parse(test!)).toMatchObject({ namespace: 'shop', pod: 'tcp-1', isTLS: false, tcpport: '3000' });
  });

  it('does the same over TLS', async (context) => {
    if (!openssl) context.skip('openssl is not installed');
    const socket = tls.connect({
      host: '127.78.13.3',
      port: 8443,
      rejectUnauthorized: false,
      servername: 'abc.example.com',
    });
    expect(String((await once(socket, 'data'))[0])).toBe('Gateway API Test TCP Server\n');
    socket.write('IS_TLS\nTEST\n');
    const [isTls, test] = String((await once(socket, 'data'))[0]).split('\n');
    expect(isTls).toBe('true');
    expect(JSON.parse(test!)).toMatchObject({
      isTLS: true,
      tlsport: '8443',
      tls: { version: 'TLS 1.3', serverName: 'abc.example.com', cipherSuite: expect.stringMatching(/^TLS_/) },
    });
    socket.destroy();
  });
});

describe('TLS', () => {
  it('is terminated with the certificate of the mounted Secret, and described', async (context) => {
    if (!openssl || !hasTool('curl')) context.skip('openssl or curl is not installed');
    const args = (...more: string[]) => [
      ...['-s', '--cacert', file('server.crt'), '--resolve', 'abc.example.com:8443:127.78.13.4', ...more],
      'https://abc.example.com:8443/secure',
    ];
    const one = JSON.parse((await runTool('curl', args('--http1.1'))).stdout);
    expect(one).toMatchObject({
      proto: 'HTTP/1.1',
      pod: 'https-1',
      tls: { version: 'TLSv1.3', serverName: 'abc.example.com', negotiatedProtocol: 'http/1.1' },
    });
    const two = JSON.parse((await runTool('curl', args('--http2'))).stdout);
    expect(two).toMatchObject({ proto: 'HTTP/2.0', tls: { negotiatedProtocol: 'h2' } });
    // Without ALPN the bytes inside decide, as they do outside; any port of the Pod takes TLS.
    const bytes = tls.connect({ host: '127.78.13.4', port: 3000, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    bytes.end('hello\n');
    expect(await text(bytes)).toBe('hello\n');
  });

  it('asks for client certificates where the Pod names a CA: none is fine, a bad one is not', async (context) => {
    if (!openssl || !hasTool('curl')) context.skip('openssl or curl is not installed');
    const ask = (...more: string[]) => runTool('curl', ['-sk', ...more, 'https://127.78.13.5:8443/']);
    const own = (name: string) => ['--cert', file(`${name}.crt`), '--key', file(`${name}.key`)];
    const known = JSON.parse((await ask(...own('client'))).stdout);
    const pem = readFileSync(file('client.crt'), 'utf8');
    expect(known.tls.peerCertificates[0]).toBe(pem);
    expect(JSON.parse((await ask()).stdout).tls.peerCertificates).toBeUndefined();
    expect((await ask(...own('stranger'))).code).not.toBe(0);
  });

  it('is refused while the Secret is missing or broken', async (context) => {
    if (!openssl) context.skip('openssl is not installed');
    const secret = store.get('secrets', 'shop/cert')!;
    store.put('secrets', { ...secret, data: { 'tls.crt': 'bm9uZQ==', 'tls.key': 'bm9uZQ==' } } as never);
    const socket = tls.connect({ host: '127.78.13.4', port: 8443, rejectUnauthorized: false });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
    expect(runtime.logs('shop/https-1')!.lines().at(-1)!.text).toContain('its certificate cannot be used');
    store.put('secrets', secret);
  });
});
