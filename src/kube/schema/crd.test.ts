/** CustomResourceDefinitions at run time: kinds appear with the write, change, and go. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createObjectApi } from '../objects.ts';
import { createResourceRegistry } from '../resources.ts';
import { createStore } from '../store/store.ts';
import type { KubeObject, Unstructured } from '../types/index.ts';
import { createAdmission } from './admission.ts';
import { compareVersions, createSchemas, followCrds, readGatewayCrds, resourceOfCrd } from './crd.ts';

const clock = { now: () => Date.parse('2024-01-01T00:00:00Z') };

function createCluster() {
  const store = createStore();
  const registry = createResourceRegistry();
  const schemas = createSchemas(registry);
  followCrds(store, schemas);
  return {
    store,
    registry,
    schemas,
    api: createObjectApi({ store, registry, admit: createAdmission({ schemas, clock }) }),
  };
}

const schema = {
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        required: ['size'],
        properties: {
          size: { type: 'integer', minimum: 1 },
          color: { type: 'string', default: 'red' },
          labels: { type: 'array', items: { type: 'string' } },
        },
        'x-kubernetes-validations': [{ rule: 'self.size < 10', message: 'too large' }],
      },
      status: { type: 'object', properties: { phase: { type: 'string' } } },
    },
  },
};

function crd(change: (spec: Record<string, unknown>) => void = () => {}, name = 'widgets.acme.io'): Unstructured {
  const spec = {
    group: 'acme.io',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
    versions: [
      { name: 'v1', served: true, storage: true, schema: structuredClone(schema), subresources: { status: {} } },
    ],
  };
  change(spec);
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name }, spec };
}

const widget = (spec: unknown, more: object = {}): KubeObject =>
  ({ apiVersion: 'acme.io/v1', kind: 'Widget', metadata: { name: 'w' }, spec, ...more }) as KubeObject;

function messageOf(result: { ok: true } | { ok: false; error: { message: string } }): string {
  return result.ok ? '' : result.error.message;
}

describe('a CustomResourceDefinition', () => {
  it('makes its kind usable with the write that creates it', () => {
    const { api, registry } = createCluster();
    expect(messageOf(api.create(widget({ size: 1 })))).toMatch(/no matches for kind/);
    const written = api.create(crd());
    expect(written).toMatchObject({
      ok: true,
      value: {
        warnings: [],
        object: {
          spec: { names: { singular: 'widget', listKind: 'WidgetList' }, conversion: { strategy: 'None' } },
          status: {
            acceptedNames: { plural: 'widgets', kind: 'Widget', singular: 'widget' },
            storedVersions: ['v1'],
            conditions: [
              { type: 'NamesAccepted', status: 'True', lastTransitionTime: '2024-01-01T00:00:00Z' },
              { type: 'Established', status: 'True' },
            ],
          },
        },
      },
    });
    expect(registry.byName('widgets.acme.io')).toMatchObject({ shortNames: ['wd'], status: true, custom: true });
    expect(api.create(widget({ size: 1, bogus: 2 }, { status: { phase: 'Old' } }))).toMatchObject({
      ok: true,
      value: { object: { spec: { size: 1, color: 'red' } } },
    });
    const stored = api.store.get<Unstructured>('widgets.acme.io', 'default/w')!;
    expect(stored.spec).toEqual({ size: 1, color: 'red' });
    expect(stored.status).toBeUndefined();
  });

  it('refuses objects with the messages of an API server', () => {
    const { api } = createCluster();
    api.create(crd());
    expect(messageOf(api.create(widget({ size: 0 })))).toBe(
      'Widget.acme.io "w" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    );
    expect(messageOf(api.create(widget({ size: 12 })))).toBe(
      'Widget.acme.io "w" is invalid: spec: Invalid value: "object": too large',
    );
    expect(messageOf(api.create(widget({})))).toBe(
      'Widget.acme.io "w" is invalid: [spec.size: Required value, <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
    );
  });

  it('takes a null for an absent field, as an API server prunes it', () => {
    const { api } = createCluster();
    api.create(crd());
    expect(messageOf(api.create(widget({ size: null })))).toContain('spec.size: Required value');
    const written = api.create(widget({ size: 1, color: null, labels: null }));
    expect(written).toMatchObject({ ok: true, value: { object: { spec: { size: 1, color: 'red' } } } });
    expect(JSON.stringify(written)).not.toContain('labels');
  });

  it('judges only status when status is written', () => {
    const { api } = createCluster();
    api.create(crd());
    api.create(widget({ size: 1 }));
    const good = api.update(widget({ size: 99 }, { status: { phase: 'Up', bogus: 1 } }), { subresource: 'status' });
    expect(good).toMatchObject({ ok: true, value: { object: { spec: { size: 1 }, status: { phase: 'Up' } } } });
    expect(api.store.get<Unstructured>('widgets.acme.io', 'default/w')!.status).toEqual({ phase: 'Up' });
    expect(messageOf(api.update(widget({ size: 1 }, { status: { phase: 5 } }), { subresource: 'status' }))).toContain(
      'status.phase: Invalid value: "integer"',
    );
  });

  it('takes over a changed schema', () => {
    const { api } = createCluster();
    api.create(crd());
    api.create(widget({ size: 1 }));
    const wider = crd((spec) => {
      const [version] = spec.versions as [{ schema: typeof schema }];
      (version.schema.openAPIV3Schema.properties.spec.properties as Record<string, unknown>).note = { type: 'string' };
    });
    expect(api.update(wider).ok).toBe(true);
    expect(api.update(widget({ size: 2, note: 'hi' }))).toMatchObject({
      ok: true,
      value: { object: { spec: { note: 'hi' } } },
    });
  });

  it('takes its objects along when it goes', async () => {
    const { api, store, registry } = createCluster();
    api.create(crd());
    api.create(widget({ size: 1 }));
    const heard: string[] = [];
    store.subscribe(({ type, object }) => heard.push(`${type} ${object.kind}`));
    api.delete('customresourcedefinitions.apiextensions.k8s.io', 'widgets.acme.io');
    expect(registry.byName('widgets.acme.io')).toBeUndefined();
    await Promise.resolve();
    expect(heard).toEqual(['DELETED CustomResourceDefinition', 'DELETED Widget']);
  });

  it('serves every version, stored under the best', () => {
    const { api, registry } = createCluster();
    const version = (name: string, storage: boolean, more: object = {}) => ({
      name,
      served: true,
      storage,
      schema,
      ...more,
    });
    api.create(
      crd((spec) => {
        spec.versions = [
          version('v1alpha1', false, { deprecated: true }),
          version('v1beta1', true),
          version('v1', false),
          { ...version('v2', false), served: false },
        ];
      }),
    );
    expect(registry.byName('widgets.acme.io')!.versions).toEqual(['v1', 'v1beta1', 'v1alpha1']);
    const written = api.create({ ...widget({ size: 1 }), apiVersion: 'acme.io/v1alpha1' });
    expect(written).toMatchObject({ ok: true, value: { object: { apiVersion: 'acme.io/v1' } } });
    expect(messageOf(api.create({ ...widget({ size: 1 }), apiVersion: 'acme.io/v2' }))).toMatch(/no matches/);
  });

  it('stays out of the way of kinds that exist', () => {
    const { api, registry } = createCluster();
    api.create(crd());
    const other = crd((spec) => {
      spec.names = { plural: 'gadgets', kind: 'Widget' };
    }, 'gadgets.acme.io');
    expect(api.create(other)).toMatchObject({
      ok: true,
      value: {
        object: {
          status: {
            conditions: [
              { type: 'NamesAccepted', status: 'False', reason: 'KindConflict' },
              { type: 'Established', status: 'False' },
            ],
          },
        },
      },
    });
    expect(registry.byName('gadgets.acme.io')).toBeUndefined();
    const builtin = crd((spec) => {
      spec.group = 'networking.k8s.io';
      spec.names = { plural: 'ingresses', kind: 'Ingress' };
    }, 'ingresses.networking.k8s.io');
    api.create(builtin);
    expect(registry.byName('ingresses.networking.k8s.io')!.custom).toBe(false);
  });

  it('warns of rules that do not compile, and works without them', () => {
    const { api } = createCluster();
    const written = api.create(
      crd((spec) => {
        const [version] = spec.versions as [{ schema: typeof schema }];
        version.schema.openAPIV3Schema.properties.spec['x-kubernetes-validations'] = [
          { rule: "quantity('1') < self.size", message: '' },
        ];
      }),
    );
    expect(written).toMatchObject({
      ok: true,
      value: { warnings: [expect.stringMatching(/version v1: .*rule does not compile.*not enforced/)] },
    });
    expect(api.create(widget({ size: 99 })).ok).toBe(true);
  });

  const schemaOf = (root: unknown) => (spec: Record<string, unknown>) => {
    (spec.versions as { schema: unknown }[])[0]!.schema = { openAPIV3Schema: root };
  };

  it.each<[string, (spec: Record<string, unknown>) => void, RegExp]>([
    [
      'no schema',
      (spec) => {
        (spec.versions as { schema?: unknown }[])[0]!.schema = undefined;
      },
      /spec\.versions\[0\]\.schema\.openAPIV3Schema: Required value: schemas are required/,
    ],
    [
      'no versions',
      (spec) => {
        spec.versions = [];
      },
      /spec\.versions: Invalid value: 0/,
    ],
    [
      'no storage version',
      (spec) => {
        (spec.versions as { storage: boolean }[])[0]!.storage = false;
      },
      /exactly one version marked as storage/,
    ],
    [
      'wrong name',
      (spec) => {
        spec.group = 'other.io';
      },
      /metadata\.name: Invalid value: "widgets\.acme\.io": must be spec\.names\.plural/,
    ],
    [
      'scope',
      (spec) => {
        spec.scope = 'World';
      },
      /spec\.scope: Unsupported value: "World"/,
    ],
    [
      'kind',
      (spec) => {
        spec.names = { plural: 'widgets', kind: 'Wid get' };
      },
      /spec\.names\.kind: Invalid value/,
    ],
    ['no type', schemaOf({ type: 'object', properties: { a: {} } }), /properties\[a\]\.type: Required value/],
    ['root type', schemaOf({ type: 'string' }), /must be object at the root/],
    ['unknown type', schemaOf({ type: 'object', properties: { a: { type: 'text' } } }), /Unsupported value: "text"/],
    [
      'array without items',
      schemaOf({ type: 'object', properties: { a: { type: 'array' } } }),
      /properties\[a\]\.items: Required value/,
    ],
    [
      'bad pattern',
      schemaOf({ type: 'object', properties: { a: { type: 'string', pattern: '(' } } }),
      /must be a valid regular expression/,
    ],
    ['bad keyword', schemaOf({ type: 'object', required: 5 }), /required: Invalid value: "integer"/],
    ['ref', schemaOf({ type: 'object', $ref: '#/x' }), /\$ref is not supported/],
  ])('is refused: %s', (_, change, message) => {
    const { api } = createCluster();
    expect(messageOf(api.create(crd(change)))).toMatch(message);
  });

  it('with any schema at all is refused or works, and never throws', () => {
    const junk = fc.jsonValue({ maxDepth: 3 });
    const node = fc.dictionary(
      fc.constantFrom(
        'type',
        'properties',
        'items',
        'required',
        'enum',
        'pattern',
        'default',
        'minimum',
        'additionalProperties',
        'oneOf',
        'not',
        'x-kubernetes-validations',
        'x-kubernetes-list-type',
        'x-kubernetes-list-map-keys',
        'maxItems',
        'nullable',
      ),
      fc.oneof(junk, fc.constantFrom('object', 'array', 'string'), fc.constant({ a: { type: 'string' } })),
    );
    fc.assert(
      fc.property(node, fc.jsonValue({ maxDepth: 3 }), (root, value) => {
        const { api } = createCluster();
        const written = api.create(
          crd(schemaOf({ type: 'object', properties: { spec: { type: 'object', ...root } } })),
        );
        if (written.ok) api.create(widget(value));
      }),
      { numRuns: 500 },
    );
  });
});

describe('versions', () => {
  it('are ordered as Kubernetes does', () => {
    const versions = ['v1alpha1', 'v2beta1', 'foo', 'v1', 'v11beta2', 'v10', 'v2', 'v1beta1', 'bar'];
    expect(versions.sort(compareVersions)).toEqual([
      'v10',
      'v2',
      'v1',
      'v11beta2',
      'v2beta1',
      'v1beta1',
      'v1alpha1',
      'bar',
      'foo',
    ]);
  });
});

describe('the Gateway API', () => {
  it('brings 13 kinds in a few milliseconds', () => {
    const { api, registry } = createCluster();
    const crds = readGatewayCrds();
    expect(crds).toHaveLength(13);
    const started = process.cpuUsage();
    for (const each of crds) expect(messageOf(api.create(each))).toBe('');
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(250);
    expect(registry.ofKind('gateway.networking.k8s.io/v1beta1', 'ReferenceGrant')!.versions).toEqual(['v1', 'v1beta1']);
    expect(registry.ofKind('gateway.networking.k8s.io/v1', 'HTTPRoute')).toMatchObject({
      categories: ['gateway-api'],
      namespaced: true,
      status: true,
    });
    expect(registry.ofKind('gateway.networking.k8s.io/v1', 'GatewayClass')).toMatchObject({
      namespaced: false,
      shortNames: ['gc'],
    });
    expect(crds.map((each) => resourceOfCrd(each).plural)).toContain('tlsroutes');
  });
});
