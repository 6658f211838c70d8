/** What an operator sees of traffic: access log, metrics for Prometheus, traces. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { clusterConfigOf } from '../../src/local/config.ts';
import { startFrontDoor } from '../../src/local/front-door.ts';
import { askDns } from '../support/dns.ts';
import { ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const METRICS = { host: '127.83.4.2', port: 0 };
const paths = [join(packageRoot, 'examples/front-door')];
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${trace}-00f067aa0ba902b7-01`;

/** One request, byte for byte; resolves when the connection is closed. */
function sendRaw(address: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(80, address, () => socket.write(bytes, 'latin1'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

describe.skipIf(!canBind)('a front door that is watched', () => {
  const folder = mkdtempSync(join(tmpdir(), 'observability-'));
  const file = join(folder, 'access.log');
  let door: TestDoor;
  let address: string;

  beforeAll(async () => {
    door = await openDoor(31, {
      paths,
      telemetry: { accessLog: { path: file, format: 'json', sampleRate: 1 }, metrics: METRICS, startTraces: 1 },
    });
    address = door.config.ingressAddress;
  });
  afterAll(async () => {
    await door.close(0);
    rmSync(folder, { recursive: true });
  });

  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  /** The record whose target is this one; the log is written a moment later. */
  const logged = (target: string) =>
    eventually(
      () =>
        lines()
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .find((one) => one['target'] === target),
      (record) => record !== undefined,
    ) as Promise<Record<string, unknown>>;
  const metrics = async () => (await fetch(door.summary.metrics!)).text();
  const metric = (text: string) => eventually(metrics, (page) => page.includes(text));

  it('logs a request with its route, backend, endpoint, times and trace', async () => {
    const headers = { 'user-agent': 'observer/1', referer: 'http://from.example/', traceparent, tracestate: 'a=1' };
    const { echo } = await ask({ address, host: 'api.example.com', path: '/v1/logged', headers });
    const record = await logged('/v1/logged');
    expect(record).toMatchObject({
      ...{ method: 'GET', host: 'api.example.com', protocol: 'HTTP/1.1', status: 200, attempts: 1 },
      ...{ listener: `${address}:80/HTTP`, backend: 'default/api-v1:80', client: '127.0.0.1' },
      ...{ referer: 'http://from.example/', userAgent: 'observer/1', traceId: trace },
    });
    expect(record['route']).toMatch(/^Ingress\/default\/front-door\//);
    expect(record['endpoint']).toMatch(/^127\.\d+\.\d+\.\d+:\d+$/);
    expect(record['upstreamMs']).toBeLessThanOrEqual(record['durationMs'] as number);
    expect(record['flag']).toBeUndefined();
    expect(Math.abs(Date.parse(record['time'] as string) - Date.now())).toBeLessThan(10_000);
    expect(echo.headers['Traceparent']).toEqual([traceparent]);
    expect(echo.headers['Tracestate']).toEqual(['a=1']);
  });

  it('says why it answered by itself', async () => {
    await ask({ address, host: 'api.example.com', path: '/nowhere' });
    expect(await logged('/nowhere')).toMatchObject({ status: 404, flag: 'no_route', attempts: 0 });
    await ask({ address, host: 'nobody.example.com', path: '/no-host' });
    expect(await logged('/no-host')).toMatchObject({ status: 404, flag: 'no_host' });
    await sendRaw(address, 'GET /too-old HTTP/1.1\r\n\r\n');
    expect(await logged('/too-old')).toMatchObject({ status: 400, flag: 'bad_request' });
  });

  it('begins a trace where a request brings none or a broken one, and drops what is broken', async () => {
    const { echo } = await ask({ address, host: 'api.example.com', path: '/v1/begun' });
    const begun = echo.headers['Traceparent']![0]!;
    expect(begun).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect((await logged('/v1/begun'))['traceId']).toBe(begun.slice(3, 35));
    const broken = await ask({
      ...{ address, host: 'api.example.com', path: '/v1/broken' },
      headers: { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, tracestate: 'a=1' },
    });
    expect(broken.echo.headers['Traceparent']![0]).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(broken.echo.headers['Tracestate']).toBeUndefined();
    const state = await ask({
      ...{ address, host: 'api.example.com', path: '/v1/state' },
      headers: { traceparent, tracestate: 'NO' },
    });
    expect(state.echo.headers['Traceparent']).toEqual([traceparent]);
    expect(state.echo.headers['Tracestate']).toBeUndefined();
  });

  it('lets no request begin a line of its own or move a terminal’s cursor', async () => {
    const agent = 'a\x9b2J"\\\xe9\t{"status":200}';
    await sendRaw(address, `GET /forge"\\ HTTP/1.1\r\nHost: a\r\nUser-Agent: ${agent}\r\nConnection: close\r\n\r\n`);
    const record = await logged('/forge"\\');
    expect(record['userAgent']).toBe(agent);
    for (const line of lines()) expect(line).toMatch(/^[\x20-\x7e]+$/);
  });

  it('serves metrics of the data plane, the DNS server, the controller and the process', async () => {
    await ask({ address, host: 'api.example.com', path: '/v2/counted' });
    await ask({ address, host: 'api.example.com', path: '/nowhere' });
    await askDns(door.summary.dns[0]!, 'api-v1.default.svc.cluster.local');
    const page = await metric('fairway_dns_queries_total{proto="udp"}');
    expect(page).toMatch(
      /^fairway_proxy_requests_total\{route="Ingress\/[^"]+",listener="[^"]+",code="2xx",method="safe"\} \d+$/m,
    );
    expect(page).toMatch(
      /^fairway_proxy_request_duration_seconds_bucket\{route="[^"]+",listener="[^"]+",le="\+Inf"\} \d+$/m,
    );
    expect(page).toMatch(/^fairway_proxy_responses_made_total\{listener="[^"]+",flag="no_route"\} [1-9]\d*$/m);
    expect(page).toMatch(/^fairway_proxy_endpoints\{backend="default\/api-v1:80",state="ready"\} [1-9]\d*$/m);
    expect(page).toMatch(/^fairway_proxy_certificate_expiry_timestamp_seconds\{certificate="[^"]+"\} \d+$/m);
    expect(page).toMatch(/^fairway_controller_findings\{severity="error"\} 0$/m);
    expect(page).toMatch(/^fairway_controller_listeners [1-9]\d*$/m);
    expect(page).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(page).toMatch(/^fairway_proxy_access_log_dropped_total 0$/m);
    expect(page).not.toContain('/v2/counted');
  });

  it('answers nothing but GET and HEAD of /metrics there', async () => {
    const url = door.summary.metrics!;
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    expect((await fetch(new URL('/other', url))).status).toBe(404);
    const status = await new Promise((resolve, reject) =>
      request(url, { path: '/metrics?x=1' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(),
    );
    expect(status).toBe(200);
  });
});

describe.skipIf(!canBind)('a front door that is watched a little', () => {
  it('logs the share of requests that is asked for, in combined format', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'observability-'));
    const file = join(folder, 'access.log');
    const door = await openDoor(31, {
      paths,
      telemetry: { accessLog: { path: file, format: 'combined', sampleRate: 0.5 } },
    });
    const address = door.config.ingressAddress;
    expect(door.summary.metrics).toBeNull();
    const total = 400;
    const one = 'GET /v1/x HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: u\r\n';
    await sendRaw(address, `${`${one}\r\n`.repeat(total - 1)}${one}Connection: close\r\n\r\n`);
    await door.close(0);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    // Ten standard deviations of 400 throws of a coin to either side.
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.length).toBeLessThan(300);
    const shape =
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/v1\/x HTTP\/1\.1" 200 \d+ "-" "u" ms=/;
    for (const line of lines) expect(line).toMatch(shape);
    rmSync(folder, { recursive: true });
  });

  it('passes traces on and begins none unless it is told to', async () => {
    const door = await openDoor(31, { paths });
    const address = door.config.ingressAddress;
    const headersOf = async (headers: Record<string, string | string[]>) =>
      (await ask({ address, host: 'api.example.com', path: '/v1', headers })).echo.headers;
    expect((await headersOf({ traceparent }))['Traceparent']).toEqual([traceparent]);
    expect((await headersOf({}))['Traceparent']).toBeUndefined();
    expect((await headersOf({ traceparent: [traceparent, traceparent] }))['Traceparent']).toBeUndefined();
    expect((await headersOf({ traceparent: 'no', tracestate: 'a=1' }))['Tracestate']).toBeUndefined();
    await door.close(0);
  });

  it('starts without the log and the page that cannot be opened, and says so', async () => {
    const blocked = await openDoor(31, { paths, telemetry: { metrics: METRICS } });
    const taken = new URL(blocked.summary.metrics!);
    const second = await startFrontDoor({
      ...{ paths, watch: false, apiPort: 0, dnsPort: 0, nodeResolvConf: '', config: clusterConfigOf(32) },
      telemetry: {
        accessLog: { path: join(packageRoot, 'no/such/folder/log'), format: 'json', sampleRate: 1 },
        metrics: { host: taken.hostname, port: Number(taken.port) },
      },
    });
    const codes = second.summary.diagnostics.map(({ code }) => code);
    expect(codes).toContain('FW5006');
    expect(codes).toContain('FW5007');
    expect((await ask({ address: second.summary.ingress.addresses[0]!, host: 'web.example.com' })).status).toBe(200);
    await second.close(0);
    await blocked.close(0);
  });
});
