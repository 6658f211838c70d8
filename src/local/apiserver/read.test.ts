import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type TestCluster } from './cluster.fixture.ts';

interface List {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: { metadata: { name: string } }[];
}

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startCluster({ historyLimit: 50 });
});
afterEach(() => cluster.close());

const maps = '/api/v1/namespaces/default/configmaps';

function create(name: string, namespace = 'default', labels: Record<string, string> = {}): void {
  const result = cluster.objects.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels } });
  if (!result.ok) throw new Error(result.error.message);
}

async function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: List }> {
  const response = await fetch(cluster.url + path, { headers });
  return { status: response.status, body: (await response.json()) as List };
}

const names = (list: List) => list.items.map((item) => item.metadata.name);

describe('list', () => {
  it('pages through the state of the first page, whatever happens meanwhile', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) create(name);
    const first = (await get(`${maps}?limit=2`)).body;
    expect(names(first)).toEqual(['a', 'b']);
    expect(first.metadata.remainingItemCount).toBe(3);
    cluster.objects.delete('configmaps', 'default/c');
    create('aa');
    create('z');
    const second = (await get(`${maps}?limit=2&continue=${first.metadata.continue}`)).body;
    expect(names(second)).toEqual(['c', 'd']);
    const third = (await get(`${maps}?limit=2&continue=${second.metadata.continue}`)).body;
    expect(names(third)).toEqual(['e']);
    expect(third.metadata.continue).toBeUndefined();
    expect(new Set([first, second, third].map((page) => page.metadata.resourceVersion)).size).toBe(1);
  });

  it('refuses a token whose state is no longer known with 410', async () => {
    for (const name of ['a', 'b', 'c']) create(name);
    const first = (await get(`${maps}?limit=1`)).body;
    for (let i = 0; i < 200; i++) create(`more${i}`);
    expect(await get(`${maps}?limit=1&continue=${first.metadata.continue}`)).toMatchObject({
      status: 410,
      body: { kind: 'Status', reason: 'Expired', code: 410 },
    });
  });

  it('shows the state at a revision with resourceVersionMatch=Exact', async () => {
    create('a');
    const { resourceVersion } = (await get(maps)).body.metadata;
    create('b');
    cluster.objects.delete('configmaps', 'default/a');
    const exact = await get(`${maps}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`);
    expect(names(exact.body)).toEqual(['a']);
    expect(names((await get(maps)).body)).toEqual(['b']);
  });

  it('lists across namespaces in the order of keys', async () => {
    create('b');
    create('a');
    create('z', 'a-namespace');
    expect(names((await get('/api/v1/configmaps')).body)).toEqual(['z', 'a', 'b']);
  });

  it.each([
    ['labelSelector=app%3Dx', ['a']],
    ['labelSelector=app%20in%20(x,y),!old', ['a', 'b']],
    ['labelSelector=old', ['c']],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db,metadata.namespace%3Ddefault', ['a', 'c']],
    ['labelSelector=app&fieldSelector=metadata.name%3Dc', ['c']],
  ])('selects by %s', async (query, expected) => {
    create('a', 'default', { app: 'x' });
    create('b', 'default', { app: 'y' });
    create('c', 'default', { app: 'y', old: '1' });
    expect(names((await get(`${maps}?${query}`)).body)).toEqual(expected);
  });

  it('gives metadata only, on request', async () => {
    cluster.objects.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } } as never);
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
    const { body } = await get(maps, { accept });
    expect(body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(Object.keys(body.items[0]!)).toEqual(['kind', 'apiVersion', 'metadata']);
  });

  it('gives YAML on request, and JSON to a client that takes protobuf only', async () => {
    create('a');
    const yaml = await fetch(cluster.url + maps, { headers: { accept: 'application/yaml' } });
    expect(yaml.headers.get('content-type')).toBe('application/yaml');
    expect(await yaml.text()).toMatch(/^kind: ConfigMapList\n/);
    const fallback = await fetch(cluster.url + maps, { headers: { accept: 'application/vnd.kubernetes.protobuf' } });
    expect(fallback.headers.get('content-type')).toBe('application/json');
  });

  it('indents for people', async () => {
    create('a');
    const response = await fetch(`${cluster.url}${maps}?pretty=true`);
    const text = await response.text();
    expect(text.split('\n').length).toBeGreaterThan(10);
    expect(JSON.parse(text)).toMatchObject({ items: [{ metadata: { name: 'a' } }] });
  });

  it('refuses a revision from the future', async () => {
    expect(await get(`${maps}?resourceVersion=100000`)).toMatchObject({ status: 504, body: { reason: 'Timeout' } });
  });

  it.each([
    'limit=-1',
    'limit=x',
    'continue=garbage',
    'continue=eyJ2IjoxfQ',
    'resourceVersion=abc',
    'labelSelector=%3D%3D',
  ])('refuses ?%s with 400', async (query) => {
    expect(await get(`${maps}?${query}`)).toMatchObject({
      status: 400,
      body: { kind: 'Status', reason: 'BadRequest' },
    });
  });

  it('cannot be asked for what is not there', async () => {
    expect(await get('/api/v1/namespaces/default/nonsense')).toMatchObject({
      status: 404,
      body: { message: 'the server could not find the requested resource' },
    });
    expect(await get(`${maps}/nobody`)).toMatchObject({
      status: 404,
      body: { message: 'configmaps "nobody" not found', details: { name: 'nobody', kind: 'configmaps' } },
    });
  });
});
