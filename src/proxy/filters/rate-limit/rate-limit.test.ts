import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RateLimitFilter } from '../../../routing/plan/plan.ts';
import { type OneRoute, oneRoute } from '../../testing/one-route.ts';
import { admit } from './bucket.ts';

describe('a leaky bucket', () => {
  const rate = { intervalMs: 100, burst: 2 };

  it('takes the burst at once, then as it leaks', () => {
    const table = new Map<string, number>();
    const at = (now: number) => admit(table, 'k', now, rate, 10) === 0;
    expect([0, 0, 0, 0, 99, 100, 100, 200, 250, 1_000, 1_000, 1_000, 1_000].map(at)).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      false,
      true,
      true,
      true,
      false,
    ]);
    expect(admit(table, 'k', 1_000, rate, 10)).toBeCloseTo(100, 3);
    expect(admit(table, 'other', 1_000, rate, 10)).toBe(0);
  });

  it('is what nginx counts in limit_req (excess of requests over the rate)', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 60 }), fc.nat(5), (gaps, burst) => {
        const table = new Map<string, number>();
        let [now, last, excess] = [0, 0, 0];
        let seen = false;
        for (const gap of gaps) {
          now += gap;
          const next: number = seen ? Math.max(0, excess - (now - last) / 100 + 1) : 0;
          const expected = next <= burst + 1e-9;
          if (expected) [excess, last, seen] = [next, now, true];
          expect(admit(table, 'k', now, { intervalMs: 100, burst }, 10) === 0).toBe(expected);
        }
      }),
    );
  });

  it('forgets who was not let in for longest when there is no room', () => {
    const table = new Map<string, number>();
    for (const key of ['a', 'b', 'a', 'c', 'd']) admit(table, key, 0, rate, 3);
    expect([...table.keys()]).toEqual(['a', 'c', 'd']);
  });
});

describe('a rate limit', () => {
  let place: OneRoute;
  const limit: RateLimitFilter = {
    type: 'rate-limit',
    zone: 'z',
    key: { by: 'address' },
    requests: 2,
    perMs: 60_000,
    burst: 2,
    status: 429,
  };
  const from = (address: string, ...lines: string[]) => ({ lines: [`X-Forwarded-For: ${address}`, ...lines] });
  const statuses = async (count: number, request: { lines: string[] }) => {
    const seen: number[] = [];
    for (let i = 0; i < count; i++) seen.push((await place.ask(request)).status);
    return seen;
  };

  beforeAll(async () => {
    place = await oneRoute('127.83.2.50', '127.83.2.51', { forwarded: { trustedProxies: ['127.0.0.0/8'] } });
  });
  afterAll(() => place.close());

  it('counts per address, over plans, and says when to come again', async () => {
    await place.use([limit]);
    expect(await statuses(4, from('192.0.2.1'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(1, from('192.0.2.2'))).toEqual([200]);
    await place.use([limit]);
    const answer = await place.ask(from('192.0.2.1'));
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(25);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(30);
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'rate_limited', attempts: 0 });
  });

  it('counts an IPv6 network as one client', async () => {
    await place.use([{ ...limit, zone: 'v6' }]);
    expect(await statuses(3, from('2001:db8::1'))).toEqual([200, 200, 200]);
    expect(await statuses(1, from('2001:db8::ffff:2'))).toEqual([429]);
    expect(await statuses(1, from('2001:db8:0:1::1'))).toEqual([200]);
  });

  it('counts per value of a header, by address without it, with the status asked for', async () => {
    await place.use([{ ...limit, zone: 'h', key: { by: 'header', name: 'X-Key' }, status: 503, burst: 0 }]);
    expect(await statuses(2, from('192.0.2.1', 'X-Key: one'))).toEqual([200, 503]);
    expect(await statuses(2, from('192.0.2.9', 'X-Key: one'))).toEqual([503, 503]);
    expect(await statuses(2, from('192.0.2.1', 'x-key: two'))).toEqual([200, 503]);
    expect(await statuses(2, from('192.0.2.1'))).toEqual([200, 503]);
    expect(await statuses(2, from('192.0.2.2'))).toEqual([200, 503]);
  });

  it('counts all requests of a zone together', async () => {
    await place.use([{ ...limit, zone: 'all', key: { by: 'zone' }, burst: 1 }]);
    expect(await statuses(2, from('192.0.2.1'))).toEqual([200, 200]);
    expect(await statuses(1, from('192.0.2.2'))).toEqual([429]);
  });

  it('lets requests in again as time goes by', async () => {
    await place.use([{ ...limit, zone: 'fast', requests: 2, perMs: 1_000, burst: 0 }]);
    expect(await statuses(1, from('192.0.2.1'))).toEqual([200]);
    expect((await Promise.all([1, 2].map(() => place.ask(from('192.0.2.1'))))).map(({ status }) => status)).toContain(
      429,
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await statuses(1, from('192.0.2.1'))).toEqual([200]);
  });

  it('that is no rate refuses everything', async () => {
    await place.use([{ ...limit, requests: 0 }]);
    expect(await statuses(1, from('192.0.2.1'))).toEqual([500]);
    expect(place.front.findings).toEqual([expect.stringMatching(/^FW5221 .*is no rate/)]);
  });
});
