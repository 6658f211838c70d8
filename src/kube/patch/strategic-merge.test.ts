import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.ts';
import { builtinShape } from './shape.ts';
import { strategicMerge } from './strategic-merge.ts';

const deployment = builtinShape('apps.Deployment');
const service = builtinShape('core.Service');

function merge(target: unknown, patch: unknown, shape = deployment): unknown {
  const result = strategicMerge(target as JsonObject, patch as JsonObject, shape);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

const pod = (containers: unknown[]) => ({ spec: { template: { spec: { containers } } } });

describe('strategic merge patch', () => {
  it('merges containers by name and their ports and env by key', () => {
    const target = pod([
      { name: 'app', image: 'app:1', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] },
      { name: 'side', image: 'side:1' },
    ]);
    const patch = pod([
      {
        name: 'app',
        image: 'app:2',
        env: [{ name: 'B', value: '2' }],
        ports: [{ containerPort: 80, name: 'web' }, { containerPort: 81 }],
      },
    ]);
    expect(merge(target, patch)).toEqual(
      pod([
        {
          name: 'app',
          image: 'app:2',
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
          ports: [{ containerPort: 80, name: 'web' }, { containerPort: 81 }],
        },
        { name: 'side', image: 'side:1' },
      ]),
    );
  });

  it('replaces lists that have no merge key', () => {
    const at = (tolerations: unknown[]) => ({ spec: { template: { spec: { tolerations } } } });
    expect(merge(at([{ key: 'a' }, { key: 'b' }]), at([{ key: 'c' }]))).toEqual(at([{ key: 'c' }]));
  });

  it('deletes an item with $patch: delete', () => {
    expect(merge(pod([{ name: 'a' }, { name: 'b' }]), pod([{ $patch: 'delete', name: 'a' }]))).toEqual(
      pod([{ name: 'b' }]),
    );
  });

  it('replaces a list with $patch: replace', () => {
    expect(merge(pod([{ name: 'a' }, { name: 'b' }]), pod([{ $patch: 'replace' }, { name: 'c' }]))).toEqual(
      pod([{ name: 'c' }]),
    );
  });

  it('replaces a map with $patch: replace', () => {
    expect(
      merge({ metadata: { labels: { a: '1' } } }, { metadata: { labels: { $patch: 'replace', b: '2' } } }),
    ).toEqual({
      metadata: { labels: { b: '2' } },
    });
  });

  it('orders items as $setElementOrder says, and others by where they stood', () => {
    const patch = {
      spec: {
        template: {
          spec: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }], containers: [{ name: 'c' }] },
        },
      },
    };
    expect(merge(pod([{ name: 'a' }, { name: 'stranger' }]), patch)).toEqual(
      pod([{ name: 'c' }, { name: 'a' }, { name: 'stranger' }]),
    );
  });

  it('removes and adds finalizers, a list of scalars that merges', () => {
    const target = { metadata: { finalizers: ['a', 'b'] } };
    const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] } };
    expect(merge(target, patch)).toEqual({ metadata: { finalizers: ['c', 'b'] } });
  });

  it('switches a union with $retainKeys', () => {
    const target = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
    expect(merge(target, patch)).toEqual({ spec: { strategy: { type: 'Recreate' } } });
  });

  it('removes with null', () => {
    expect(merge({ metadata: { labels: { a: '1', b: '2' } } }, { metadata: { labels: { a: null } } })).toEqual({
      metadata: { labels: { b: '2' } },
    });
  });

  it('keeps both of two ports with one number and patches the first', () => {
    const target = {
      spec: {
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    };
    expect(merge(target, { spec: { ports: [{ port: 53, name: 'dns' }] } }, service)).toEqual({
      spec: {
        ports: [
          { port: 53, protocol: 'UDP', name: 'dns' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    });
  });

  it.each([
    [pod([{ image: 'x' }]), /does not contain declared merge key: name/],
    [pod(['x']), /must be an object/],
    [{ spec: { $patch: 'explode' } }, /unknown patch type/],
    [{ spec: { strategy: { $retainKeys: 'type' } } }, /\$retainKeys must be a list/],
    [{ spec: { strategy: { $retainKeys: [], type: 'x' } } }, /does not hold type/],
    [{ metadata: { '$deleteFromPrimitiveList/finalizers': 1 } }, /must be a list/],
  ])('refuses %j', (patch, message) => {
    const result = strategicMerge(pod([]) as unknown as JsonObject, patch as unknown as JsonObject, deployment);
    expect(result.ok ? '' : result.error).toMatch(message);
  });

  it('never throws and never changes what it was given', () => {
    const key = fc.constantFrom(
      'spec',
      'template',
      'containers',
      'ports',
      '$patch',
      '$setElementOrder/containers',
      '$retainKeys',
      'metadata',
      'finalizers',
      'name',
      '__proto__',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, 'delete', 'replace', 'name', 1),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const object = fc.dictionary(key, tree);
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const before = JSON.stringify(target);
        strategicMerge(target as JsonObject, patch as JsonObject, deployment);
        expect(JSON.stringify(target)).toBe(before);
        expect(({} as Record<string, unknown>).name).toBeUndefined();
      }),
    );
  });
});
