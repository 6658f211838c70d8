/** The same bytes over real sockets, cut at random places: the same answers, and the same requests for the backend. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dechunk, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { dial } from '../testing/sockets.ts';

const address = '127.79.3.1';
const front = createFront();
let app: RecordingBackend;

beforeAll(async () => {
  app = await recordingBackend(
    address,
    8081,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: d\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n',
  );
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, 8080, [host('*', [route()])])]));
});

afterAll(async () => {
  await front.close();
  await app.close();
});

const bytes = [
  'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world',
  'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nSum: 1\r\n\r\n',
  'GET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
  'HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
].join('');

const sent = async (pieces: readonly string[]) => {
  app.requests.length = 0;
  const client = await dial(address, 8080);
  for (const piece of pieces) {
    client.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const text = await client.closed();
  client.socket.destroy();
  return { text, requests: app.requests.map(({ line, body }) => [line, line.includes('/2') ? dechunk(body) : body]) };
};

it('cuts do not matter', async () => {
  const whole = await sent([bytes]);
  expect(whole.requests.map(([line]) => line)).toEqual(
    ['POST /1', 'POST /2', 'GET /3', 'HEAD /4', 'GET /5'].map((line) => `${line} HTTP/1.1`),
  );
  expect(whole.text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(5);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 }),
      async (places) => {
        const ends = [...places.sort((a, b) => a - b), bytes.length];
        expect(await sent(ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end)))).toEqual(whole);
      },
    ),
    { numRuns: 60 },
  );
  expect(await sent([...bytes])).toEqual(whole);
});

it('bytes at random never hang a connection or the data plane', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (noise) => {
      const client = await dial(address, 8080);
      client.socket.write(noise);
      client.socket.end();
      await client.closed(2_000);
      client.socket.destroy();
    }),
    { numRuns: 100 },
  );
  expect((await sent([bytes])).requests).toHaveLength(5);
});
