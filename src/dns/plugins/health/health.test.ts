/** The page, the self-check behind its metrics, and readiness. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../../base/metrics.ts';
import { serveCorefile } from '../../testing.ts';
import { readyPage } from '../ready/ready.ts';
import { createHealth } from './health.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 4000;
  while (!holds() && performance.now() < end) await new Promise((resume) => setTimeout(resume, 10));
}

function check(door: { host: string; port: number } | undefined, timeoutMs = 3000) {
  const metrics = createMetricsRegistry();
  const logs: string[] = [];
  const log = (level: string, text: string) => logs.push(`${level} ${text}`);
  const health = createHealth({ metrics, log, door: () => door, intervalMs: 10, timeoutMs });
  ends.push(() => health.close!());
  void health.start!();
  return { metrics, logs };
}

describe('health', () => {
  it('fetches its own page and counts how long that took', async () => {
    const server = await serveCorefile('. {\nhealth :8080\nwhoami\n}', { address: '127.82.6.3' });
    ends.push(() => server.stop());
    expect(await server.page(':8080', '/health')).toEqual({ status: 200, text: 'OK' });
    const fetched = () =>
      / ([1-9]\d*)\n/.test(server.server.metrics.expose().split('request_duration_seconds_count')[1] ?? '');
    await until(fetched);
    expect(server.server.metrics.expose()).toMatch(/^coredns_health_request_duration_seconds_count [1-9]/m);
    expect(server.server.metrics.expose()).toMatch(/^coredns_health_request_failures_total 0$/m);
  });

  it('counts and logs a page that does not come', async () => {
    const { metrics, logs } = check({ host: '127.82.6.3', port: 1 });
    await until(() => logs.length > 0);
    expect(logs[0]).toMatch(
      /^warning Local health request to "http:\/\/127\.82\.6\.3:1\/health" failed: .*ECONNREFUSED/,
    );
    expect(metrics.expose()).toMatch(/^coredns_health_request_failures_total [1-9]/m);
  });

  it('does not wait for a page for ever', async () => {
    const silent = createServer(() => {}).listen(0, '127.82.6.3');
    await new Promise((listening) => silent.once('listening', listening));
    ends.push(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const { logs } = check({ host: '127.82.6.3', port: (silent.address() as AddressInfo).port }, 50);
    await until(() => logs.length > 0);
    expect(logs[0]).toContain('no answer in 50 ms');
  });

  it('measures nothing where another process has the page', async () => {
    const { metrics, logs } = check(undefined);
    await new Promise((resume) => setTimeout(resume, 60));
    expect(logs).toEqual([]);
    expect(metrics.expose()).toMatch(/^coredns_health_request_duration_seconds_count 0$/m);
  });
});

describe('ready', () => {
  const page = (continuously: boolean, states: string[][]) => {
    const shared = { notReady: () => states.shift() ?? [], stopping: () => false };
    const asked = readyPage({ shared, log: () => {}, continuously });
    return () => asked(new URLSearchParams()) as { status: number; text: string };
  };

  it('asks each plugin until it was ready once', () => {
    const ask = page(false, [['kubernetes', 'forward'], ['forward'], ['kubernetes'], ['kubernetes']]);
    expect([ask(), ask(), ask(), ask()].map(({ text }) => text)).toEqual(['forward,kubernetes', 'forward', 'OK', 'OK']);
  });

  it('asks all plugins always with monitor continuously', () => {
    const ask = page(true, [['kubernetes'], [], ['kubernetes']]);
    expect([ask(), ask(), ask()].map(({ status }) => status)).toEqual([503, 200, 503]);
  });
});
