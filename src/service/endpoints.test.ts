import { describe, expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import { backendEndpoints, endpointSliceResource, usableEndpoints } from './endpoints.ts';
import { service, slice } from './testing.ts';

const ref = (port: number | string, protocol?: 'TCP' | 'UDP') => ({
  namespace: 'shop',
  service: 'web',
  port,
  ...(protocol && { protocol }),
});

function storeWith(...slices: ReturnType<typeof slice>[]) {
  const store = createStore();
  store.put(
    'services',
    service('web', {
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    }),
  );
  for (const item of slices) store.put(endpointSliceResource, item);
  return store;
}

const places = (endpoints: readonly { address: string; port: number }[]) =>
  endpoints.map(({ address, port }) => `${address}:${port}`);

describe('backendEndpoints', () => {
  it('matches the slice port by name and protocol, by number or name of the Service port', () => {
    const store = storeWith(
      slice(
        'web',
        ['127.78.1.10', '127.78.1.9'],
        [
          { name: 'http', port: 8080 },
          { name: 'dns', port: 5300, protocol: 'UDP' },
          { name: 'dns-tcp', port: 5301 },
        ],
      ),
    );
    expect(places(backendEndpoints(store, ref(80)))).toEqual(['127.78.1.9:8080', '127.78.1.10:8080']);
    expect(backendEndpoints(store, ref('http'))).toEqual(backendEndpoints(store, ref(80)));
    expect(places(backendEndpoints(store, ref(53)))[0]).toBe('127.78.1.9:5301');
    expect(places(backendEndpoints(store, ref(53, 'UDP')))[0]).toBe('127.78.1.9:5300');
    expect(backendEndpoints(store, ref(81))).toEqual([]);
    expect(backendEndpoints(store, ref('grpc'))).toEqual([]);
  });

  it('joins slices and keeps the best conditions of an endpoint that stands in two', () => {
    const store = storeWith(
      slice('web', [{ addresses: ['127.78.1.1'], conditions: { ready: false } }], [{ name: 'http', port: 8080 }]),
      slice('web', ['127.78.1.1', '127.78.1.2'], [{ name: 'http', port: 8080 }], { name: 'web-2' }),
      slice('other', ['127.78.1.3'], [{ name: 'http', port: 8080 }]),
    );
    const endpoints = backendEndpoints(store, ref(80));
    expect(places(endpoints)).toEqual(['127.78.1.1:8080', '127.78.1.2:8080']);
    expect(endpoints[0]).toMatchObject({ ready: true, serving: true, terminating: false });
  });

  it('sees writes that come after it was asked', () => {
    const store = storeWith(slice('web', ['127.78.1.1'], [{ name: 'http', port: 8080 }]));
    expect(backendEndpoints(store, ref(80))).toHaveLength(1);
    store.put(endpointSliceResource, slice('web', [], [{ name: 'http', port: 8080 }]));
    expect(backendEndpoints(store, ref(80))).toEqual([]);
  });

  it('leaves out other families, FQDN slices, ports without number and broken addresses', () => {
    const port = [{ name: 'http', port: 8080 }];
    const store = storeWith(
      slice('web', ['127.78.1.1', 'not-an-address', { addresses: [] }], port),
      slice('web', ['fd00::1'], port, { name: 'six', addressType: 'IPv6' }),
      slice('web', ['example.com'], port, { name: 'name', addressType: 'FQDN' }),
      slice('web', ['127.78.1.4'], [{ name: 'http' }], { name: 'no-port' }),
    );
    expect(places(backendEndpoints(store, ref(80)))).toEqual(['127.78.1.1:8080']);
    expect(places(backendEndpoints(store, ref(80), { families: ['IPv6', 'IPv4'] }))).toEqual([
      '127.78.1.1:8080',
      'fd00::1:8080',
    ]);
  });

  it('carries what is known of the endpoint', () => {
    const store = storeWith(
      slice(
        'web',
        [
          {
            addresses: ['127.78.1.1'],
            conditions: { ready: false, serving: true, terminating: true },
            hostname: 'web-0',
            nodeName: 'fairway',
            zone: 'a',
            targetRef: { kind: 'Pod', namespace: 'shop', name: 'web-0' },
          },
        ],
        [{ name: 'http', port: 8080 }],
      ),
    );
    expect(backendEndpoints(store, ref(80))).toEqual([
      {
        address: '127.78.1.1',
        port: 8080,
        ready: false,
        serving: true,
        terminating: true,
        hostname: 'web-0',
        nodeName: 'fairway',
        zone: 'a',
        pod: 'shop/web-0',
      },
    ]);
  });

  it('has none for ExternalName and missing Services', () => {
    const store = storeWith(slice('web', ['127.78.1.1'], [{ name: 'http', port: 8080 }]));
    store.put('services', service('web', { type: 'ExternalName', externalName: 'x.org', ports: [{ port: 80 }] }));
    expect(backendEndpoints(store, ref(80))).toEqual([]);
    store.remove('services', 'shop/web');
    expect(backendEndpoints(store, ref(80))).toEqual([]);
  });
});

describe('usableEndpoints', () => {
  const endpoint = (port: number, ready: boolean, serving: boolean, terminating: boolean) => ({
    address: '127.78.1.1',
    port,
    ready,
    serving,
    terminating,
  });

  it('takes ready ones, else those that serve while terminating', () => {
    const [ready, leaving, starting] = [
      endpoint(1, true, true, false),
      endpoint(2, false, true, true),
      endpoint(3, false, false, false),
    ];
    expect(usableEndpoints([ready, leaving, starting])).toEqual([ready]);
    expect(usableEndpoints([leaving, starting])).toEqual([leaving]);
    expect(usableEndpoints([starting])).toEqual([]);
  });
});
