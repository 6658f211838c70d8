import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { createResourceRegistry } from '../resources.ts';
import { type Change, createStore } from '../store/store.ts';
import type { KubeObject, Service } from '../types/index.ts';
import type { ApiError } from './api-error.ts';
import { type ClientOptions, createKubeClient, type KubeClient, parseJson } from './client.ts';
import { plainConfig } from './config.ts';
import { createInterner } from './intern.ts';
import { createClusterMirror } from './mirror.ts';
import { withoutWriterFields } from './project.ts';
import { createReflector, type Reflector, type ReflectorOptions } from './reflector.ts';
import { createReflectorExposition } from './reflector-exposition.ts';
import { createBackoff } from './timing.ts';
import { parseEvent } from './watch.ts';

const registry = createResourceRegistry();
const services = registry.byName('services')!;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const service = (name: string, version: number, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', resourceVersion: String(version), ...metadata },
});

const json = (response: ServerResponse, body: unknown, code = 200) => {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

interface Api {
  /** Answers lists; the default is one object in one page. */
  list?: (query: URLSearchParams, response: ServerResponse, url: URL) => void;
  watch?: (query: URLSearchParams, response: ServerResponse) => void;
}

const oneService = (_: URLSearchParams, response: ServerResponse) =>
  json(response, { metadata: { resourceVersion: '5' }, items: [{ metadata: service('web', 5).metadata }] });

/** An API server that serves Services, as the test wants it. */
async function serve(
  { list = oneService, watch = (_, response) => response.flushHeaders() }: Api,
  options: Partial<ClientOptions> = {},
) {
  const asked: URL[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://server');
    if (url.pathname === '/api/v1') return json(response, { resources: [{ name: 'services' }] });
    asked.push(url);
    return url.searchParams.get('watch') ? watch(url.searchParams, response) : list(url.searchParams, response, url);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const config = plainConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = createKubeClient({ config, ...options });
  closers.push(client.close);
  const watches = () => asked.filter((url) => url.searchParams.get('watch'));
  return { client, asked, watches, lists: () => asked.filter((url) => !url.searchParams.get('watch')) };
}

function reflect(client: KubeClient, options: Partial<ReflectorOptions> = {}) {
  const store = createStore({ mirror: true, historyLimit: 0 });
  const changes: string[] = [];
  store.subscribe(({ type, object }: Change) => changes.push(`${type} ${object.metadata.name}`));
  const backoff = { baseMs: 2, maxMs: 20 };
  const reflector = createReflector({ client, resource: services, store, backoff, ...options });
  reflector.start();
  closers.push(reflector.stop);
  return { reflector, store, changes };
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i++) await new Promise((resume) => setTimeout(resume, 5));
  expect(holds()).toBe(true);
}

const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const names = (store: { list(resource: string): KubeObject[] }) =>
  store
    .list('services')
    .map(({ metadata }) => metadata.name)
    .sort();

describe('a reflector', () => {
  it('watches from the version of the list, with bookmarks and an end of its own choice', async () => {
    const { client, watches } = await serve({});
    const { reflector, store } = reflect(client, { labelSelector: 'a=b', namespace: 'default' });
    await until(() => reflector.state === 'watching');
    expect(store.get('services', 'default/web')).toMatchObject({ apiVersion: 'v1', kind: 'Service' });
    const { pathname, searchParams } = watches()[0]!;
    expect(pathname).toBe('/api/v1/namespaces/default/services');
    const { timeoutSeconds, ...query } = Object.fromEntries(searchParams);
    expect(query).toEqual({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '5', labelSelector: 'a=b' });
    expect(Number(timeoutSeconds)).toBeGreaterThanOrEqual(300);
    expect(Number(timeoutSeconds)).toBeLessThanOrEqual(600);
  });

  it('goes on from the newest event or bookmark, without a list', async () => {
    let round = 0;
    const { client, watches, lists } = await serve({
      watch(_, response) {
        if (round++ === 0)
          response.write(
            line('MODIFIED', service('web', 7)) + line('BOOKMARK', { metadata: { resourceVersion: '9' } }),
          );
        response.end();
      },
    });
    reflect(client);
    await until(() => watches().length >= 3);
    expect(
      watches()
        .slice(0, 3)
        .map(({ searchParams }) => searchParams.get('resourceVersion')),
    ).toEqual(['5', '9', '9']);
    expect(lists()).toHaveLength(1);
  });

  it('does not hammer a server that ends every watch at once', async () => {
    const { client, watches } = await serve({ watch: (_, response) => response.end() });
    reflect(client, { backoff: { baseMs: 40, maxMs: 10_000 } });
    await new Promise((resume) => setTimeout(resume, 400));
    expect(watches().length).toBeGreaterThan(1);
    expect(watches().length).toBeLessThan(8);
  });

  it('lists anew only for refusals that make its version useless', async () => {
    const statuses = [410, 500, 403, 429, 504, 400];
    const tooLarge = { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } };
    const { client, lists, asked } = await serve({
      watch(_, response) {
        const code = statuses.shift();
        if (code) json(response, { kind: 'Status', code, ...(code === 504 && tooLarge) }, code);
        else response.flushHeaders();
      },
    });
    const errors: ApiError[] = [];
    const { reflector } = reflect(client, { onError: (error) => errors.push(error) });
    await until(() => reflector.state === 'watching');
    expect(errors.map(({ code }) => code)).toEqual([410, 500, 403, 429, 504, 400]);
    expect(asked.map(({ searchParams }) => (searchParams.get('watch') ? 'w' : 'l')).join('')).toBe('lwlwwwwlwlw');
    expect(lists()).toHaveLength(4);
  });

  it('takes an ERROR event for what it says', async () => {
    const events = [
      line('ERROR', { kind: 'Status', code: 500 }),
      line('ERROR', { kind: 'Status', code: 410 }),
      line('ERROR', 'what?'),
    ];
    const { client, lists, watches } = await serve({ watch: (_, response) => response.write(events.shift() ?? '\n') });
    reflect(client);
    await until(() => watches().length === 4);
    expect(lists()).toHaveLength(2);
  });

  it('keeps only what the projection wants, and goes on when it fails', async () => {
    const items = ['keep', 'drop', 'fail'].map((name, i) => service(name, i + 1));
    const stream = [
      line('MODIFIED', service('keep', 11, { labels: { drop: 'now' } })),
      line('ADDED', service('other', 12)),
    ];
    const { client } = await serve({
      list: (_, response) => json(response, { metadata: { resourceVersion: '10' }, items }),
      watch: (_, response) => response.write(stream.join('')),
    });
    const { reflector, store, changes } = reflect(client, {
      project(object) {
        if (object.metadata.name === 'fail') throw new Error('no');
        return object.metadata.name === 'drop' || object.metadata.labels?.drop ? undefined : object;
      },
    });
    await until(() => names(store).includes('other'));
    expect(changes).toEqual(['ADDED keep', 'DELETED keep', 'ADDED other']);
    expect(reflector.metrics.projectionFailures).toBe(1);
  });

  it('leaves the store alone when nothing of what is kept has changed', async () => {
    let version = 1;
    const expired = { kind: 'Status', code: 410 };
    const { client } = await serve({
      list(_, response) {
        const items = [service('same', ++version), service('other', version, { labels: { round: `${version > 2}` } })];
        json(response, { metadata: { resourceVersion: `${version}` }, items });
      },
      watch(_, response) {
        if (version === 2) json(response, expired, 410);
        else response.write(line('MODIFIED', service('same', 9)) + line('DELETED', service('same', 10)));
      },
    });
    const { store, changes } = reflect(client, {
      skipUnchanged: true,
      project({ apiVersion, kind, metadata: { name, namespace, labels } }) {
        return { apiVersion, kind, metadata: { name, namespace, ...(labels && { labels }) } };
      },
    });
    await until(() => changes.includes('DELETED same'));
    expect(changes).toEqual(['ADDED same', 'ADDED other', 'MODIFIED other', 'DELETED same']);
    expect(store.get('services', 'default/other')?.metadata.labels).toEqual({ round: 'true' });
  });

  it('asks for smaller pages when one is larger than the client takes', async () => {
    const all = Array.from({ length: 10 }, (_, i) =>
      service(`s-${i}`, i + 1, { annotations: { pad: 'x'.repeat(1000) } }),
    );
    const { client, lists } = await serve(
      {
        list(query, response) {
          const from = Number(query.get('continue') ?? 0);
          const to = from + Number(query.get('limit'));
          const metadata = { resourceVersion: '20', ...(to < all.length && { continue: String(to) }) };
          json(response, { metadata, items: all.slice(from, to) });
        },
      },
      { maxBytes: 4000 },
    );
    const { reflector } = reflect(client, { pageSize: 8 });
    expect(await reflector.whenSynced()).toBe(true);
    expect(reflector.metrics.objects).toBe(10);
    expect(lists().map(({ searchParams }) => searchParams.get('limit'))).toEqual(['8', '4', '2', '2', '2', '2', '2']);
  });

  it('gives up a watch that goes on after its time', async () => {
    const { client, watches } = await serve({});
    const { reflector } = reflect(client, { watchSeconds: [-29.95, -29.95] });
    await until(() => watches().length >= 2);
    expect(reflector.metrics.watchFailures).toBe(0);
  });

  it('takes the first list from a cache when it may', async () => {
    const { client, lists } = await serve({
      watch: (_, response) => json(response, { kind: 'Status', code: 410 }, 410),
    });
    reflect(client, { firstList: 'any' });
    await until(() => lists().length >= 2);
    const versions = lists()
      .slice(0, 2)
      .map(({ searchParams }) => [searchParams.get('resourceVersion'), searchParams.get('resourceVersionMatch')]);
    expect(versions).toEqual([
      ['0', 'NotOlderThan'],
      [null, null],
    ]);
  });

  it('ends a pause when it is told that the server answers, and otherwise keeps to it', async () => {
    let isAway = true;
    const { client, asked } = await serve({
      list: (query, response) => (isAway ? json(response, { code: 503 }, 503) : oneService(query, response)),
    });
    const { reflector } = reflect(client, { backoff: { baseMs: 60_000, maxMs: 60_000 } });
    await until(() => reflector.state === 'waiting');
    isAway = false;
    await new Promise((resume) => setTimeout(resume, 30));
    expect([reflector.state, asked.length > 0]).toEqual(['waiting', true]);
    reflector.hurry();
    await until(() => reflector.state === 'watching');
    // Nobody waits: that hurries nothing.
    const before = asked.length;
    reflector.hurry();
    await new Promise((resume) => setTimeout(resume, 30));
    expect(asked).toHaveLength(before);
  });

  it('stops in the middle of a pause', async () => {
    const { client } = await serve({ list: (_, response) => json(response, { code: 503 }, 503) }, { retries: 0 });
    const { reflector } = reflect(client, { backoff: { baseMs: 60_000, maxMs: 60_000 } });
    await until(() => reflector.state === 'waiting');
    await reflector.stop();
    expect(reflector.state).toBe('stopped');
  });

  it('stops in the middle of anything', async () => {
    const { client } = await serve({ list: () => undefined });
    const { reflector } = reflect(client);
    await until(() => reflector.state === 'listing');
    const synced = reflector.whenSynced();
    await reflector.stop();
    expect(await synced).toBe(false);
    expect(reflector.state).toBe('stopped');
  });
});

describe('a mirror of several resources and namespaces', () => {
  it('is synced when all are, and removes only what belongs to each', async () => {
    let round = 0;
    const { client } = await serve({
      list(_, response, url) {
        const namespace = url.pathname.split('/')[4]!;
        const kept = namespace === 'a' && round++ > 0 ? [] : [service('web', 5, { namespace })];
        json(response, { metadata: { resourceVersion: '5' }, items: kept });
      },
      watch: (_, response) =>
        round === 1 ? json(response, { kind: 'Status', code: 410 }, 410) : response.flushHeaders(),
    });
    const store = createStore({ mirror: true, historyLimit: 0 });
    const mirror = createClusterMirror({
      ...{ client, store, registry, backoff: { baseMs: 2, maxMs: 20 } },
      resources: [{ resource: 'services', namespaces: ['a', 'b'] }, { resource: 'unknowns' }, { resource: 'pods' }],
    });
    mirror.start();
    closers.push(mirror.stop);
    expect(await mirror.whenSynced()).toBe(true);
    const states = () => mirror.reflectors.map(({ state }: Reflector) => state);
    await until(() => states().join() === 'watching,watching,not served');
    await until(() => store.list('services').length === 1);
    expect(store.get('services', 'b/web')).toBeDefined();
    const metrics = createMetricsRegistry();
    const exposition = createReflectorExposition(metrics);
    const remove = exposition.add(mirror.reflectors);
    metrics.expose();
    const text = metrics.expose();
    const lists = mirror.reflectors.reduce((sum, { metrics: { lists: count } }) => sum + count, 0);
    expect(lists).toBeGreaterThan(2);
    expect(text).toContain(`fairway_kubernetes_lists_total{resource="services"} ${lists}`);
    expect(text).toContain('fairway_kubernetes_objects{resource="services"} 1');
    expect(text).toContain('fairway_kubernetes_unsynced{resource="pods"} 0');
    expect(text).toMatch(/fairway_kubernetes_received_bytes_total\{resource="services"\} [1-9]/);
    expect(text).toMatch(/fairway_kubernetes_staleness_seconds\{resource="services"\} \d/);
    expect(text).not.toContain('fairway_kubernetes_staleness_seconds{resource="pods"}');
    remove();
    expect(metrics.expose()).toContain('fairway_kubernetes_lists_total');
    expect(metrics.expose()).not.toContain('fairway_kubernetes_objects{');
  });
});

describe('small parts', () => {
  it('parseEvent never throws, and takes only events', () => {
    const almost = fc.record({ type: fc.constantFrom('ADDED', 'BOOKMARK', 'ERROR', 'X'), object: fc.jsonValue() });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          almost.map((event) => JSON.stringify(event)),
        ),
        (text) => {
          const event = parseEvent(text, 'WATCH');
          if (event.ok && event.value) expect(event.value.object.metadata).toBeTypeOf('object');
        },
      ),
    );
    expect(parseEvent(line('ADDED', service('a', 1)), '')).toMatchObject({ ok: true, value: { type: 'ADDED' } });
    expect(parseEvent(line('ADDED', { metadata: {} }), '')).toEqual({ ok: true, value: undefined });
    expect(parseEvent(line('BOOKMARK', { metadata: {} }), '')).toEqual({ ok: true, value: undefined });
  });

  it('parseEvent takes nothing that is nested too deep for those who walk it', () => {
    const deep = (levels: number) =>
      `{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"},"spec":${'['.repeat(levels)}${']'.repeat(levels)}}}`;
    expect(parseEvent(deep(400), '')).toMatchObject({ ok: true, value: { type: 'ADDED' } });
    expect(parseEvent(deep(100_000), '')).toEqual({ ok: true, value: undefined });
    expect(parseJson(deep(100_000))).toBeUndefined();
  });

  it('the default projection leaves out what only writers read', () => {
    const given: Service = {
      ...(service('web', 1) as Service),
      metadata: {
        ...service('web', 1).metadata,
        managedFields: [{}],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', other: 'x' },
      },
    };
    expect(withoutWriterFields(createInterner())(given)).toEqual(service('web', 1, { annotations: { other: 'x' } }));
  });

  it('the interner holds a bounded number of strings', () => {
    const intern = createInterner(3);
    expect(['a', 'b', 'a', 'c', 'd', 'a'].map(intern)).toEqual(['a', 'b', 'a', 'c', 'd', 'a']);
  });

  it('pauses double up to the cap, by half by chance', () => {
    const [shortest, longest] = [
      createBackoff({ baseMs: 100, maxMs: 500 }, () => 0),
      createBackoff({ baseMs: 100, maxMs: 500 }, () => 1),
    ];
    const take = (backoff: { next(): number }) => [1, 2, 3, 4, 5].map(() => backoff.next());
    expect(take(shortest)).toEqual([50, 100, 200, 250, 250]);
    expect(take(longest)).toEqual([100, 200, 400, 500, 500]);
    longest.reset();
    expect(longest.next()).toBe(100);
  });
});
