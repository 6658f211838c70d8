import { expect, it, onTestFinished } from 'vitest';
import { createObjectApi } from '../kube/objects.ts';
import { createResourceRegistry } from '../kube/resources.ts';
import { createStore } from '../kube/store/store.ts';
import type { KubeObject, Unstructured } from '../kube/types/index.ts';
import type { StatusUpdate } from '../routing/translate.ts';
import { createLocalStatusSink } from './status-sink.ts';
import { createStatusWriter } from './status-writer.ts';

const resource = 'gateways.gateway.networking.k8s.io';
const ref = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', namespace: 'a', name: 'b' };
const report = { listener: () => undefined };
const everyMs = 80;

function setUp() {
  const store = createStore();
  const registry = createResourceRegistry();
  registry.add({
    ...{
      group: 'gateway.networking.k8s.io',
      versions: ['v1'],
      kind: 'Gateway',
      plural: 'gateways',
      singular: 'gateway',
    },
    ...{ shortNames: [], categories: [], namespaced: true, status: true, custom: true },
  } as unknown as Parameters<typeof registry.add>[0]);
  const objects = createObjectApi({ store, registry, admit: ({ object }) => ({ object, errors: [], warnings: [] }) });
  store.put(resource, { ...ref, metadata: { namespace: 'a', name: 'b', uid: 'x' } } as unknown as KubeObject);
  const versions: unknown[] = [];
  store.subscribe(({ object }) => versions.push((object as Unstructured).status));
  const writer = createStatusWriter({
    store,
    sink: createLocalStatusSink(objects),
    countsEveryMs: everyMs,
    onError: (message) => expect.fail(message),
  });
  onTestFinished(() => writer.stop());
  const show = (attachedRoutes: number, programmed = 'True') => {
    const build = () => ({ conditions: [{ type: 'Programmed', status: programmed }], listeners: [{ attachedRoutes }] });
    writer.write([{ ref, resource, build } as StatusUpdate], report);
  };
  const counts = () =>
    versions.map((status) => (status as { listeners: { attachedRoutes: number }[] }).listeners[0]!.attachedRoutes);
  return { show, counts, writer };
}

it('writes the first count of a burst at once, the last in time, and few between', async () => {
  const { show, counts } = setUp();
  show(0);
  await new Promise((resolve) => setTimeout(resolve, everyMs + 20));
  for (let n = 1; n <= 50; n++) show(n);
  expect(counts()).toEqual([0, 1]);
  await expect.poll(counts).toEqual([0, 1, 50]);
});

it('puts off nothing but counts', () => {
  const { show, counts } = setUp();
  show(0);
  show(1);
  show(2, 'False');
  expect(counts()).toEqual([0, 2]);
});

it('writes what was put off when somebody waits for it', () => {
  const { show, counts, writer } = setUp();
  show(0);
  show(7);
  expect(counts()).toEqual([0]);
  writer.flush();
  expect(counts()).toEqual([0, 7]);
});
