/** Lines of the access log beside those that nginx writes for the same log_format and the same requests. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../src/proxy/workers/testing.ts';
import { backendNames } from './harness/case.ts';
import { type Ask, type Client, createClient } from './harness/client.ts';
import { type Backends, backendPort, startBackends, tell } from './harness/echo.ts';
import { type Fairway, startFairway } from './harness/fairway.ts';
import { ingress, location, nobody, server } from './harness/lines.ts';
import { absence, type Nginx, startNginx } from './harness/nginx.ts';

const missing = absence();
if (missing) console.warn(`lines of the access log are not compared: ${missing}`);

const block = '127.85.4';
const dead = `${block}.99`;

/** Values that must be equal. */
const equal = [
  ...['remote_addr', 'remote_user', 'request', 'status', 'http_referer', 'http_user_agent', 'request_length'],
  ...['proxy_upstream_name', 'proxy_alternative_upstream_name', 'upstream_addr', 'upstream_response_length'],
  ...['upstream_status', 'req_id', 'host', 'http_host', 'request_uri', 'uri', 'args', 'is_args', 'query_string'],
  ...['request_method', 'server_protocol', 'scheme', 'https', 'content_type', 'content_length', 'cookie_session'],
  ...['arg_q', 'http_x_odd', 'http_none', 'upstream_http_x_told', 'upstream_http_none', 'namespace', 'ingress_name'],
  ...['service_name', 'service_port', 'server_name', 'ssl_protocol', 'ssl_server_name', 'proxy_protocol_addr'],
];
/** Those of responses, which are equal where a backend has made them. */
const ofResponse = ['body_bytes_sent', 'sent_http_x_told', 'sent_http_content_length', 'sent_http_none'];
const someSeconds = /^[0-9]\.[0-9]{3}$/;
/** What of a response's head nginx writes and Fairway does not. */
const ofNginx = 'Server: nginx\r\nConnection: keep-alive\r\n'.length;
const attempts = /^(?:-|[0-9]\.[0-9]{3})(?:, (?:-|[0-9]\.[0-9]{3}))*$/;
/** Values of one form. */
const alike: Readonly<Record<string, RegExp>> = {
  time_local: /^[0-9]{2}\/[A-Z][a-z]{2}\/20[0-9]{2}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}$/,
  time_iso8601: /^20[0-9-]{8}T[0-9:]{8}[+-][0-9]{2}:[0-9]{2}$/,
  msec: /^[0-9]{10}\.[0-9]{3}$/,
  request_time: someSeconds,
  remote_port: /^[0-9]{4,5}$/,
  bytes_sent: /^[1-9][0-9]+$/,
  upstream_connect_time: attempts,
  upstream_header_time: attempts,
  upstream_response_time: attempts,
};

const format = [...equal, ...ofResponse, ...Object.keys(alike)].map((name) => `${name}="$${name}"`).join(' ');

const locals = (service: string) => ({
  before:
    `set $namespace "default"; set $ingress_name "logs"; set $service_name "${service}"; set $service_port "80"; ` +
    `set $proxy_upstream_name "default-${service}-80"; set $proxy_alternative_upstream_name "";`,
});

const nginxServers = `${nobody}${server(
  'log.test',
  location('"/"', 'alpha', locals('alpha')) +
    location('"/dead/"', 'dead', locals('dead')) +
    location('"/two/"', 'two', locals('two')),
)}`;

/** A Service whose endpoints are these. */
function service(name: string, addresses: readonly string[]): string {
  const objects = [
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: { ports: [{ name: 'http', port: 80, targetPort: backendPort }], selector: { app: name } },
    },
    {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
      metadata: { name, labels: { 'kubernetes.io/service-name': name } },
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
      ports: [{ name: 'http', port: backendPort, protocol: 'TCP' }],
    },
  ];
  return objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('');
}

const configMap = (data: Readonly<Record<string, string>>) =>
  `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'ingress-nginx', name: 'ingress-nginx-controller' }, data })}\n`; // biome-ignore format: one line

const manifests =
  service('dead', [dead]) +
  service('two', [dead, `${block}.1`]) +
  ingress({
    name: 'logs',
    rules: { 'log.test': [['Prefix', '/', 'alpha'], ['Prefix', '/dead', 'dead'], ['Prefix', '/two', 'two']] }, // biome-ignore format: one line
  });

const basic = (text: string) => `Basic ${Buffer.from(text, 'latin1').toString('base64')}`;
const id = ['X-Request-ID', 'given-by-the-client'] as const;

const asks: readonly Ask[] = [
  { host: 'log.test', target: '/', headers: [id] },
  {
    host: 'log.test:8080',
    target: '/a/../b%20c?q=1&r=%22',
    headers: [id, ['User-Agent', 'curl/8'], ['Referer', '/x']],
  },
  { host: 'LOG.test', target: '/?', headers: [id, ['Cookie', 'a=b; session=s 1']] },
  { host: 'log.test', target: '/', method: 'HEAD', headers: [id] },
  { host: 'log.test', target: '/f', method: 'POST', body: 'hello', headers: [id, ['Content-Type', 'text/plain']] },
  { host: 'log.test', target: '/', headers: [id, ['User-Agent', 'a"b\\c\te'], ['X-Odd', "{}[] '$`"]] },
  { host: 'log.test', target: '/', headers: [id, ['User-Agent', ''], ['Referer', '-']] },
  { host: 'log.test', target: '/', headers: [id, ['Authorization', basic('ada:secret')]] },
  { host: 'log.test', target: '/', headers: [id, ['Authorization', basic('a"b\\ \x01\n:secret')]] },
  { host: 'log.test', target: '/', headers: [id, ['Authorization', 'Bearer abc']] },
  { host: 'log.test', target: '/', headers: [id, ['Authorization', basic('nobody')]] },
  { host: 'log.test', target: '/', headers: [id, tell('alpha', { status: 503, body: 'no', headers: [['X-Told', 'a "b"']] })] }, // biome-ignore format: one line
  { host: 'log.test', target: '/', headers: [id, tell('alpha', { status: 204 })] },
  { host: 'log.test', target: '/dead/x', headers: [id] },
];

/** With `escape=none`, nginx lets a client write what it likes into the log; here it cannot. */
const isHostile = ({ headers = [] }: Ask) =>
  headers.some(([name, value]) => value.includes('"') || name === 'Authorization' || name.startsWith('x-tell'));

function valuesOf(line: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, name, value] of line.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) values[name!] = value!;
  return values;
}

const picked = (values: Record<string, string>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, values[name]]));

describe.skipIf(missing).each([
  ['default', '', {}],
  ['json', 'escape=json', { 'log-format-escape-json': 'true' }],
  ['none', 'escape=none', { 'log-format-escape-none': 'true' }],
] as const)('lines with escape %s', (escaping, word, keys) => {
  const folder = mkdtempSync(join(tmpdir(), 'log-lines-'));
  const file = join(folder, 'access.log');
  const lines: { nginx: () => string[]; fairway: () => string[] } = {
    nginx: () => readFileSync(file, 'utf8').split('\n').slice(0, -1),
    fairway: () => ours,
  };
  const ours: string[] = [];
  let backends: Backends;
  let nginx: Nginx;
  let fairway: Fairway;
  let clients: { nginx: Client; fairway: Client };

  beforeAll(async () => {
    backends = await startBackends(backendNames, block);
    const http =
      `log_format told ${word} '${format}'; access_log ${file} told; upstream dead { ${`server ${dead}:8080 max_fails=0; `.repeat(3)}} ` +
      `upstream two { server ${dead}:8080 max_fails=0; server ${block}.1:8080 max_fails=0; }`;
    const text = { servers: nginxServers.replaceAll('server_name log.test;', `server_name log.test; access_log ${file} told;`), http: http.replace(`access_log ${file} told; `, '') }; // biome-ignore format: one line
    nginx = await startNginx({ address: `${block}.30`, port: 8080, text, backends: backends.addresses, backendPort });
    const all = configMap({ 'log-format-upstream': format, ...keys }) + manifests;
    fairway = await startFairway(`${block}.20`, all, backends, {
      accessLines: true,
      onAccess: ({ line }) => ours.push(line!),
    });
    const from = `${block}.10`;
    clients = { nginx: createClient(nginx.address, 8080, from), fairway: createClient(fairway.address, 8080, from) };
  });
  afterAll(async () => {
    for (const client of Object.values(clients ?? {})) client.close();
    await fairway?.close();
    await nginx?.close();
    await backends?.close();
    rmSync(folder, { recursive: true });
  });

  /** The line for one request. */
  async function lineOf(side: 'nginx' | 'fairway', ask: Ask): Promise<string> {
    const before = lines[side]().length;
    await clients[side].ask(ask);
    await until(() => lines[side]().length > before, `${side} has a line`);
    return lines[side]().at(-1)!;
  }

  it.each(
    asks.filter((ask) => escaping !== 'none' || !isHostile(ask)).map((ask) => [JSON.stringify(ask), ask] as const),
  )('agree on %s', async (_name, ask) => {
    const [theirs, own] = [valuesOf(await lineOf('nginx', ask)), valuesOf(await lineOf('fairway', ask))];
    const names = ask.target.startsWith('/dead') ? equal : [...equal, ...ofResponse];
    expect(picked(own, names)).toEqual(picked(theirs, names));
    if (names !== equal) expect(Number(own['bytes_sent']) + ofNginx).toBe(Number(theirs['bytes_sent']));
    for (const [name, form] of Object.entries(alike)) expect([name, theirs[name], own[name]]).toEqual([name, expect.stringMatching(form), expect.stringMatching(form)]); // biome-ignore format: one line
  });

  it('have both endpoints of a request that was sent again', async () => {
    async function retried(side: 'nginx' | 'fairway') {
      for (let i = 0; i < 20; i++) {
        const values = valuesOf(await lineOf(side, { host: 'log.test', target: '/two/', headers: [id] }));
        if (values['upstream_addr']!.includes(',')) return values;
      }
      throw new Error(`${side} was never sent to the endpoint that is none`);
    }
    const names = [...equal, ...ofResponse];
    const own = await retried('fairway');
    expect(picked(own, names)).toEqual(picked(await retried('nginx'), names));
    expect(own).toMatchObject({ upstream_addr: `${dead}:8080, ${block}.1:8080`, upstream_status: '502, 200' });
    expect(own['upstream_header_time']).toMatch(/^-, [0-9.]+$/);
    expect(own['upstream_connect_time']).toMatch(/^-, [0-9.]+$/);
  });
});
