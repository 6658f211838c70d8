/** The entries of a clusterset follow its objects. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { createImportIndex } from './index-of-imports.ts';
import type { ServiceIndex } from './index-of-services.ts';

const imports = 'serviceimports.multicluster.x-k8s.io';
const slices = 'endpointslices.discovery.k8s.io';

function put(store: Store, name: string, type: string): void {
  store.put(imports, {
    ...{ apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ServiceImport', metadata: { name, namespace: 'a' } },
    spec: { type, ips: [`10.0.0.${name.length}`], ports: [{ port: 80 }] },
  } as KubeObject);
}

function slice(store: Store, name: string, of: string, cluster: string, address: string): void {
  store.put(slices, {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [{ port: 80 }] },
    metadata: {
      ...{ name, namespace: 'a' },
      labels: {
        'multicluster.kubernetes.io/service-name': of,
        'multicluster.kubernetes.io/source-cluster': cluster,
      },
    },
    endpoints: [{ addresses: [address] }],
  } as unknown as KubeObject);
}

function contents(index: ServiceIndex) {
  index.refresh();
  const all = [...index.all()].map(({ name, form, addresses, endpoints }) => ({ name, form, addresses, endpoints }));
  const byAddress = ['172.0.0.1', '172.0.0.2'].map((address) => index.byEndpointAddress(address).map((e) => e.name));
  return { all: all.sort((a, b) => (a.name < b.name ? -1 : 1)), byAddress, known: index.hasNamespace('a') };
}

describe('the index of imports', () => {
  it('hears of changes that DNS can show, and of no others', () => {
    const store = createStore();
    const changed: string[] = [];
    const index = createImportIndex({ store, onChange: ({ name }) => changed.push(name) });
    const seen = () => {
      index.refresh();
      return changed.splice(0);
    };
    slice(store, 's1', 'web', 'east', '172.0.0.1');
    expect(seen()).toEqual([]);
    put(store, 'web', 'Headless');
    expect(seen()).toEqual(['web']);
    expect(index.get('a', 'web')?.endpoints.map(({ label }) => label)).toEqual(['172-0-0-1.east']);
    put(store, 'web', 'Headless');
    slice(store, 's1', 'web', 'east', '172.0.0.1');
    expect(seen()).toEqual([]);
    slice(store, 's1', 'web', 'west', '172.0.0.1');
    expect(seen()).toEqual(['web']);
    store.remove(slices, 'a/s1');
    expect(seen()).toEqual(['web']);
    store.remove(imports, 'a/web');
    expect(seen()).toEqual(['web']);
    expect(contents(index)).toEqual({ all: [], byAddress: [[], []], known: false });
    index.close();
    put(store, 'web', 'Headless');
    expect(seen()).toEqual([]);
  });

  it('after any series of changes is the same as one made fresh', () => {
    const names = fc.constantFrom('web', 'db');
    const step = fc.oneof(
      fc.tuple(fc.constant('put' as const), names, fc.constantFrom('Headless', 'ClusterSetIP')),
      fc.tuple(fc.constant('slice' as const), names, fc.constantFrom('172.0.0.1', '172.0.0.2')),
      fc.tuple(fc.constant('drop' as const), names, fc.constant('')),
      fc.tuple(fc.constant('cut' as const), names, fc.constant('')),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const store = createStore();
        const followed = createImportIndex({ store, onChange: () => {} });
        for (const [what, name, value] of steps) {
          if (what === 'put') put(store, name, value);
          if (what === 'slice') slice(store, `s-${value}`, name, 'east', value);
          if (what === 'drop') store.remove(imports, `a/${name}`);
          if (what === 'cut') store.remove(slices, `a/s-172.0.0.1`);
          const fresh = createImportIndex({ store, onChange: () => {} });
          expect(contents(followed)).toEqual(contents(fresh));
          fresh.close();
        }
        followed.close();
      }),
      { numRuns: 50 },
    );
  });
});
