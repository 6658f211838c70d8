import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OneRoute, oneRoute, PORT } from '../../testing/one-route.ts';
import { dial } from '../../testing/sockets.ts';

const chunked = ['Transfer-Encoding: chunked'];

describe('a limit on the size of bodies', () => {
  let place: OneRoute;
  beforeAll(async () => {
    place = await oneRoute('127.83.2.30', '127.83.2.31');
    await place.use([{ type: 'request-size', maxBytes: 10 }]);
  });
  beforeEach(() => {
    place.app.requests.length = 0;
  });
  afterAll(() => place.close());

  it('lets through what is not larger', async () => {
    const post = (lines: readonly string[], body: string) => place.ask({ method: 'POST', lines, body });
    expect((await place.ask()).status).toBe(200);
    expect((await post(['Content-Length: 0'], '')).status).toBe(200);
    expect((await post(['Content-Length: 10'], '0123456789')).status).toBe(200);
    expect((await post(chunked, '5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n')).status).toBe(200);
    expect(place.app.requests.length).toBe(4);
  });

  it('refuses what announces too much, before it is sent and without a backend', async () => {
    const lines = ['Content-Length: 11', 'Expect: 100-continue'];
    const answer = await place.ask({ method: 'POST', lines });
    expect(answer).toMatchObject({ status: 413, headers: { connection: 'close' } });
    expect(answer.body).toContain('larger than 10 bytes');
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'body_too_large', attempts: 0 });
    expect(place.app.requests).toEqual([]);
  });

  it('cuts off a chunked body that turns out larger, in one piece or in many', async () => {
    const whole = await place.ask({ method: 'POST', lines: chunked, body: 'b\r\n0123456789a\r\n0\r\n\r\n' });
    expect(whole).toMatchObject({ status: 413, headers: { connection: 'close' } });
    const client = await dial(place.address, PORT);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${chunked[0]}\r\n\r\n`);
    for (let i = 0; i < 11; i++) {
      client.send('1\r\nx\r\n');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 413 /);
    expect(place.app.requests).toEqual([]);
    for (let i = 0; i < 100 && place.app.sockets.size > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(place.front.records.at(-1)).toMatchObject({ status: 413, requestBytes: 10, flag: 'body_too_large' });
  });

  it('that is no number refuses everything', async () => {
    await place.use([{ type: 'request-size', maxBytes: Number.NaN }]);
    expect((await place.ask()).status).toBe(500);
    expect(place.front.findings).toEqual([expect.stringMatching(/^FW5221 .*NaN is not a number of bytes/)]);
  });
});
