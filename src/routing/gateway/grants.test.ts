import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { ReferenceGrant } from '../../kube/types/index.ts';
import { createGrants, grantHint } from './grants.ts';
import { resources } from './kinds.ts';

const from = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' };
const to = { group: '', kind: 'Service', namespace: 'backend', name: 'web' };

function grantsWith(...specs: ReferenceGrant['spec'][]): ReturnType<typeof createGrants> {
  const store = createStore();
  specs.forEach((spec, i) => {
    const metadata = { name: `grant-${i}`, namespace: 'backend' };
    store.put(resources.referenceGrant, { apiVersion: 'v1', kind: 'ReferenceGrant', metadata, spec });
  });
  return createGrants(store);
}

describe('ReferenceGrants', () => {
  it('are not needed within a namespace', () => {
    expect(grantsWith().permits(from, { ...to, namespace: 'shop' })).toBe(true);
    expect(grantsWith().permits(from, to)).toBe(false);
  });

  it.each<[string, Partial<typeof from>, Partial<{ group: string; kind: string; name: string }>, boolean]>([
    ['all names of a kind', {}, { name: undefined }, true],
    ['this name', {}, {}, true],
    ['an empty name', {}, { name: '' }, true],
    ['another name', {}, { name: 'other' }, false],
    ['another kind of target', {}, { kind: 'Secret' }, false],
    ['another kind of source', { kind: 'GRPCRoute' }, {}, false],
    ['another namespace', { namespace: 'stage' }, {}, false],
    ['another group', { group: 'example.com' }, {}, false],
  ])('for %s', (_what, source, target, permitted) => {
    const { group, kind, name } = to;
    const grants = grantsWith({ from: [{ ...from, ...source }], to: [{ group, kind, name, ...target }] });
    expect(grants.permits(from, to)).toBe(permitted);
  });

  it('do not add up: source and target stand in one grant', () => {
    const { group, kind } = to;
    const grants = grantsWith(
      { from: [from], to: [{ group, kind: 'Secret' }] },
      { from: [{ ...from, namespace: 'stage' }], to: [{ group, kind }] },
    );
    expect(grants.permits(from, to)).toBe(false);
  });

  it('come as a hint that permits when applied', () => {
    const manifest = load(grantHint(from, to).split('\n').slice(1).join('\n')) as ReferenceGrant;
    expect(manifest.metadata.namespace).toBe('backend');
    expect(grantsWith(manifest.spec).permits(from, to)).toBe(true);
  });
});
