import { expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import { createSocketDemand } from './demand.ts';
import { put } from './testing.ts';

it('follows the sockets that Services want', () => {
  const store = createStore();
  put(store, 'first', { clusterIP: '127.78.2.1', ports: [{ port: 80 }, { port: 443 }] }, []);
  const demand = createSocketDemand(store, ['127.78.2.250']);
  expect(demand.count()).toBe(2);
  put(store, 'headless', { clusterIP: 'None', ports: [{ port: 80 }] }, []);
  expect(demand.count()).toBe(2);
  // A NodePort is open on the address of the node and on 127.0.0.1.
  put(store, 'node', { type: 'NodePort', clusterIP: '127.78.2.2', ports: [{ port: 80, nodePort: 30_080 }] }, []);
  expect(demand.count()).toBe(5);
  put(store, 'first', { clusterIP: '127.78.2.1', ports: [{ port: 80 }] }, []);
  store.remove('services', 'shop/node');
  expect(demand.count()).toBe(1);
  demand.close();
  store.remove('services', 'shop/first');
  expect(demand.count()).toBe(1);
});
