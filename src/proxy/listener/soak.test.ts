/** Plans of a hundred hosts change 80 times under clients of every kind; bench/proxy/soak.mjs is the long form. */
import { afterAll, expect, it } from 'vitest';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { judge } from '../testing/soak/clients.ts';
import { runSoak } from '../testing/soak/soak.ts';
import { createWorld } from '../testing/soak/world.ts';

const address = '127.77.13.1';
const front = createFront({ telemetry: { accessSampleRate: 1 } });
afterAll(() => front.close());

const certificates = hasOpenssl() ? ['one', 'two', 'three'].map((name) => selfSigned(name, name)) : [];
if (certificates.length === 0) console.log('soak without TLS: openssl is not installed');
const world = createWorld({
  address,
  httpPort: 8080,
  httpsPort: 8443,
  firstServerPort: 8100,
  servers: 5,
  hosts: 100,
  routesPerHost: 10,
  certificates,
});

it('80 swaps of plans, endpoints and certificates cost nobody anything', { timeout: 60_000 }, async () => {
  const subject = {
    async swap(generation: number) {
      const done = front.endpoints(world.endpoints(generation));
      await Promise.all([done, front.plan(world.plan(generation))]);
    },
  };
  const { report } = await runSoak({
    world,
    subject,
    swaps: 80,
    swapEveryMs: 15,
    httpClients: 6,
    httpsClients: certificates.length > 0 ? 2 : 0,
    http2Streams: 4,
    pauseMs: 4,
  });
  expect(report.problems).toEqual([]);
  expect(front.records.filter(({ status, flag }) => (status !== 200 && status !== 101) || flag !== undefined)).toEqual(
    [],
  );
  expect(report.counts.get('http connections')).toBe(6);
  for (const what of [
    'http requests',
    'http2 requests',
    'WebSocket echoes',
    'bytes uploaded',
    'bytes downloaded',
    'bytes downloaded over http2',
  ])
    expect(report.counts.get(what)).toBeGreaterThan(40);
});

it('an answer of no plan in force is found out', () => {
  const [expected] = world.answers(0, '/order', 7, 7);
  const text = (server: number, stamp: string) => `server=${server};stamp=${stamp};path=/order;bytes=0;digest=`;
  const got = (server: number, stamp: string, shown = stamp) =>
    judge(
      world,
      { status: 200, stamp: shown, secret: undefined, text: text(server, stamp) },
      { hostAt: 0, path: '/order', bytes: 0, from: 7, to: 7 },
    );
  const [server] = expected!.servers;
  expect(got(server!, expected!.stamp)).toBeUndefined();
  expect(got(server!, 'h0/left@6')).toMatch(/of no plan/);
  expect(got(world.away(7), expected!.stamp)).toMatch(/of no plan/);
  expect(got(server!, expected!.stamp, 'h0/left@6')).toMatch(/response of/);
});
