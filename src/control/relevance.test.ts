import { describe, expect, it } from 'vitest';
import type { Change } from '../kube/store/store.ts';
import type { Unstructured } from '../kube/types/index.ts';
import { relevanceOf } from './relevance.ts';

const modified = (resource: string, before: Partial<Unstructured>, now: Partial<Unstructured>): Change => {
  const object = (fields: Partial<Unstructured>) =>
    ({ apiVersion: 'v1', kind: 'X', ...fields, metadata: { name: 'x', uid: 'u', ...fields.metadata } }) as Unstructured;
  return { resource, type: 'MODIFIED', object: object(now), previous: object(before), revision: 2 };
};

describe('a new plan', () => {
  it.each<[string, string, Partial<Unstructured>, Partial<Unstructured>]>([
    ['a Secret says something else', 'secrets', { data: { a: 'YQ==' } }, { data: { a: 'Yg==' } }],
    ['a Service has another port', 'services', { spec: { ports: [80] } }, { spec: { ports: [81] } }],
    [
      'a generation counts a change',
      'ingresses.networking.k8s.io',
      { metadata: { name: 'x', generation: 1 } },
      { metadata: { name: 'x', generation: 2 } },
    ],
    ['a label changes', 'services', {}, { metadata: { name: 'x', labels: { a: 'b' } } }],
    ['somebody else writes a status', 'ingresses.networking.k8s.io', {}, { status: { loadBalancer: {} } }],
  ])('is called for when %s', (_what, resource, before, now) => {
    expect(relevanceOf(modified(resource, before, now))).not.toBe('none');
  });

  it.each<[string, string, Partial<Unstructured>, Partial<Unstructured>]>([
    ['a Service gets an address in its status', 'services', { spec: {} }, { spec: {}, status: { loadBalancer: {} } }],
    ['only the version differs', 'secrets', { data: {} }, { data: {}, metadata: { name: 'x', resourceVersion: '9' } }],
    ['a Pod changes', 'pods', { spec: {} }, { spec: { nodeName: 'n' } }],
  ])('is not when %s', (_what, resource, before, now) => {
    expect(relevanceOf(modified(resource, before, now))).toBe('none');
  });
});
