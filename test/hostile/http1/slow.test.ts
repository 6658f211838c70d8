/** Clients that are slow, by mistake or on purpose. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecordingBackend, recordingBackend } from '../../../src/proxy/testing/backend.ts';
import { createFront } from '../../../src/proxy/testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../../../src/proxy/testing/plans.ts';
import { dial } from '../../../src/proxy/testing/sockets.ts';
import { chunked, get, post } from './case.ts';
import { statusesOf } from './run.ts';

const address = '127.83.5.8';
const port = 8080;
const front = createFront({ client: { headTimeoutMs: 400, bodyTimeoutMs: 400, keepAliveTimeoutMs: 400 } });
let app: RecordingBackend;

beforeAll(async () => {
  app = await recordingBackend(address, 8081);
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, port, [host('*', [route()])])]));
});

afterAll(async () => {
  await front.close();
  await app.close();
});

describe('too slow, and closed', () => {
  it.concurrent.each([
    ['9110 15.5.9 no end of the head', 'GET / HTTP/1.1\r\nHost: a\r\n', [408]],
    ['9110 15.5.9 no end of the request line', 'GET /', [408]],
    ['9110 15.5.9 half a line end', 'GET / HTTP/1.1\r\nHost: a\r\n\r', [408]],
    ['9110 15.5.9 no end of the body', post('Content-Length: 10\r\n', 'hello'), [408]],
    ['9110 15.5.9 no body', post('Content-Length: 10\r\n'), [408]],
    ['9110 15.5.9 no end of the chunks', chunked('5\r\nhello\r\n'), [408]],
    ['9110 15.5.9 no end of a chunk size', chunked('5'), [408]],
    ['9110 15.5.9 no end of the trailers', chunked('0\r\nX: a\r\n'), [408]],
    ['9110 15.5.9 no end of a second head', `${get('')}GET / HT`, [200, 408]],
    ['9112 9.5 nothing at all', '', []],
    ['9112 9.5 an empty line', '\r\n', []],
    ['9112 9.5 nothing after a response', get(''), [200]],
  ])('RFC %s', async (_, bytes, statuses) => {
    const client = await dial(address, port);
    client.send(bytes);
    expect(statusesOf(await client.closed())).toEqual(statuses);
    client.socket.destroy();
  });

  it.concurrent.each([
    ['a head', 'GET / HTTP/1.1\r\nHost: a\r\nX: ', 'x'],
    ['a request line', 'GET /', 'x'],
    ['head lines', 'GET / HTTP/1.1\r\nHost: a\r\n', 'X: a\r\n'],
  ])('%s that drips in', async (_, start, drop) => {
    const client = await dial(address, port);
    const drip = setInterval(() => client.send(drop), 40);
    client.send(start);
    expect(statusesOf(await client.closed(2_000))).toEqual([408]);
    clearInterval(drip);
    client.socket.destroy();
  });
});

it('what never became whole is no request for the backend', () => {
  expect(app.requests.map(({ line }) => line)).toEqual(['GET / HTTP/1.1', 'GET / HTTP/1.1']);
});
