import { describe, expect, it } from 'vitest';
import { createObjectApi } from '../kube/objects.ts';
import { createResourceRegistry } from '../kube/resources.ts';
import { createStore } from '../kube/store/store.ts';
import type { KubeObject, Unstructured } from '../kube/types/index.ts';
import type { StatusUpdate } from '../routing/translate.ts';
import { createLocalStatusSink } from './status-sink.ts';
import { createStatusWriter } from './status-writer.ts';

const resource = 'ingresses.networking.k8s.io';
const metadataOf = (name: string) => ({ namespace: 'shop', name });

function update(name: string, build: () => unknown): StatusUpdate {
  const ref = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', ...metadataOf(name) };
  return { ref, resource, build } as StatusUpdate;
}

describe('a status that cannot be made', () => {
  it('is told of, tried again, and keeps no other from being written', () => {
    const store = createStore();
    const objects = createObjectApi({
      store,
      registry: createResourceRegistry(),
      admit: ({ object }) => ({ object, errors: [], warnings: [] }),
    });
    for (const name of ['a', 'b'])
      store.put(resource, {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { ...metadataOf(name), uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
      } as KubeObject);
    const errors: string[] = [];
    const writer = createStatusWriter({
      store,
      sink: createLocalStatusSink(objects),
      onError: (message) => errors.push(message),
    });
    let isBroken = true;
    const broken = update('a', () => {
      if (isBroken) throw new Error('no such field');
      return { note: 'mended' };
    });
    const updates = [broken, update('b', () => ({ note: 'good' }))];
    const report = { listener: () => undefined };
    expect(writer.write(updates, report)).toBe(1);
    expect(errors).toEqual(['status of Ingress shop/a: no such field']);
    expect(store.get<Unstructured>(resource, 'shop/b')?.status).toEqual({ note: 'good' });
    isBroken = false;
    expect(writer.write(updates, report)).toBe(1);
    expect(store.get<Unstructured>(resource, 'shop/a')?.status).toEqual({ note: 'mended' });
    writer.stop();
  });
});
