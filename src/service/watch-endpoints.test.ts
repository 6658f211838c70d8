import { setImmediate as macrotask } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import { type Endpoint, endpointSliceResource } from './endpoints.ts';
import { service, slice } from './testing.ts';
import { watchEndpoints } from './watch-endpoints.ts';

const backend = (name: string) => ({ id: `shop/${name}:80`, namespace: 'shop', service: name, port: 80 });
const web = slice('web', ['127.78.1.1'], [{ port: 8080 }]);

function setUp() {
  const store = createStore();
  for (const name of ['web', 'api']) store.put('services', service(name, { ports: [{ port: 80 }] }));
  store.put(endpointSliceResource, web);
  const batches: Record<string, readonly Endpoint[] | null>[] = [];
  const watcher = watchEndpoints(store, { onChange: (changed) => void batches.push(Object.fromEntries(changed)) });
  return { store, batches, watcher };
}

describe('watchEndpoints', () => {
  it('reports newly tracked backends, also empty ones, in one batch', async () => {
    const { batches, watcher } = setUp();
    watcher.track([backend('web'), backend('api')]);
    expect(batches).toEqual([]);
    await macrotask();
    expect(batches).toEqual([
      { 'shop/web:80': [expect.objectContaining({ address: '127.78.1.1', port: 8080 })], 'shop/api:80': [] },
    ]);
    expect(watcher.get('shop/api:80')).toEqual([]);
  });

  it('reports each changed set once however often it changed, and nothing that is equal', async () => {
    const { store, batches, watcher } = setUp();
    watcher.track([backend('web'), backend('api')]);
    watcher.flush();
    batches.length = 0;
    store.put(endpointSliceResource, slice('web', [], [{ port: 8080 }]));
    store.put(endpointSliceResource, slice('web', ['127.78.1.1', '127.78.1.2'], [{ port: 8080 }]));
    await macrotask();
    expect(batches.map((batch) => Object.keys(batch))).toEqual([['shop/web:80']]);
    expect(batches[0]!['shop/web:80']).toHaveLength(2);

    store.put(endpointSliceResource, slice('web', ['127.78.1.2', '127.78.1.1'], [{ port: 8080 }]));
    store.put(endpointSliceResource, slice('unknown', ['127.78.1.1'], [{ port: 8080 }]));
    await macrotask();
    expect(batches).toHaveLength(1);
  });

  it('follows a slice that moves to another Service', () => {
    const { store, batches, watcher } = setUp();
    watcher.track([backend('web'), backend('api')]);
    watcher.flush();
    const moved = slice('api', ['127.78.1.1'], [{ port: 8080 }], { name: web.metadata.name });
    store.put(endpointSliceResource, moved);
    watcher.flush();
    expect(batches[1]).toEqual({ 'shop/web:80': [], 'shop/api:80': [expect.anything()] });
    store.remove(endpointSliceResource, 'shop/web-1');
    watcher.flush();
    expect(batches[2]).toEqual({ 'shop/api:80': [] });
  });

  it('follows changes of the Service itself', () => {
    const { store, batches, watcher } = setUp();
    watcher.track([backend('web')]);
    watcher.flush();
    store.put('services', service('web', { ports: [{ name: 'http', port: 80 }] }));
    watcher.flush();
    expect(batches[1]).toEqual({ 'shop/web:80': [] });
    store.put(endpointSliceResource, slice('web', ['127.78.1.1'], [{ name: 'http', port: 8080 }]));
    watcher.flush();
    expect(batches[2]!['shop/web:80']).toHaveLength(1);
  });

  it('reports null for what is no longer tracked, and nothing after stop', async () => {
    const { store, batches, watcher } = setUp();
    watcher.track([backend('web'), backend('api')]);
    watcher.flush();
    watcher.track([backend('api')]);
    watcher.flush();
    expect(batches[1]).toEqual({ 'shop/web:80': null });
    store.put(endpointSliceResource, slice('api', ['127.78.1.1'], [{ port: 8080 }]));
    watcher.stop();
    await macrotask();
    expect(batches).toHaveLength(2);
  });

  it('takes the first family of a Service, in which a Pod of both counts once', () => {
    const store = createStore();
    const ports = [{ port: 80 }];
    store.put('services', service('web', { ports, ipFamilies: ['IPv6', 'IPv4'] }));
    store.put('services', service('api', { ports }));
    for (const name of ['web', 'api']) {
      store.put(endpointSliceResource, slice(name, ['127.78.1.1'], [{ port: 8080 }], { name: `${name}-4` }));
      const six = { name: `${name}-6`, addressType: 'IPv6' } as const;
      store.put(endpointSliceResource, slice(name, ['fd00::1'], [{ port: 8080 }], six));
    }
    const watcher = watchEndpoints(store, { families: 'primary', onChange: () => undefined });
    watcher.track([backend('web'), backend('api')]);
    watcher.flush();
    const addresses = (id: string) => watcher.get(id)?.map(({ address }) => address);
    expect([addresses('shop/web:80'), addresses('shop/api:80')]).toEqual([['fd00::1'], ['127.78.1.1']]);
  });
});
