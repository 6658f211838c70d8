import { describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { createServiceIndex } from './index-of-services.ts';

const slices = 'endpointslices.discovery.k8s.io';

function cluster() {
  const store = createStore({ mirror: true });
  const told: string[] = [];
  const index = createServiceIndex({ store, onChange: ({ name }) => told.push(name) });
  const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
  return {
    ...{ store, index, told },
    service: (name: string, spec: object = { clusterIP: 'None' }, labels: object = {}) =>
      put('services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop', labels }, spec }),
    slice: (name: string, of: string, addresses: string[], more: object = {}) =>
      put(slices, {
        ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
        metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
        endpoints: addresses.map((address) => ({ addresses: [address], ...more })),
      }),
    behind(address: string) {
      index.refresh();
      return index.byEndpointAddress(address).map(({ name }) => name);
    },
  };
}

describe('the index of Services', () => {
  it('finds an address as long as any slice of the Service has it', () => {
    const { store, service, slice, behind } = cluster();
    service('db');
    slice('db-1', 'db', ['10.0.0.1', '10.0.0.2']);
    slice('db-2', 'db', ['10.0.0.2']);
    expect(behind('10.0.0.2')).toEqual(['db']);
    slice('db-1', 'db', ['10.0.0.1', '10.0.0.3']);
    expect(['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(behind)).toEqual([['db'], ['db'], ['db']]);
    store.remove(slices, 'shop/db-2');
    expect(behind('10.0.0.2')).toEqual([]);
    slice('web-1', 'web', ['10.0.0.1']);
    service('web');
    expect(behind('10.0.0.1')).toEqual(['db', 'web']);
    store.remove('services', 'shop/db');
    expect(behind('10.0.0.1')).toEqual(['web']);
    expect(behind('10.0.0.3')).toEqual([]);
  });

  it('shows what is not ready only for Services that say so, and hides it again', () => {
    const { service, slice, index, behind } = cluster();
    service('db');
    slice('db-1', 'db', ['10.0.0.1'], { conditions: { ready: false } });
    expect(behind('10.0.0.1')).toEqual([]);
    service('db', { clusterIP: 'None', publishNotReadyAddresses: true });
    expect(behind('10.0.0.1')).toEqual(['db']);
    expect(index.get('shop', 'db')?.endpoints).toMatchObject([{ address: '10.0.0.1', label: '10-0-0-1' }]);
    service('db', { type: 'ExternalName', externalName: 'example.com' });
    expect(behind('10.0.0.1')).toEqual([]);
    expect(index.get('shop', 'db')?.endpoints).toEqual([]);
  });

  it('tells of changes that DNS can show, and of no others', () => {
    const { service, slice, index, told } = cluster();
    const news = () => {
      index.refresh();
      return told.splice(0);
    };
    service('db');
    slice('db-1', 'db', ['10.0.0.1'], { nodeName: 'one' });
    expect(news()).toEqual(['db']);
    service('db', { clusterIP: 'None' }, { team: 'a' });
    slice('db-1', 'db', ['10.0.0.1'], { nodeName: 'two' });
    slice('db-2', 'db', []);
    expect(news()).toEqual([]);
    slice('db-1', 'db', ['10.0.0.1'], { zone: 'a' });
    expect(news()).toEqual(['db']);
    slice('db-1', 'db', ['10.0.0.1'], { zone: 'a', conditions: { ready: false } });
    expect(news()).toEqual(['db']);
    slice('db-2', 'db', ['10.0.0.1'], { zone: 'a' });
    expect(news()).toEqual(['db']);
  });
});
