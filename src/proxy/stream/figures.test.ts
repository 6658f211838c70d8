/** What is counted and logged of streams, and what is left of them: nothing. On 127.77.11.0/24. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import type { ProxyOptions } from '../options.ts';
import { createFront } from '../testing/front.ts';
import { endpoint } from '../testing/plans.ts';
import { dial, listenRaw } from '../testing/sockets.ts';
import type { StreamRecord } from './record.ts';
import { share, streamListener, streamPlan, streamRoute } from './testing.ts';

const front = '127.77.11.31';
const backs = '127.77.11.32';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function open(options: ProxyOptions = {}) {
  const registry = createMetricsRegistry();
  const streams: StreamRecord[] = [];
  const proxy = createFront({ ...options, metrics: registry, onStream: (record) => streams.push(record) });
  cleanups.push(() => proxy.close());
  /** Samples about streams without the prefix; those of histograms' buckets left out. */
  const samples = () => {
    const wanted = /^fairway_proxy_(streams?_|upstream_failures)(?!.*_bucket\{)/;
    const lines = registry
      .expose()
      .split('\n')
      .filter((line) => wanted.test(line));
    return Object.fromEntries(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice('fairway_proxy_'.length, space), Number(line.slice(space + 1))];
      }),
    );
  };
  return { ...proxy, streams, samples };
}

async function echo(port: number) {
  const made = await listenRaw(backs, port, (socket) => void socket.on('data', (chunk) => socket.write(chunk)));
  cleanups.push(made.close);
  return made;
}

/** A connection that is refused, perhaps as it is being made. */
function knock(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: front, port });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('data', () => {});
  });
}

const named = (id: string, to = 'app') => streamRoute({ id, backends: [share(to)] });

describe('figures of streams', () => {
  it('are per route and listener, with bytes as they move', async () => {
    await echo(8001);
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 8001)] });
    await proxy.plan(streamPlan([streamListener(front, 8101, 'TCP', [named('TCPRoute/a')])]));
    const client = await dial(front, 8101);
    client.send('12345');
    await client.until('12345');
    const labels = `{route="TCPRoute/a",listener="${front}:8101/TCP"}`;
    expect(proxy.samples()).toEqual({
      [`streams_total${labels}`]: 1,
      [`streams_open${labels}`]: 1,
      [`stream_received_bytes_total${labels}`]: 5,
      [`stream_sent_bytes_total${labels}`]: 5,
      [`stream_duration_seconds_count${labels}`]: 0,
      [`stream_duration_seconds_sum${labels}`]: 0,
    });
    client.send('67');
    client.socket.end();
    await client.closed();
    await expect.poll(() => proxy.streams.length).toBe(1);
    expect(proxy.samples()).toMatchObject({
      [`streams_total${labels}`]: 1,
      [`streams_open${labels}`]: 0,
      [`stream_received_bytes_total${labels}`]: 7,
      [`stream_sent_bytes_total${labels}`]: 7,
      [`stream_duration_seconds_count${labels}`]: 1,
    });
  });

  it('say why streams are refused, and which backend is to blame', async () => {
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 8999)] });
    const listeners = [
      streamListener(front, 8102, 'TCP', []),
      streamListener(front, 8103, 'TCP', [named('TCPRoute/b')]),
    ];
    await proxy.plan(streamPlan(listeners));
    for (const port of [8102, 8103, 8103]) await knock(port);
    await expect.poll(() => proxy.streams.length).toBe(3);
    expect(proxy.samples()).toMatchObject({
      [`streams_total{route="",listener="${front}:8102/TCP"}`]: 1,
      [`streams_cut_total{listener="${front}:8102/TCP",flag="no_route"}`]: 1,
      [`streams_cut_total{listener="${front}:8103/TCP",flag="upstream_connect_failed"}`]: 2,
      'upstream_failures_total{backend="app",flag="upstream_connect_failed"}': 2,
    });
  });

  it('count UDP flows', async () => {
    const backend = createSocket('udp4');
    backend.on('message', (data, { port, address }) => backend.send(data, port, address));
    backend.bind(8004, backs);
    await once(backend, 'listening');
    cleanups.push(() => backend.close());
    const proxy = open({ stream: { udpIdleTimeoutMs: 200 } });
    await proxy.endpoints({ app: [endpoint(backs, 8004)] });
    await proxy.plan(streamPlan([streamListener(front, 8104, 'UDP', [named('UDPRoute/a')])]));
    const client = createSocket('udp4');
    cleanups.push(() => client.close());
    client.send('abc', 8104, front);
    await once(client, 'message');
    const labels = `{route="UDPRoute/a",listener="${front}:8104/UDP"}`;
    expect(proxy.samples()).toMatchObject({ [`streams_open${labels}`]: 1, [`stream_sent_bytes_total${labels}`]: 3 });
    await expect.poll(() => proxy.streams.length, { timeout: 2_000 }).toBe(1);
    expect(proxy.samples()).toMatchObject({
      [`streams_open${labels}`]: 0,
      [`streams_cut_total{listener="${front}:8104/UDP",flag="idle"}`]: 1,
    });
    expect(proxy.streams[0]).toMatchObject({ protocol: 'UDP', client: '127.0.0.1', receivedBytes: 3 });
  });

  it('have a bound, and are forgotten with their routes', async () => {
    const proxy = open({ telemetry: { maxRouteSeries: 2 } });
    const listeners = Array.from({ length: 4 }, (_, i) =>
      streamListener(front, 8110 + i, 'TCP', [named(`TCPRoute/${i}`)]),
    );
    await proxy.plan(streamPlan(listeners));
    for (let i = 0; i < 4; i++) await knock(8110 + i);
    await expect.poll(() => proxy.streams.length).toBe(4);
    const routesOf = () =>
      Object.keys(proxy.samples())
        .filter((name) => name.startsWith('streams_total'))
        .map((name) => /route="([^"]*)"/.exec(name)![1]);
    expect(routesOf()).toEqual(['TCPRoute/0', 'TCPRoute/1', '(more)', '(more)']);
    await proxy.plan(streamPlan(listeners.slice(3)));
    await knock(8113);
    await expect.poll(() => proxy.streams.length).toBe(5);
    expect(routesOf()).toEqual(['(more)', 'TCPRoute/3']);
    await proxy.plan(streamPlan([]));
    expect(Object.keys(proxy.samples()).filter((name) => name.startsWith('stream'))).toEqual([]);
  });

  it('hears of the share of streams that is asked for', async () => {
    const proxy = open({ telemetry: { accessSampleRate: 0 } });
    await proxy.plan(streamPlan([streamListener(front, 8120, 'TCP', [])]));
    await knock(8120);
    const labels = `{listener="${front}:8120/TCP",flag="no_route"}`;
    await expect.poll(() => proxy.samples()[`streams_cut_total${labels}`]).toBe(1);
    expect(proxy.streams).toEqual([]);
  });
});

/** What keeps this process busy. */
function resources(kind: RegExp): number {
  return process.getActiveResourcesInfo().filter((one) => kind.test(one)).length;
}

describe('1,000 connections and 1,000 flows that come and go', () => {
  it('leave no socket and no timer', async () => {
    let turn = 0;
    // Ends well, ends with a reset, and is refused by turns.
    const made = await listenRaw(backs, 8030, (socket) => {
      if (turn++ % 3 === 0) socket.resetAndDestroy();
    });
    cleanups.push(made.close);
    const proxy = open({ stream: { udpIdleTimeoutMs: 200, maxUdpFlows: 64 } });
    await proxy.endpoints({ app: [endpoint(backs, 8030)], gone: [endpoint(backs, 8998)] });
    const routes = (to: string) => [named('TCPRoute/a', to)];
    await proxy.plan(
      streamPlan([
        streamListener(front, 8130, 'TCP', routes('app')),
        streamListener(front, 8131, 'TCP', routes('gone')),
        streamListener(front, 8130, 'UDP', [named('UDPRoute/a', 'gone')]),
      ]),
    );
    const before = { sockets: resources(/TCP|UDP/), timers: resources(/Timeout/) };
    const visit = (i: number) =>
      new Promise<void>((resolve) => {
        const socket = connect({ host: front, port: i % 5 === 0 ? 8131 : 8130 });
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.on('data', () => {});
        socket.on('connect', () => {
          if (i % 4 === 0) socket.resetAndDestroy();
          else socket.end('hello');
        });
      });
    for (let i = 0; i < 1_000; i += 50) await Promise.all(Array.from({ length: 50 }, (_, n) => visit(i + n)));
    for (let i = 0; i < 1_000; i += 50) {
      const clients = Array.from({ length: 50 }, () => createSocket('udp4'));
      await Promise.all(clients.map((one) => new Promise((resolve) => one.send('x', 8130, front, resolve))));
      for (const one of clients) one.close();
      // The kernel keeps so many datagrams and no more.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await expect.poll(() => resources(/TCP|UDP/), { timeout: 5_000 }).toBeLessThanOrEqual(before.sockets);
    // Waiting for them takes timers of its own.
    expect(resources(/Timeout/)).toBeLessThanOrEqual(before.timers + 5);
    // Some were reset before they were accepted.
    expect(proxy.streams.filter(({ protocol }) => protocol === 'TCP').length).toBeGreaterThan(800);
    expect(proxy.streams.filter(({ protocol }) => protocol === 'UDP').length).toBeGreaterThan(500);
    const opens = () =>
      Object.entries(proxy.samples()).flatMap(([name, value]) => (name.startsWith('streams_open') ? [value] : []));
    await expect.poll(() => opens().every((value) => value === 0), { timeout: 5_000 }).toBe(true);
    expect(opens()).not.toEqual([]);
    expect(made.sockets.size).toBe(0);
  });
});
