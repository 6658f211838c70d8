/** Balancers that announce their clients, in front of HTTP and HTTPS listeners. */
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { dial, shout } from '../testing/sockets.ts';

const address = '127.83.5.9';
const stranger = '127.83.5.10';
const front = createFront({ proxyProtocol: { from: ['127.0.0.0/8'], maxHeaderBytes: 200, timeoutMs: 300 } });
const distrustful = createFront({ proxyProtocol: { from: ['10.0.0.0/8'] } });
const certificate = hasOpenssl() ? selfSigned('c', 'a.test') : undefined;
let app: RecordingBackend;

beforeAll(async () => {
  app = await recordingBackend(address, 8081);
  const hosts = [host('*', [route()])];
  const tls = { certificates: [{ serverName: '*', certificate: 'c' }] };
  const https = certificate ? [listener(address, 8443, hosts, { protocol: 'HTTPS', tls })] : [];
  for (const one of [front, distrustful]) await one.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(
    planOf([listener(address, 8080, hosts), ...https], [backend('app')], certificate ? [certificate] : []),
  );
  await distrustful.plan(planOf([listener(stranger, 8080, hosts)]));
});

beforeEach(() => {
  app.requests.length = 0;
});

afterAll(async () => {
  await front.close();
  await distrustful.close();
  await app.close();
});

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const one = 'PROXY TCP4 203.0.113.7 127.0.0.1 1234 80\r\n';
const two = '\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x08\x7f\x00\x00\x01\x04\xd2\x00\x50';
const seenFor = () => app.requests.map(({ lines }) => lines.find((line) => line.startsWith('X-Forwarded-For: ')));

it.each([
  ['version 1', one, '203.0.113.7'],
  ['version 2', two, '203.0.113.8'],
  ['no client', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
])('%s names the client', async (_, header, client) => {
  expect(await shout(address, 8080, header + get)).toMatch(/\r\n\r\nok$/);
  expect(seenFor()).toEqual([`X-Forwarded-For: ${client}`]);
});

it('may come in any pieces', async () => {
  const client = await dial(address, 8080);
  for (const byte of two + get) {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.closed()).toMatch(/\r\n\r\nok$/);
  client.socket.destroy();
});

it('holds for every request of the connection', async () => {
  const client = await dial(address, 8080);
  client.send(`${one}GET /1 HTTP/1.1\r\nHost: a\r\n\r\n`);
  await client.until('\r\n\r\nok');
  client.send(get);
  await client.closed();
  expect(seenFor()).toEqual(Array(2).fill('X-Forwarded-For: 203.0.113.7'));
  client.socket.destroy();
});

it.skipIf(!certificate)('comes before TLS', async () => {
  const raw = await dial(address, 8443);
  raw.socket.removeAllListeners('data');
  raw.send(two);
  const socket = connectTls({ socket: raw.socket, servername: 'a.test', rejectUnauthorized: false });
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.write(get);
  await expect.poll(() => text, { timeout: 3_000 }).toMatch(/\r\n\r\nok$/);
  expect(seenFor()).toEqual(['X-Forwarded-For: 203.0.113.8']);
  socket.destroy();
});

it.each([
  ['no header', get],
  ['a malformed one', `PROXY TCP4 nonsense\r\n${get}`],
  ['one over the bound', `${two.slice(0, 14)}\x01\x00${'x'.repeat(256)}${get}`],
  ['one that never ends', 'PROXY TCP4 '],
  ['nothing', ''],
])('a balancer that sends %s is cut off without a word', async (_, bytes) => {
  expect(await shout(address, 8080, bytes, 2_000)).toBe('');
  expect(app.requests).toEqual([]);
});

it('of strangers is no header but a bad request, and they need none', async () => {
  expect(await shout(stranger, 8080, one + get)).toMatch(/^HTTP\/1\.1 400 /);
  expect(await shout(stranger, 8080, get)).toMatch(/\r\n\r\nok$/);
  expect(seenFor()).toEqual(['X-Forwarded-For: 127.0.0.1']);
});
