import { afterEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/types/index.ts';
import { startCluster, type TestCluster, type TestClusterOptions } from './cluster.fixture.ts';

interface Event {
  type: string;
  object: KubeObject & { code?: number; reason?: string; rows?: { cells: unknown[] }[]; columnDefinitions?: unknown[] };
}

let cluster: TestCluster;
let watches: AbortController[] = [];

afterEach(async () => {
  for (const watch of watches) watch.abort();
  watches = [];
  await cluster.close();
});

async function start(options?: TestClusterOptions): Promise<void> {
  cluster = await startCluster(options);
}

/** A watch whose events are taken one at a time; undefined at its end. */
async function watch(query: string, accept = 'application/json'): Promise<() => Promise<Event | undefined>> {
  const abort = new AbortController();
  watches.push(abort);
  const response = await fetch(`${cluster.url}${query}`, { headers: { accept }, signal: abort.signal });
  expect(response.status).toBe(200);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return async () => {
    while (!text.includes('\n')) {
      const { value, done } = await reader.read();
      if (done) return undefined;
      text += value;
    }
    const end = text.indexOf('\n');
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    return JSON.parse(line) as Event;
  };
}

const maps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, labels: Record<string, string> = {}, namespace = 'default'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels },
});

function put(object: KubeObject): string {
  const key = `${object.metadata.namespace}/${object.metadata.name}`;
  const exists = cluster.objects.store.get('configmaps', key);
  const result = exists ? cluster.objects.update(object) : cluster.objects.create(object);
  if (!result.ok) throw new Error(result.error.message);
  return result.value.object.metadata.resourceVersion!;
}

const remove = (name: string) => cluster.objects.delete('configmaps', `default/${name}`);
const brief = (event: Event | undefined) => event && `${event.type} ${event.object.metadata.name}`;

describe('watch', () => {
  it('begins with what is there, then tells changes in order', async () => {
    await start();
    put(configMap('a'));
    const next = await watch(`${maps}?watch=1`);
    expect(brief(await next())).toBe('ADDED a');
    put(configMap('b'));
    put(configMap('b', { x: '1' }));
    remove('a');
    expect([brief(await next()), brief(await next()), brief(await next())]).toEqual([
      'ADDED b',
      'MODIFIED b',
      'DELETED a',
    ]);
  });

  it('goes on after a resourceVersion, and tells only of its namespace', async () => {
    await start();
    const since = put(configMap('a'));
    put(configMap('b'));
    put(configMap('c', {}, 'kube-system'));
    const next = await watch(`${maps}?watch=1&resourceVersion=${since}`);
    put(configMap('d', {}, 'kube-system'));
    put(configMap('e'));
    expect(brief(await next())).toBe('ADDED b');
    expect(brief(await next())).toBe('ADDED e');
  });

  it('ends with 410 when the revision is no longer in the history, or of another life', async () => {
    await start({ historyLimit: 5 });
    const since = put(configMap('a'));
    for (let i = 0; i < 20; i++) put(configMap('a', { i: String(i) }));
    for (const version of [since, '1000000']) {
      const next = await watch(`${maps}?watch=1&resourceVersion=${version}`);
      const event = await next();
      expect(event).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
      expect(await next()).toBeUndefined();
    }
  });

  it('turns the edges of a selector into ADDED and DELETED', async () => {
    await start();
    put(configMap('a', { app: 'x' }));
    put(configMap('b', { app: 'y' }));
    const next = await watch(`${maps}?watch=1&labelSelector=app%3Dx`);
    expect(brief(await next())).toBe('ADDED a');
    put(configMap('b', { app: 'x' }));
    const left = put(configMap('a', { app: 'y' }));
    remove('a');
    remove('b');
    expect(brief(await next())).toBe('ADDED b');
    const gone = await next();
    expect(gone).toMatchObject({
      type: 'DELETED',
      object: { metadata: { name: 'a', labels: { app: 'x' }, resourceVersion: left } },
    });
    expect(brief(await next())).toBe('DELETED b');
  });

  it('marks the end of the initial events of a watch-list', async () => {
    await start();
    put(configMap('a'));
    const next = await watch(
      `${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    expect(brief(await next())).toBe('ADDED a');
    expect(await next()).toMatchObject({
      type: 'BOOKMARK',
      object: {
        kind: 'ConfigMap',
        metadata: {
          resourceVersion: String(cluster.objects.store.revision),
          annotations: { 'k8s.io/initial-events-end': 'true' },
        },
      },
    });
    put(configMap('b'));
    expect(brief(await next())).toBe('ADDED b');
  });

  it('sends bookmarks with the newest revision, if asked', async () => {
    await start({ limits: { bookmarkIntervalMs: 20 } });
    const next = await watch(`${maps}?watch=1&allowWatchBookmarks=true`);
    put(configMap('elsewhere', {}, 'kube-system'));
    const bookmark = await next();
    expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1' } });
    expect(bookmark?.object.metadata.resourceVersion).toBe(String(cluster.objects.store.revision));
  });

  it('ends after timeoutSeconds', async () => {
    await start();
    const next = await watch(`${maps}?watch=1&timeoutSeconds=1`);
    const began = Date.now();
    expect(await next()).toBeUndefined();
    expect(Date.now() - began).toBeGreaterThan(800);
  });

  it('ends when the server closes', async () => {
    await start();
    const next = await watch(`${maps}?watch=1`);
    const end = next();
    await cluster.close();
    expect(await end).toBeUndefined();
  });

  it('shows tables, with the columns in the first one only', async () => {
    await start();
    put(configMap('a'));
    put(configMap('b'));
    const next = await watch(`${maps}?watch=1`, 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json');
    const [first, second] = [await next(), await next()];
    expect(first?.object).toMatchObject({ kind: 'Table', rows: [{ cells: ['a', 0, expect.any(String)] }] });
    expect(first?.object.columnDefinitions).toHaveLength(3);
    expect(second?.object).toMatchObject({ columnDefinitions: [], rows: [{ cells: ['b', 0, expect.any(String)] }] });
  });

  it('closes a reader that does not keep up', async () => {
    await start({ limits: { watchBacklog: 50, responseBuffer: 1024 } });
    const next = await watch(`${maps}?watch=1`);
    for (let i = 0; i < 60; i++) put(configMap(`m${i}`));
    await expect(
      (async () => {
        for (let event = await next(); event; event = await next());
      })(),
    ).rejects.toThrow(/terminated/);
  });

  it('cuts a reader that stalls', async () => {
    await start({ limits: { responseBuffer: 1024, stallTimeoutMs: 100 } });
    const big = { ...configMap('big'), data: { blob: 'x'.repeat(500_000) } };
    for (let i = 0; i < 40; i++)
      cluster.objects.create({ ...big, metadata: { ...big.metadata, name: `big${i}` } } as KubeObject);
    const abort = new AbortController();
    watches.push(abort);
    const response = await fetch(`${cluster.url}${maps}?watch=1`, { signal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 600));
    await expect(response.text()).rejects.toThrow(/terminated/);
  });

  it.each([
    ['resourceVersion=x', 400],
    ['labelSelector=a%20b', 400],
    ['fieldSelector=spec.foo%3D1', 400],
    ['resourceVersionMatch=Exact', 422],
    ['sendInitialEvents=true', 422],
  ])('refuses ?%s', async (query, code) => {
    await start();
    const response = await fetch(`${cluster.url}${maps}?watch=1&${query}`);
    expect(response.status).toBe(code);
    expect(await response.json()).toMatchObject({ kind: 'Status', status: 'Failure', code });
  });

  it('refuses more watches than allowed', async () => {
    await start({ limits: { watchers: 1 } });
    await watch(`${maps}?watch=1`);
    const response = await fetch(`${cluster.url}${maps}?watch=1`);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('1');
  });
});
