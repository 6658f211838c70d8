import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetricsRegistry, type MetricsRegistry } from '../../base/metrics.ts';
import type { ProxyOptions } from '../options.ts';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront, type Front } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { shout } from '../testing/sockets.ts';
import { createFamilies } from './families.ts';

const ADDRESS = '127.83.4.1';

let nextPort = 18_000;
/** Nobody else uses the address. */
const freePort = () => nextPort++;

const exchangeRaw = (port: number, bytes: string) => shout(ADDRESS, port, bytes);

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** The samples of an exposition without the prefix, those of histograms' buckets left out. */
function samplesOf(registry: MetricsRegistry): Record<string, number> {
  const lines = registry.expose().split('\n');
  const samples = lines.filter((line) => line.startsWith('fairway_proxy_') && !line.includes('_bucket{'));
  return Object.fromEntries(
    samples.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice('fairway_proxy_'.length, space), Number(line.slice(space + 1))];
    }),
  );
}

interface Setup {
  readonly front: Front;
  readonly registry: MetricsRegistry;
  readonly app: RecordingBackend;
  readonly appPort: number;
  readonly port: number;
  /** Label of the listener. */
  readonly id: string;
}

async function setUp(options: ProxyOptions = {}): Promise<Setup> {
  const registry = createMetricsRegistry();
  const front = createFront({ ...options, metrics: registry });
  const appPort = freePort();
  const app = await recordingBackend(ADDRESS, appPort);
  open.push(app, front);
  const port = freePort();
  await front.endpoints({ app: [endpoint(ADDRESS, appPort)] });
  return { front, registry, app, appPort, port, id: `${ADDRESS}:${port}/HTTP` };
}

const named = (id: string, prefix: string) => route({ id, match: { path: { type: 'prefix', value: prefix } } });
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
const last = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`;

it('shows as many series as telemetry.maxRouteSeries may ask for', () => {
  const registry = createMetricsRegistry();
  const { requests } = createFamilies(registry);
  for (let i = 0; i < 10_000; i++) for (const code of ['2xx', '5xx']) requests.with(`r${i}`, 'l', code, 'safe').inc();
  expect(registry.expose().match(/^fairway_proxy_requests_total\{/gm)).toHaveLength(20_000);
});

describe('metrics of the data plane', () => {
  it('count requests by route, code and method, with bytes and times', async () => {
    const { front, registry, port, id } = await setUp();
    await front.plan(planOf([listener(ADDRESS, port, [host('*', [named('one', '/one'), named('two', '/two')])])]));
    const post = 'POST /two HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello';
    await exchangeRaw(port, get('/one/a') + get('/one/b') + post);
    await front.record(3);
    const samples = samplesOf(registry);
    expect(samples).toMatchObject({
      [`requests_total{route="one",listener="${id}",code="2xx",method="safe"}`]: 2,
      [`requests_total{route="two",listener="${id}",code="2xx",method="other"}`]: 1,
      [`request_duration_seconds_count{route="one",listener="${id}"}`]: 2,
      [`upstream_duration_seconds_count{route="two",listener="${id}"}`]: 1,
      [`request_bytes_total{route="two",listener="${id}"}`]: 5,
      [`response_bytes_total{route="one",listener="${id}"}`]: 4,
      [`retries_total{route="one",listener="${id}"}`]: 0,
      [`connections_total{listener="${id}"}`]: 1,
      plan_generation: 2,
      certificates: 0,
      'endpoints{backend="app",state="known"}': 1,
      'endpoints{backend="app",state="ready"}': 1,
    });
    const seconds = samples[`request_duration_seconds_sum{route="one",listener="${id}"}`]!;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(5);
    expect(samples['plan_age_seconds']).toBeGreaterThan(0);
  });

  it('have no series for what clients make up', async () => {
    const { front, registry, port } = await setUp();
    await front.plan(planOf([listener(ADDRESS, port, [host('a.example', [named('one', '/one')])])]));
    const count = () => registry.expose().split('\n').length;
    const ask = (method: string, path: string, name: string) =>
      exchangeRaw(port, `${method} ${path} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    for (const name of ['a.example', 'b.example']) for (const path of ['/one', '/']) await ask('MADE', path, name);
    const before = count();
    for (let i = 0; i < 20; i++) await ask(`M${i}`, `/one/${i}`, 'a.example');
    for (let i = 0; i < 20; i++) await ask('MADE', `/${i}`, i % 2 ? 'a.example' : `${i}.example`);
    expect(count()).toBe(before);
  });

  it('say why responses were made here, and which backend failed', async () => {
    const { front, registry, app, port, id } = await setUp();
    const dead = freePort();
    const to = (name: string) =>
      route({
        id: name,
        match: { path: { type: 'prefix', value: `/${name}` } },
        action: { type: 'forward', backends: [share(name)] },
      });
    const backends = ['app', 'dead', 'empty'].map((name) => backend(name));
    await front.plan(
      planOf(
        [
          listener(ADDRESS, port, [
            host(
              '*',
              backends.map((one) => to(one.id)),
            ),
          ]),
        ],
        backends,
      ),
    );
    await front.endpoints({ dead: [endpoint(ADDRESS, dead)] });
    await exchangeRaw(port, get('/dead') + get('/empty') + get('/nobody') + 'no request\r\n\r\n');
    app.answer((_request, socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort'));
    await exchangeRaw(port, last('/app'));
    await front.record(5);
    expect(samplesOf(registry)).toMatchObject({
      [`responses_made_total{listener="${id}",flag="upstream_connect_failed"}`]: 1,
      [`responses_made_total{listener="${id}",flag="no_endpoints"}`]: 1,
      [`responses_made_total{listener="${id}",flag="no_route"}`]: 1,
      [`responses_made_total{listener="${id}",flag="bad_request"}`]: 1,
      [`responses_cut_total{listener="${id}",flag="upstream_truncated"}`]: 1,
      'upstream_failures_total{backend="dead",flag="upstream_connect_failed"}': 1,
      'upstream_failures_total{backend="app",flag="upstream_truncated"}': 1,
      [`requests_total{route="",listener="${id}",code="4xx",method="safe"}`]: 1,
      [`requests_total{route="",listener="${id}",code="4xx",method="other"}`]: 1,
    });
    expect(Object.keys(samplesOf(registry)).some((name) => name.includes('backend="empty",flag'))).toBe(false);
  });

  it('count tries beyond the first', async () => {
    const { front, registry, appPort, port, id } = await setUp();
    await front.plan(planOf([listener(ADDRESS, port, [host('*', [named('one', '/')])])]));
    await front.endpoints({ app: [endpoint(ADDRESS, freePort()), endpoint(ADDRESS, appPort)] });
    await exchangeRaw(port, last('/'));
    expect(samplesOf(registry)[`retries_total{route="one",listener="${id}"}`]).toBe(1);
  });

  it('forget what left the plan and keep counting what stayed', async () => {
    const { front, registry, port, id } = await setUp();
    const planWith = (...ids: string[]) =>
      planOf([
        listener(ADDRESS, port, [
          host(
            '*',
            ids.map((one) => named(one, `/${one}`)),
          ),
        ]),
      ]);
    const series = (name: string) => Object.keys(samplesOf(registry)).filter((key) => key.includes(`route="${name}"`));
    await front.plan(planWith('one', 'two'));
    await exchangeRaw(port, get('/one') + last('/two'));
    expect(series('one').length).toBeGreaterThan(5);
    await front.plan(planWith('two'));
    expect(series('one')).toEqual([]);
    await exchangeRaw(port, last('/two'));
    expect(samplesOf(registry)[`requests_total{route="two",listener="${id}",code="2xx",method="safe"}`]).toBe(2);
    await front.plan(planOf([]));
    await front.endpoints({ app: null });
    const left = registry
      .expose()
      .split('\n')
      .filter((line) => /^fairway_proxy_(?!connections_open).*{/.test(line));
    expect(left).toEqual([]);
  });

  it('hold at most so many routes and backends, and give the rest a name of their own', async () => {
    const { front, registry, port, id } = await setUp({ telemetry: { maxRouteSeries: 2, maxBackendSeries: 1 } });
    const ids = ['a', 'b', 'c', 'd'];
    const planWith = (names: string[]) =>
      planOf([
        listener(ADDRESS, port, [
          host(
            '*',
            names.map((one) => named(one, `/${one}`)),
          ),
        ]),
      ]);
    await front.plan(planWith(ids));
    await exchangeRaw(port, ids.map((one) => get(`/${one}`)).join('') + last('/d'));
    await front.endpoints({ more: [endpoint(ADDRESS, 1), endpoint(ADDRESS, 2, { ready: false })], still: [] });
    const samples = samplesOf(registry);
    const requests = (name: string) => `requests_total{route="${name}",listener="${id}",code="2xx",method="safe"}`;
    expect(samples).toMatchObject({
      ...{ [requests('a')]: 1, [requests('b')]: 1, [requests('(more)')]: 3 },
      'endpoints{backend="(more)",state="known"}': 2,
      'endpoints{backend="(more)",state="ready"}': 1,
    });
    expect(Object.keys(samples)).not.toContain(requests('c'));
    // Room that routes leave is taken by others, though nobody has read the metrics in between.
    await front.plan(planWith(['c', 'd']));
    await exchangeRaw(port, last('/c'));
    expect(samplesOf(registry)[requests('c')]).toBe(1);
  });

  it.skipIf(!hasOpenssl())('show connections: open, refused, and handshakes that failed', async () => {
    const { front, registry, port, id } = await setUp({ client: { maxConnections: 2 } });
    const tlsPort = freePort();
    const certificate = selfSigned('cert', 'a.example');
    const secure = listener(ADDRESS, tlsPort, [host('*', [named('one', '/')])], {
      protocol: 'HTTPS',
      tls: { certificates: [{ serverName: 'a.example', certificate: 'cert' }] },
    });
    const plain = listener(ADDRESS, port, [host('*', [named('one', '/')])]);
    await front.plan(planOf([plain, secure], [backend('app')], [certificate]));
    const failed = connectTls({ host: ADDRESS, port: tlsPort, servername: 'b.example', rejectUnauthorized: false });
    await new Promise((resolve) => failed.once('error', resolve));
    const until = async (name: string, value: number) => {
      for (let i = 0; i < 200 && samplesOf(registry)[name] !== value; i++) await new Promise((go) => setTimeout(go, 5));
      expect(samplesOf(registry)[name]).toBe(value);
    };
    await until(`tls_handshake_failures_total{listener="${secure.id}"}`, 1);
    const sockets = [0, 1].map(() => connect(port, ADDRESS));
    await until(`connections_open{listener="${id}"}`, 2);
    const third = connect(port, ADDRESS);
    await new Promise((resolve) => third.once('close', resolve));
    await until(`connections_refused_total{listener="${id}"}`, 1);
    for (const socket of sockets) socket.destroy();
    await until(`connections_open{listener="${id}"}`, 0);
    const samples = samplesOf(registry);
    expect(samples['certificates']).toBe(1);
    const expiry = samples['certificate_expiry_timestamp_seconds{certificate="cert"}']!;
    expect(expiry * 1000).toBeGreaterThan(Date.now());
  });
});
