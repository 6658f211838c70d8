import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMetricsRegistry, type MetricsRegistry } from '../../../base/metrics.ts';
import { recordOf } from '../../testing/records.ts';
import { until } from '../../workers/testing.ts';
import type { SpanRecord } from '../span.ts';
import { createExporter, type Exporter, type ExporterOptions, tracesUrl } from './exporter.ts';
import { type Collector, openCollector } from './testing.ts';

const ADDRESS = '127.77.17.1';

let made = 0;
function span(): SpanRecord {
  const spanId = (++made).toString(16).padStart(16, '0');
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const context = { traceId, spanId, parentId: undefined, flags: 1, traceState: undefined };
  return { context: { ...context, scheme: 'http', port: 80, client: '::1' }, request: recordOf(), cut: false };
}

describe('the exporter of spans', () => {
  let collector: Collector;
  let metrics: MetricsRegistry;
  let losses: string[];
  const exporters: Exporter[] = [];

  beforeEach(async () => {
    collector = await openCollector(ADDRESS);
    metrics = createMetricsRegistry();
    losses = [];
  });
  afterEach(async () => {
    for (const exporter of exporters.splice(0)) await exporter.close(0);
    await collector.close();
    expect(collector.faults).toEqual([]);
  });

  function open(more: Partial<ExporterOptions> = {}): Exporter {
    const exporter = createExporter({
      url: tracesUrl(collector.url)!,
      version: '0',
      metrics,
      onLoss: (why) => losses.push(why),
      flushMs: 10,
      backoffMs: 10,
      ...more,
    });
    exporters.push(exporter);
    return exporter;
  }

  const send = (exporter: Exporter, count: number) => Array.from({ length: count }, () => exporter.add(span()));
  const figures = (): string[] => metrics.expose().match(/^fairway_proxy_spans\S* \S+$/gm) ?? [];
  const exported = (count: number) => `fairway_proxy_spans_exported_total ${count}`;
  const dropped = (reason: string, count: number) => `fairway_proxy_spans_dropped_total{reason="${reason}"} ${count}`;

  it('sends batches, full ones at once and others after a while', async () => {
    const exporter = open({ maxBatch: 4 });
    send(exporter, 10);
    await until(() => figures().includes(exported(10)), 'ten spans');
    expect(collector.requests).toEqual([4, 4, 2]);
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(10);
    expect(figures()).toEqual([exported(10)]);
    expect(losses).toEqual([]);
  });

  it('tries again what the collector has no time for, and not before it wants to be asked', async () => {
    const times: number[] = [];
    collector.answer((response) => {
      times.push(performance.now());
      if (times.length === 1) response.writeHead(429, { 'Retry-After': '1' }).end();
      else if (times.length === 2) response.writeHead(503).end();
      else response.writeHead(200).end();
    });
    send(open(), 3);
    await until(() => figures().includes(exported(3)), 'three spans');
    expect(collector.requests).toEqual([3, 3, 3]);
    expect(times[1]! - times[0]!).toBeGreaterThan(990);
    expect(times[2]! - times[1]!).toBeLessThan(900);
    expect(figures()).toEqual([exported(3)]);
    expect(collector.spans).toHaveLength(3);
  });

  it('gives up after so many attempts, says so once, and goes on with the next', async () => {
    let isDown = true;
    collector.answer((response) => void response.writeHead(isDown ? 503 : 200).end());
    const exporter = open({ maxAttempts: 3, maxBatch: 2 });
    send(exporter, 4);
    await until(() => figures().includes(dropped('unreachable', 4)), 'all dropped');
    expect(collector.requests).toEqual([2, 2, 2, 2, 2, 2]);
    expect(losses).toEqual(['the collector answered 503']);
    isDown = false;
    send(exporter, 1);
    await until(() => figures().includes(exported(1)), 'one exported');
    isDown = true;
    send(exporter, 1);
    await until(() => figures().includes(dropped('unreachable', 5)), 'one more dropped');
    expect(losses).toHaveLength(2);
  });

  it('does not repeat what the collector refuses, or has taken in part', async () => {
    collector.answer((response) => void response.writeHead(400).end('no'));
    const exporter = open();
    send(exporter, 2);
    await until(() => figures().includes(dropped('refused', 2)), 'refused');
    collector.answer((response) => void response.end('{"partialSuccess":{"rejectedSpans":"1","errorMessage":"old"}}'));
    send(exporter, 3);
    await until(() => figures().includes(exported(2)), 'two of three');
    expect(figures()).toContain(dropped('refused', 3));
    expect(collector.requests).toEqual([2, 3]);
  });

  it('holds no more than it may', async () => {
    collector.answer(() => {});
    const exporter = open({ maxQueued: 10, maxBatch: 5, timeoutMs: 60_000 });
    send(exporter, 5);
    await until(() => collector.requests.length === 1, 'one request under way');
    send(exporter, 25);
    expect(figures()).toEqual([dropped('queue_full', 15), exported(0)]);
    expect(losses).toEqual(['10 spans wait already']);
  });

  it('waits for no answer for ever, and bears answers of any size and kind', async () => {
    collector.answer(() => {});
    send(open({ timeoutMs: 50, maxAttempts: 2 }), 1);
    await until(() => figures().includes(dropped('unreachable', 1)), 'timed out');
    expect(losses).toEqual(['no answer within 50 ms']);
    collector.answer((response) => void response.end('x'.repeat(10_000_000)));
    send(open(), 1);
    await until(() => figures().includes(exported(1)), 'taken with a huge answer');
    collector.answer((response) => response.socket!.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnull'));
    send(open(), 1);
    await until(() => figures().includes(exported(2)), 'taken with half an answer');
    collector.answer((response) => response.socket!.end('not HTTP'));
    send(open({ maxAttempts: 1 }), 1);
    await until(() => figures().includes(dropped('unreachable', 2)), 'no HTTP');
  });

  it('bears a collector that is not there', async () => {
    send(open({ url: tracesUrl(`http://${ADDRESS}:1`)!, maxAttempts: 2 }), 2);
    await until(() => figures().includes(dropped('unreachable', 2)), 'dropped');
    expect(losses).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  it('sends what is left when it is closed', async () => {
    const exporter = open({ flushMs: 60_000, maxBatch: 100 });
    send(exporter, 250);
    await exporter.close(2_000);
    expect(collector.requests).toEqual([100, 100, 50]);
    expect(figures()).toEqual([exported(250)]);
    exporter.add(span());
    expect(figures()).toContain(dropped('shutdown', 1));
  });

  it('ends in time when the collector does not answer, also in the midst of a pause', async () => {
    const exporter = open({ maxBatch: 2, maxAttempts: 2, backoffMs: 60_000, maxBackoffMs: 60_000 });
    collector.answer((response) => void response.writeHead(503).end());
    send(exporter, 4);
    await until(() => collector.requests.length === 1, 'one attempt');
    collector.answer(() => {});
    const began = performance.now();
    await exporter.close(100);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(figures()).toContain(dropped('shutdown', 4));
  });
});

describe('the URL of a collector', () => {
  it.each([
    ['http://c:4318', 'http://c:4318/v1/traces'],
    ['http://c:4318/', 'http://c:4318/v1/traces'],
    ['https://c/v1/traces', 'https://c/v1/traces'],
    ['https://c/otlp/', 'https://c/otlp/v1/traces'],
    ['http://[::1]:4318/?key=1#x', 'http://[::1]:4318/v1/traces?key=1'],
  ])('%s is %s', (given, url) => expect(tracesUrl(given)?.href).toBe(url));
  it.each(['', 'c:4318', 'grpc://c:4317', 'http://', '/v1/traces'])('not %j', (given) =>
    expect(tracesUrl(given)).toBeUndefined(),
  );
});
