import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConcurrencyFilter } from '../../../routing/plan/plan.ts';
import { OK } from '../../testing/backend.ts';
import { type OneRoute, oneRoute, PORT } from '../../testing/one-route.ts';
import { dial } from '../../testing/sockets.ts';

const limit: ConcurrencyFilter = { type: 'concurrency', zone: 'z', key: { by: 'address' }, max: 2, status: 503 };
const from = (address: string) => ({ lines: [`X-Forwarded-For: ${address}`] });

describe('a limit on requests under way', () => {
  let place: OneRoute;
  const waiting: Socket[] = [];
  const answerAll = () => {
    for (const socket of waiting.splice(0)) socket.write(OK);
  };
  const arrived = async (count: number) => {
    for (let i = 0; i < 300 && waiting.length < count; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(waiting.length).toBe(count);
  };

  beforeAll(async () => {
    place = await oneRoute('127.83.2.60', '127.83.2.61', { forwarded: { trustedProxies: ['127.0.0.0/8'] } });
    place.app.answer((_request, socket) => waiting.push(socket));
    await place.use([limit]);
  });
  afterAll(() => place.close());

  it('refuses one more until one is over, per client, over plans', async () => {
    const under = [place.ask(from('192.0.2.1')), place.ask(from('192.0.2.1'))];
    await arrived(2);
    expect((await place.ask(from('192.0.2.1'))).status).toBe(503);
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'concurrency_limited', attempts: 0 });
    await place.use([limit]);
    expect((await place.ask(from('192.0.2.1'))).status).toBe(503);
    const other = place.ask(from('192.0.2.2'));
    await arrived(3);
    answerAll();
    expect((await Promise.all([...under, other])).map(({ status }) => status)).toEqual([200, 200, 200]);
    const after = place.ask(from('192.0.2.1'));
    await arrived(1);
    answerAll();
    expect((await after).status).toBe(200);
  });

  it('counts a client no longer that has gone away', async () => {
    const lines = 'X-Forwarded-For: 192.0.2.7\r\n';
    const clients = await Promise.all([1, 2].map(() => dial(place.address, PORT)));
    for (const client of clients) client.send(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
    await arrived(2);
    waiting.length = 0;
    for (const client of clients) client.socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const again = place.ask(from('192.0.2.7'));
    await arrived(1);
    answerAll();
    expect((await again).status).toBe(200);
  });

  it('of zero lets nothing in; one that is no number answers 500', async () => {
    await place.use([{ ...limit, max: 0, status: 429 }]);
    expect((await place.ask()).status).toBe(429);
    await place.use([{ ...limit, max: -1 }]);
    expect((await place.ask()).status).toBe(500);
    expect(place.front.findings).toEqual([expect.stringMatching(/^FW5221 .*-1 is not a number of requests/)]);
  });
});
