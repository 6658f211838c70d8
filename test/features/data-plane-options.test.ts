/** Options of `--data-plane` and its flags, and spans for a collector: in one process and in two workers alike. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { parseDataPlane } from '../../src/local/data-plane-file.ts';
import { dial } from '../../src/proxy/testing/sockets.ts';
import { tracesUrl } from '../../src/proxy/trace/otlp/exporter.ts';
import { type Collector, openCollector } from '../../src/proxy/trace/otlp/testing.ts';
import { bundleWorker, removeBundles } from '../../src/proxy/workers/testing.ts';
import type { WorkerCommand } from '../../src/proxy/workers/workers.ts';
import { ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const file = `
client:
  maxTargetBytes: 128
  headTimeoutMs: 300ms
  maxHeader: 5
relay: { bufferBytes: 128KiB }
forwarded:
  headers: both
  via: door
  trustedProxies: [127.77.17.9, nobody]
telemetry:
  startTraces: true
`;

const trace = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

describe.skipIf(!canBind).each([0, 2])('options of the data plane with %s workers', (count) => {
  let door: TestDoor;
  let collector: Collector;
  let command: WorkerCommand;
  let address: string;

  beforeAll(async () => {
    command = await bundleWorker();
  });
  afterAll(removeBundles);

  beforeEach(async () => {
    collector = await openCollector('127.77.17.2');
    const dataPlane = parseDataPlane('dp.yaml', file);
    if ('unread' in dataPlane) throw new Error(dataPlane.unread.message);
    door = await openDoor(25, {
      paths: [join(packageRoot, 'examples/front-door')],
      dataPlane,
      telemetry: {
        otlp: { url: tracesUrl(collector.url)!, version: '0' },
        metrics: { host: '127.77.17.3', port: 0 },
      },
      ...(count > 0 && { workers: { count, command } }),
    });
    address = door.config.ingressAddress;
  });
  afterEach(async () => {
    await door.close();
    await collector.close();
    expect(collector.faults).toEqual([]);
  });

  it('hold where traffic is carried, and faults are findings', async () => {
    expect(door.summary.diagnostics.map(({ code, fieldPath }) => [code, fieldPath])).toEqual(
      expect.arrayContaining([
        ['FW5010', 'client.maxHeader'],
        ['FW5010', 'forwarded.trustedProxies[1]'],
      ]),
    );
    const host = 'api.example.com';
    expect((await ask({ address, host, path: `/v1/${'x'.repeat(200)}` })).status).toBe(414);
    const headers = { 'X-Forwarded-For': '203.0.113.7' };
    const told = async (from: string) => (await ask({ address, host, path: '/v1/', headers, from })).echo.headers;
    expect(await told('127.77.17.9')).toMatchObject({
      'X-Forwarded-For': ['203.0.113.7, 127.77.17.9'],
      Forwarded: [`for=127.77.17.9;host=${host};proto=http`],
      Via: ['1.1 door'],
    });
    expect(await told('127.77.17.8')).toMatchObject({ 'X-Forwarded-For': ['127.77.17.8'] });
    const client = await dial(address, 80);
    client.send('GET / HT');
    expect(await client.until((text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 408 /);
    client.socket.destroy();
  });

  it('spans reach the collector, those of the last moment included', async () => {
    const host = 'api.example.com';
    const headers = { traceparent: `00-${trace}-${parent}-01` };
    const { echo } = await ask({ address, host, path: '/v1/a?b=c', headers });
    const [, , spanId] = echo.headers['Traceparent']![0]!.split('-');
    await eventually(
      () => collector.spans,
      (spans) => spans.length === 1,
    );
    expect(collector.spans[0]).toMatchObject({
      traceId: trace,
      parentSpanId: parent,
      spanId,
      kind: 2,
      attributes: {
        'url.path': '/v1/a',
        'server.address': host,
        'http.response.status_code': '200',
        'fairway.listener': `${address}:80/HTTP`,
      },
    });
    const page = await (await fetch(door.summary.metrics!)).text();
    expect(page).toMatch(/^fairway_proxy_spans_exported_total 1$/m);
    const begun = await ask({ address, host, path: '/v1/begun-here' });
    await door.close();
    const last = collector.spans.find(({ attributes }) => attributes['url.path'] === '/v1/begun-here');
    expect(last!.parentSpanId).toBeUndefined();
    expect(begun.echo.headers['Traceparent']).toEqual([`00-${last!.traceId}-${last!.spanId}-01`]);
  });
});
