/**
 * The examples of the Gateway API, v1.6.1: each brought up as it is, with stand-ins for what it leads to, and the traffic
 * that its text describes sent; or the finding that says what it lacks. `examples` is the table.
 */
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import type { Gateway } from '../../src/kube/types/index.ts';
import { dial } from '../../src/proxy/testing/sockets.ts';
import { certificateSecret } from '../support/certificates.ts';
import { ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { backendsOf, podsOf, standInsFor } from '../support/example-backends.ts';
import { type Manifest, stream } from '../support/manifests.ts';
import type { Row, Traffic } from './gateway-examples.rows.ts';
import { examples } from './gateway-examples.table.ts';

const folder = join(packageRoot, 'test/inputs/gateway-api-examples');
const allFiles = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));

interface Document extends Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const read = (file: string) =>
  (loadAll(readFileSync(join(folder, file), 'utf8')) as (Document | null)[]).filter((document) => document !== null);

/** Of the name of a Pod. */
const serviceOf = (pod: string) => pod?.replace(/-[^-]+-[^-]+$/, '');

const clusterKinds = new Set(['Namespace', 'GatewayClass']);

function collectionOf({ apiVersion, kind, metadata }: Document): string {
  const plural = kind
    .toLowerCase()
    .replace(/([^aeiou])y$/, '$1ie')
    .replace(/s$/, 'se')
    .concat('s');
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return clusterKinds.has(kind)
    ? `${root}/${plural}`
    : `${root}/namespaces/${metadata.namespace ?? 'default'}/${plural}`;
}

describe('the table of examples', () => {
  it('has every file', () => {
    const named = new Set(examples.flatMap(({ files }) => files));
    expect([...named].sort()).toEqual(allFiles.sort());
    for (const { files, serves, lacks } of examples)
      expect((serves ?? []).length + (lacks ?? []).length, files.join()).toBeGreaterThan(0);
  });
});

describe.skipIf(!canBind)('examples of the Gateway API', () => {
  let door: TestDoor;
  let clientPair: { cert: string; key: string };
  let standIns: Awaited<ReturnType<typeof standInsFor>>;

  beforeAll(async () => {
    const documents = allFiles.flatMap(read).concat(examples.flatMap(({ also = [] }) => also) as Document[]);
    const backends = backendsOf(documents);
    const shown = certificateSecret('auth-pair', ['auth.example.com']);
    const decode = (text: string) => Buffer.from(text, 'base64').toString();
    const [cert, key] = [decode(shown.data['tls.crt']), decode(shown.data['tls.key'])];
    clientPair = { cert, key };
    standIns = await standInsFor(backends, clientPair);
    const ca = (name: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { 'ca.crt': cert },
    });
    const pair = (name: string, namespace: string, ...names: string[]) => certificateSecret(name, names, namespace);
    door = await openDoor(-3, {
      paths: ['-'],
      backends: standIns.overrides,
      stdin: stream(
        ...podsOf(backends),
        ...['auth-cert', 'foo-example-com-ca-cert', 'bar-example-com-ca-cert'].map(ca),
        pair('example-com-cert', 'default', 'example.com', '*.example.com'),
        pair('example-com-cert', 'gateway-api-example-ns1', '*.example.com'),
        pair('foo-example-com', 'infra-ns', 'foo.example.com'),
        pair('foo-example-cert', 'default', 'client'),
        pair('foo-example-com-cert', 'default', 'foo.example.com'),
        pair('bar-example-com-cert', 'default', 'bar.example.com'),
        pair('wildcard-example-com-cert', 'default', '*.example.com'),
        pair('wildcard-example-com-cert', 'gateway-api-example-ns2', '*.example.com'),
        pair('redirect-example', 'default', 'redirect.example'),
        pair('example-com', 'default', '*.example.com'),
        pair('foo-com', 'default', '*.foo.com'),
        pair('tls-terminate-certificate', 'default', 'bar.example.com'),
        pair('first-workload-cert', 'team-1-ns', 'first.foo.com'),
        pair('second-workload-cert', 'team-2-ns', 'second.foo.com'),
      ),
    });
  }, 20_000);
  afterAll(async () => {
    await door.close(0);
    standIns.close();
  });

  const send = (method: string, path: string, body?: object, type = 'application/json') =>
    fetch(`${door.summary.api}${path}`, {
      method,
      headers: { 'content-type': type },
      ...(body && { body: JSON.stringify(body) }),
    });

  async function apply(document: Document): Promise<void> {
    const collection = collectionOf(document);
    let response = await send('POST', collection, document);
    if (response.status === 409)
      response = await send(
        'PATCH',
        `${collection}/${document.metadata.name}`,
        document,
        'application/merge-patch+json',
      );
    expect([document.kind, document.metadata.name, response.status, response.ok ? '' : await response.text()]).toEqual([
      document.kind,
      document.metadata.name,
      response.status,
      '',
    ]);
  }

  const gateways = () => door.store.list<Gateway>('gateways.gateway.networking.k8s.io');

  async function addressOf(name: string): Promise<string> {
    const found = await eventually(
      () => gateways().find(({ metadata }) => metadata.name === name),
      (gateway) => (gateway?.status?.addresses?.length ?? 0) > 0,
    );
    return found!.status!.addresses![0]!.value!;
  }

  type Kinds = {
    readonly [Kind in Traffic['is']]: (at: string, traffic: Extract<Traffic, { is: Kind }>) => Promise<unknown>;
  };
  const kinds: Kinds = {
    async http(address, { url, method = 'GET', headers = {}, gets }) {
      const { protocol, hostname, port, pathname, search } = new URL(url);
      const tls = protocol === 'https:';
      const answer = await ask({
        ...{ address, host: hostname, method, tls, path: `${pathname}${search}`, headers },
        port: Number(port) || (tls ? 443 : 80),
      });
      const { status, echo } = answer;
      const { location } = answer.headers;
      return {
        status,
        ...(gets.to !== undefined && { to: serviceOf(echo.pod) ?? answer.headers['x-served-by'] }),
        ...(gets.path !== undefined && { path: echo.path }),
        ...(gets.host !== undefined && { host: echo.host }),
        ...(location !== undefined && { location }),
        ...(gets.seen && {
          seen: Object.fromEntries(Object.keys(gets.seen).map((name) => [name, echo.headers?.[name]])),
        }),
        ...(gets.headers && {
          headers: Object.fromEntries(Object.keys(gets.headers).map((name) => [name, answer.headers[name]])),
        }),
      };
    },
    async client(address, { url, shows }) {
      const { hostname: servername, port } = new URL(url);
      const given = { host: address, port: Number(port) || 443, servername, rejectUnauthorized: false };
      return await new Promise((resolve) => {
        const asked = request({ ...given, agent: false, headers: { host: servername }, ...(shows && clientPair) });
        asked.on('response', (response) => resolve({ status: response.resume().statusCode }));
        asked.on('error', () => resolve('refused'));
        asked.end();
      });
    },
    async split(address, { url, times }) {
      const counts: Record<string, number> = {};
      const { hostname: host, pathname: path } = new URL(url);
      for (let i = 0; i < times; i++) {
        const to = serviceOf((await ask({ address, host, path })).echo.pod);
        counts[to] = (counts[to] ?? 0) + 1;
      }
      return counts;
    },
    grpc: (address, { host, port, path, headers = {} }) =>
      new Promise((resolve, reject) => {
        const session = connect(`https://${address}:${port}`, { servername: host, rejectUnauthorized: false });
        session.on('error', reject);
        const call = session.request({
          ':method': 'POST',
          ':path': path,
          ':authority': host,
          'content-type': 'application/grpc',
          te: 'trailers',
          ...headers,
        });
        const seen: Record<string, unknown> = {};
        const note = (fields: Record<string, unknown>) => {
          if (fields['x-served-by'] !== undefined) seen['to'] = fields['x-served-by'];
          if (fields['grpc-status'] !== undefined) seen['status'] = Number(fields['grpc-status']);
        };
        call.on('response', note);
        call.on('trailers', note);
        call.on('error', reject);
        call.on('close', () => {
          session.close();
          resolve(seen);
        });
        call.resume();
        call.end();
      }),
    async tcp(address, { port }) {
      const client = await dial(address, port);
      client.send('some bytes');
      await client.until('some bytes');
      client.socket.end();
      return await client.closed();
    },
    async closed(address, { port }) {
      return await dial(address, port).then(
        (client) => client.closed(),
        () => '',
      );
    },
    async logged(_address, { service, path }) {
      const pod = door.store.list('pods').find(({ metadata }) => metadata.name.startsWith(`${service}-`))!;
      const log = await (await send('GET', `/api/v1/namespaces/default/pods/${pod.metadata.name}/log`)).text();
      return log.includes(`request made to ${path} `);
    },
    udp: (address, { port }) =>
      new Promise((resolve, reject) => {
        const socket = createSocket('udp4');
        const timer = setTimeout(() => reject(new Error('no datagram came back')), 2000);
        socket.once('message', (data) => {
          clearTimeout(timer);
          socket.close();
          resolve(data.toString());
        });
        socket.send('some bytes', port, address);
      }),
  };

  /** One attempt; an answer that does not come is an outcome too. */
  async function attempt(address: string, traffic: Traffic): Promise<unknown> {
    const kind = kinds[traffic.is] as (to: string, traffic: Traffic) => Promise<unknown>;
    const giveUp = new AbortController();
    const tooLong = wait(6000, 'no answer', { signal: giveUp.signal }).catch(() => 'no answer');
    const answered = kind(address, traffic).catch((error: Error) => error.message);
    return await Promise.race([answered, tooLong]).finally(() => giveUp.abort());
  }

  async function judge({ at, ...traffic }: Traffic & { at: string }): Promise<void> {
    const address = await addressOf(at);
    let seen: unknown;
    const look = async () => {
      seen = await attempt(address, traffic as Traffic);
      return seen;
    };
    await eventually(look, (answer) => isDeepStrictEqual(answer, traffic.gets), 2500).catch(() => undefined);
    expect(seen, JSON.stringify(traffic)).toEqual(traffic.gets);
  }

  /** Findings about the objects of a row. */
  const told = (row: readonly Document[]) =>
    door
      .diagnostics()
      .filter(({ severity, code }) => severity !== 'info' || code === 'FW3206')
      .filter(({ object }) => row.some(({ kind, metadata }) => kind === object?.kind && metadata.name === object.name))
      .map(({ code, object, fieldPath, message }) => `${code} ${object!.kind}/${object!.name} ${fieldPath}: ${message}`)
      .sort();

  async function judgeAttached({ kind, route, serves }: NonNullable<Row['attached']>, documents: readonly Document[]) {
    const document = documents.find((each) => each.kind === kind && each.metadata.name === route)!;
    const { spec } = document as unknown as { spec: object };
    await apply({ ...document, spec: { ...spec, parentRefs: [{ name: 'attached' }] } } as Document);
    await door.settled();
    for (const traffic of serves) await judge(traffic);
    expect(told(documents)).toEqual([]);
  }

  const title = ({ files }: Row) => files.join(', ');

  it.each(examples.map((row) => [title(row), row] as const))('%s', async (_title, row) => {
    const documents = [...((row.also as Document[] | undefined) ?? []), ...row.files.flatMap(read)];
    try {
      for (const document of documents) await apply(document);
      await door.settled();
      for (const traffic of row.serves ?? []) await judge(traffic);
      expect(told(documents)).toEqual([...(row.lacks ?? [])].sort());
      if (row.attached) await judgeAttached(row.attached, documents);
    } finally {
      for (const document of documents.toReversed())
        if (document.kind !== 'Namespace') await send('DELETE', `${collectionOf(document)}/${document.metadata.name}`);
      await door.settled();
    }
  });
});
