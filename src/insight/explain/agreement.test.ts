/** What explain says of requests is what the data plane does with them: both are asked about the same ones. */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecordingBackend, recordingBackend, type SeenRequest } from '../../proxy/testing/backend.ts';
import { createFront, type Front } from '../../proxy/testing/front.ts';
import { endpoint } from '../../proxy/testing/plans.ts';
import { converse } from '../../proxy/testing/sockets.ts';
import { estate, worseFile } from '../ingress-nginx/testing.ts';
import { openWorld } from '../sources.ts';
import type { World } from '../world.ts';
import { explain } from './explain.ts';
import { parseRequest } from './request.ts';
import type { Outgoing } from './types.ts';

const [address, behind] = ['127.89.30.1', '127.89.30.2'] as const;
const ports = { http: 8080, https: 8443 } as const;

interface Asked {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: readonly string[];
}

/** Hosts whose backends speak TLS, or ask others about requests, are left out. */
const hosts = [
  ...['shop', 'www.shop', 'api', 'images', 'checkout', 'oldshop', 'reviews', 'grafana.tools', 'prometheus.tools'],
  ...['login.tools', 'registry.tools', 'hooks.tools', 'status.tools', 'uptime.tools', 'chat.tools', 'nowhere'],
  ...['digest', 'wrong', 'scripted', 'patterns', 'office', 'empty'],
].map((name) => `${name}.example.com`);

const paths = [
  ...['/', '/cart/', '/cart?a=1&b=/', '/api/users/7?x=1', '/API/a%20b//c/../d', '/api', '/apis', '/plain', '/PLAIN/x'],
  ...['/github', '/gitlab', '/gitlab/', '/gitlab/a', '/oauth2', '/oauth2/start?rd=%2F', '/v2/', '/v2x', '/healthz'],
  ...['/old/a/b/c?q', '/old/a%2Fb/', '/health', '/Health/', '/%2e%2e/etc', '/a%00', '/%zz', '//a//b/./c', '/a;b=c'],
];

const headers = [
  ...['Origin: https://app.example.com', 'Origin: https://evil.example', 'Cookie: next-release=always'],
  ...['Cookie: a=b; next-release=never', 'X-Release: next', 'X-Release: other', 'X-Forwarded-For: 10.1.2.3'],
  ...[`Authorization: Basic ${btoa('ada:lovelace')}`, `Authorization: Basic ${btoa('ada:byron')}`, 'X_Under: 1'],
  ...['Content-Length: 0', 'Accept: text/html'],
];

const asked: fc.Arbitrary<Asked> = fc.record({
  scheme: fc.constantFrom('http', 'https'),
  host: fc.constantFrom(...hosts),
  path: fc.constantFrom(...paths),
  method: fc.constantFrom('GET', 'GET', 'POST', 'OPTIONS', 'PUT', 'TRACE'),
  headers: fc.uniqueArray(fc.constantFrom(...headers), { maxLength: 3, selector: (line) => line.split(':')[0] }),
});

describe('explain and the data plane', () => {
  let world: World;
  let front: Front;
  let backend: RecordingBackend;

  beforeAll(async () => {
    world = await openWorld({ files: [estate, worseFile()] });
    backend = await recordingBackend(behind, 8080);
    front = createFront();
    const { listeners } = world.plan;
    const real = listeners.map(({ id, port }) => [id, { address, port: port === 80 ? ports.http : ports.https }]);
    await front.plan({ ...world.plan, streams: [] }, Object.fromEntries(real));
    const full = Object.values(world.plan.backends).filter(({ service }) => service !== 'nobody');
    await front.endpoints(Object.fromEntries(full.map(({ id }) => [id, [endpoint(behind, 8080)]])));
  });

  afterAll(async () => {
    await front.close();
    await backend.close();
  });

  async function ask({ scheme, host, path, method, headers: lines }: Asked) {
    const to = { host: address, port: ports[scheme] };
    const socket =
      scheme === 'http' ? connectTcp(to) : connectTls({ ...to, servername: host, rejectUnauthorized: false });
    const client = converse(socket);
    const more = [...lines, 'Connection: close'].map((line) => `${line}\r\n`).join('');
    client.send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`);
    const text = await client.closed();
    return { status: Number(text.slice(9, 12)), location: /^location: (.*?)\r$/im.exec(text)?.[1] };
  }

  /** The explanation of a request from this machine. */
  async function explained({ scheme, host, path, method, headers: given }: Asked) {
    const request = parseRequest({ url: `${scheme}://${host}${path}`, method, headers: given, client: '127.0.0.1' });
    if (!request.ok) throw new Error(request.error);
    return explain(world, request.value);
  }

  /** Asks both, and returns the status that clients get. */
  async function compare(one: Asked): Promise<number> {
    const explanation = await explained(one);
    const { answer, outgoing, gates } = explanation;
    expect(gates.filter(({ says }) => says === 'depends')).toEqual([]);
    backend.requests.length = 0;
    const records = front.records.length;
    const got = await ask(one);
    if (answer) {
      expect(got).toEqual({ status: answer.status, location: answer.location });
      expect(backend.requests).toEqual([]);
      return got.status;
    }
    expect(got.status).toBe(200);
    compareOutgoing(outgoing!, backend.requests[0]!);
    // Some routes are in no log.
    const record = front.records[records];
    const { backends, backend: chosen, steps } = explanation;
    const isByWeight = backends.length > 1 && !steps[3]?.details.some((line) => /the request goes/.test(line));
    if (record) expect(isByWeight ? backends.map(({ id }) => id) : [chosen?.id]).toContain(record.backend);
    return got.status;
  }

  function compareOutgoing({ method, target, host, headers: set, removed }: Outgoing, seen: SeenRequest): void {
    expect(seen.line).toBe(`${method} ${target} HTTP/1.1`);
    const lines = seen.lines.map((line) => line.toLowerCase());
    const told = set
      .filter(([name]) => name !== 'X-Request-ID')
      .map(([name, value]) => `${name}: ${value}`.toLowerCase());
    expect(lines).toEqual(expect.arrayContaining([`host: ${host}`, ...told]));
    const gone = removed.map((name) => `${name}: `.toLowerCase());
    expect(lines.filter((line) => gone.some((name) => line.startsWith(name)))).toEqual([]);
  }

  it('agree on who answers, with what, and on what the backend gets', async () => {
    await fc.assert(
      fc.asyncProperty(asked, async (one) => void (await compare(one))),
      { numRuns: 150 },
    );
  });

  const ada = `Authorization: Basic ${btoa('ada:lovelace')}`;

  it.each<[url: string, method: string, headers: readonly string[], status: number]>([
    ['http://api.example.com/api', 'OPTIONS', ['Origin: https://app.example.com'], 204],
    ['http://status.tools.example.com/', 'GET', [], 302],
    ['https://hooks.tools.example.com/gitlab', 'GET', [], 301],
    ['https://hooks.tools.example.com/github', 'PUT', [], 405],
    ['http://oldshop.example.com/a?b', 'GET', [], 308],
    ['http://www.shop.example.com/a/?b', 'GET', [], 308],
    ['http://images.example.com/%zz', 'GET', [], 400],
    ['https://grafana.tools.example.com/', 'GET', [], 401],
    ['https://grafana.tools.example.com/', 'GET', [`Authorization: Basic ${btoa('ada:byron')}`], 401],
    ['https://grafana.tools.example.com/', 'GET', [ada], 200],
    ['https://prometheus.tools.example.com/', 'GET', [], 401],
    ['https://prometheus.tools.example.com/', 'GET', [ada], 200],
    ['http://office.example.com/', 'GET', ['X-Forwarded-For: 10.1.2.3'], 403],
    ['https://checkout.example.com/', 'GET', [], 200],
    ['http://nowhere.example.com/', 'GET', [], 404],
    ['https://login.tools.example.com/', 'GET', [], 404],
    ['http://digest.example.com/in', 'GET', [], 503],
    ['https://shop.example.com/', 'GET', ['X-Release: next'], 200],
    ['https://shop.example.com/', 'GET', ['Cookie: a=b; next-release=always'], 200],
    ['https://shop.example.com/', 'GET', ['Cookie: next-release=never'], 200],
    ['http://patterns.example.com/old/ab/c%20d', 'GET', [], 200],
    ['http://patterns.example.com/OLD/ab/c%2Fd/?q=1', 'GET', ['X_Under: 1'], 200],
    ['http://empty.example.com/', 'POST', ['Content-Length: 0'], 200],
  ])('%s %s %j: %i', async (url, method, given, status) => {
    const [, scheme, host, path] = /^(https?):\/\/([^/]+)(.*)$/.exec(url)!;
    expect(await compare({ scheme: scheme as Asked['scheme'], host: host!, path: path!, method, headers: given })).toBe(
      status,
    );
  });
});
