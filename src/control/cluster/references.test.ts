/** Which Secrets and ConfigMaps are followed, and for how long. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { createKubeClient } from '../../kube/client/client.ts';
import { plainConfig } from '../../kube/client/config.ts';
import { createDiscovery } from '../../kube/client/discovery.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { openSecretsApi, refusal } from './follow/testing.ts';
import { createReferences, type ReferencesOptions } from './references.ts';
import { createWatchedRegistry, referencedResources } from './watched.ts';

const secret = (name: string) =>
  ({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name } }) as KubeObject;

/** Nobody answers there. */
function setUp(most = 3) {
  const client = createKubeClient({ config: plainConfig('http://127.0.0.1:1') });
  const store = createStore({ mirror: true });
  const references = createReferences({
    ...{ client, store, registry: createWatchedRegistry(), discovery: createDiscovery({ client }) },
    ...{ resources: referencedResources, most, waitMs: 30 },
  });
  onTestFinished(async () => {
    await references.stop();
    client.close();
  });
  const ask = (...names: string[]) => names.map((name) => references.reader.get('secrets', `shop/${name}`));
  return { store, references, ask };
}

it('follows what is asked for in vain, once, and no other kinds', () => {
  const { store, references, ask } = setUp();
  store.put('secrets', secret('there'));
  expect(ask('there', 'missing', 'missing')).toEqual([secret('there'), undefined, undefined]);
  references.reader.get('services', 'shop/web');
  references.reader.get('configmaps', 'shop/ca');
  expect(references.readers.map(({ resource }) => resource)).toEqual(['secrets', 'configmaps']);
});

it('waits for the first answer, though not for ever', async () => {
  const { references, ask } = setUp();
  expect(references.awaited()).toBeUndefined();
  ask('missing');
  await references.awaited();
  expect(references.awaited()).toBeUndefined();
  expect(references.reader.isUnanswered?.('secrets', 'shop/missing')).toBe(true);
  expect(references.reader.isUnanswered?.('services', 'shop/missing')).toBe(false);
  ask('missing');
  expect(references.awaited()).toBeUndefined();
});

it('does not count the time for which whoever asked kept the process busy', async () => {
  const { references, ask } = setUp();
  ask('missing');
  const until = performance.now() + 60;
  while (performance.now() < until);
  await new Promise((resume) => setImmediate(resume));
  expect(references.awaited()).toBeDefined();
});

it('is full at its bound, and has room again when others are not asked for any more', () => {
  const { references, ask, store } = setUp();
  ask('a', 'b', 'c');
  expect(references.isFull).toBe(false);
  ask('d');
  expect([references.size, references.isFull]).toEqual([3, true]);
  store.put('secrets', secret('a'));
  store.put('secrets', secret('b'));
  references.markAnew();
  ask('b', 'c');
  references.forgetOthers();
  expect([references.size, references.isFull]).toEqual([2, false]);
  expect(store.list('secrets')).toEqual([secret('b')]);
  ask('d');
  expect(references.size).toBe(3);
});

it('asks for nothing whose name cannot be one, and knows that it is not there', () => {
  const { references } = setUp();
  const names = ['shop/', 'shop/..', 'shop/a,metadata.namespace!=b', 'shop/a/b', '/a', 'a', 'sh/op/a', 'shop/A'];
  for (const key of names) expect(references.reader.get('secrets', key)).toBeUndefined();
  expect([references.size, references.awaited()]).toEqual([0, undefined]);
  expect(names.map((key) => references.reader.isUnanswered?.('secrets', key))).toEqual(names.map(() => false));
});

/** An API with two Secrets. */
async function setUpApi(more: Partial<ReferencesOptions> = {}) {
  const { api, options } = await openSecretsApi();
  let late = 0;
  const references = createReferences({
    ...options,
    ...{ registry: createWatchedRegistry(), resources: new Set(['secrets']), ownWatches: 0, waitMs: 30 },
    onLateAnswer: () => late++,
    ...more,
  });
  onTestFinished(() => references.stop());
  for (const name of ['one', 'two']) api.put(name, 'text');
  const ask = (...names: string[]) =>
    names.map((name) => references.reader.get('secrets', `shop/${name}`) !== undefined);
  return { api, store: options.store, references, ask, late: () => late };
}

it.each([0, 100])('has what was asked for when it was waited for, with %d watches of their own', async (ownWatches) => {
  const { references, ask } = await setUpApi({ ownWatches, waitMs: 5000 });
  expect(ask('one', 'two', 'missing')).toEqual([false, false, false]);
  await references.awaited();
  expect(ask('one', 'two', 'missing')).toEqual([true, true, false]);
  expect(references.awaited()).toBeUndefined();
  expect(references.reader.isUnanswered?.('secrets', 'shop/missing')).toBe(false);
});

it('tells of an answer that comes late when there is no object: no change does', async () => {
  const { api, references, ask, late, store } = await setUpApi();
  let release = () => {};
  const held = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  api.answer = ({ verb }) => (verb === 'get' ? held : undefined);
  ask('one', 'missing');
  await references.awaited();
  expect(references.reader.isUnanswered?.('secrets', 'shop/missing')).toBe(true);
  release();
  await vi.waitUntil(() => late() > 0 && store.get('secrets', 'shop/one') !== undefined);
  expect(references.reader.isUnanswered?.('secrets', 'shop/missing')).toBe(false);
  expect(late()).toBe(1);
});

it('does not know of an object that may not be read, and goes on with the others', async () => {
  const { api, references, ask } = await setUpApi();
  api.answer = ({ verb, name }) => (verb === 'get' && name === 'one' ? refusal(403, 'Forbidden') : undefined);
  ask('one', 'two');
  await references.awaited();
  expect(ask('one', 'two')).toEqual([false, true]);
  expect(references.reader.isUnanswered?.('secrets', 'shop/one')).toBe(true);
  expect(references.readers.find(({ error }) => error)?.error?.code).toBe(403);
});

it.each([0, 100])('lets go what is not asked for any more, with %d watches of their own', async (ownWatches) => {
  const { api, references, ask, store } = await setUpApi({ ownWatches, waitMs: 5000, most: 2 });
  ask('one', 'two', 'three');
  await references.awaited();
  expect([references.isFull, store.list('secrets').length]).toEqual([true, 2]);
  references.markAnew();
  ask('two');
  references.forgetOthers();
  expect([references.isFull, references.size]).toEqual([false, 1]);
  expect(store.list('secrets').map(({ metadata }) => metadata.name)).toEqual(['two']);
  api.put('three', 'text');
  ask('three');
  await references.awaited();
  expect(ask('two', 'three')).toEqual([true, true]);
});
