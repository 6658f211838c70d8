import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyConfiguration } from './apply.ts';
import { decodeFields, encodeFields, intersect, isEmpty, subtract, union } from './field-set.ts';
import { fieldsOf } from './fields.ts';
import type { Json, JsonObject } from './json.ts';
import { type ManagerId, trackUpdate } from './managed-fields.ts';
import { builtinShape, type Shape, schemaShape, unknownShape } from './shape.ts';

const deployment = builtinShape('apps.Deployment');
const applier = (manager: string): ManagerId => ({ manager, operation: 'Apply', apiVersion: 'apps/v1' });
const updater = (manager: string): ManagerId => ({ manager, operation: 'Update', apiVersion: 'apps/v1' });

function outcome(
  live: JsonObject | undefined,
  manager: string,
  config: unknown,
  force = false,
  shape: Shape = deployment,
) {
  return applyConfiguration({
    live,
    config: config as JsonObject,
    shape,
    by: applier(manager),
    now: '2026-01-02T03:04:05Z',
    force,
    ignored: ['status'],
  });
}

function apply(
  live: JsonObject | undefined,
  manager: string,
  config: unknown,
  force = false,
  shape?: Shape,
): JsonObject {
  const result = outcome(live, manager, config, force, shape);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function update(live: JsonObject | undefined, manager: string, next: JsonObject): JsonObject {
  const managedFields = trackUpdate({
    live,
    next,
    shape: deployment,
    by: updater(manager),
    now: '2026-01-01T00:00:00Z',
    ignored: ['status'],
  });
  return { ...next, metadata: { ...(next.metadata as JsonObject), managedFields } };
}

const object = (spec: JsonObject) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec });
const containers = (...items: Json[]) => object({ template: { spec: { containers: items } } });
const managersOf = (value: JsonObject) =>
  (value.metadata as { managedFields: { manager: string; fieldsV1: Json }[] }).managedFields;
const specOf = (value: JsonObject) => value.spec as JsonObject;

describe('server-side apply', () => {
  it('records what was applied', () => {
    const created = apply(
      undefined,
      'kubectl',
      containers({ name: 'app', image: 'a', ports: [{ containerPort: 80 }] }),
    );
    expect(managersOf(created)).toEqual([
      {
        manager: 'kubectl',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: '2026-01-02T03:04:05Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"app"}': {
                    '.': {},
                    'f:image': {},
                    'f:name': {},
                    'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  it('refuses a field of another manager with another value, and takes it by force', () => {
    const live = apply(undefined, 'one', object({ replicas: 1, paused: false }));
    const refused = outcome(live, 'two', object({ replicas: 2 }));
    expect(refused).toEqual({
      ok: false,
      error: {
        kind: 'conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
        conflicts: [{ manager: '"one"', field: '.spec.replicas' }],
      },
    });
    const forced = apply(live, 'two', object({ replicas: 2 }), true);
    expect(specOf(forced)).toEqual({ replicas: 2, paused: false });
    expect(managersOf(forced).map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
      ['one', { 'f:spec': { 'f:paused': {} } }],
      ['two', { 'f:spec': { 'f:replicas': {} } }],
    ]);
  });

  it('lists conflicts by manager, with version and time of updates', () => {
    const live = update(undefined, 'edit', object({ replicas: 1, paused: true }));
    const refused = outcome(live, 'two', object({ replicas: 2, paused: false }));
    expect(refused.ok ? '' : refused.error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "edit" using apps/v1 at 2026-01-01T00:00:00Z:\n- .spec.paused\n- .spec.replicas',
    );
  });

  it('shares a field that two appliers set alike, and keeps it until both let go', () => {
    const shared = apply(apply(undefined, 'one', object({ replicas: 1 })), 'two', object({ replicas: 1 }));
    const left = apply(shared, 'one', object({}));
    expect(specOf(left)).toEqual({ replicas: 1 });
    expect(apply(left, 'two', object({}))).not.toHaveProperty('spec.replicas');
  });

  it('removes what the applier no longer speaks of, and nothing else', () => {
    const first = apply(
      undefined,
      'kubectl',
      containers({ name: 'app', image: 'a', stdin: true }, { name: 'side', image: 's' }),
    );
    const injected = update(first, 'injector', {
      ...containers(
        { name: 'app', image: 'a', stdin: true, tty: true },
        { name: 'side', image: 's' },
        { name: 'mesh', image: 'm' },
      ),
      metadata: first.metadata!,
    });
    const second = apply(injected, 'kubectl', containers({ name: 'app', image: 'b' }));
    expect(specOf(second)).toEqual({
      template: {
        spec: {
          containers: [
            { name: 'app', image: 'b', tty: true },
            { name: 'mesh', image: 'm' },
          ],
        },
      },
    });
  });

  it('keeps an item that holds fields of others, with its keys', () => {
    const first = apply(undefined, 'kubectl', containers({ name: 'app', image: 'a' }, { name: 'side', image: 's' }));
    const touched = update(first, 'hpa', {
      ...containers({ name: 'app', image: 'a' }, { name: 'side', image: 's', tty: true }),
      metadata: first.metadata!,
    });
    const second = apply(touched, 'kubectl', containers({ name: 'app', image: 'a' }));
    expect(specOf(second)).toEqual({
      template: {
        spec: {
          containers: [
            { name: 'app', image: 'a' },
            { name: 'side', tty: true },
          ],
        },
      },
    });
  });

  it('changes nothing, not even a time, when applied twice', () => {
    const config = containers({ name: 'app', image: 'a' });
    const once = apply(undefined, 'kubectl', config);
    const twice = applyConfiguration({
      live: once,
      config,
      shape: deployment,
      by: applier('kubectl'),
      now: '2027-01-01T00:00:00Z',
      force: false,
      ignored: ['status'],
    });
    expect(twice).toEqual({ ok: true, value: once });
  });

  it('keeps its hands off status', () => {
    const applied = apply(undefined, 'kubectl', { ...object({ replicas: 1 }), status: { replicas: 1 } });
    expect(JSON.stringify(managersOf(applied))).not.toContain('f:status');
  });

  it('merges the lists of a CRD by their keys', () => {
    const shape = schemaShape({
      properties: {
        spec: {
          properties: {
            listeners: {
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: { properties: { name: {}, port: {} } },
            },
            hosts: { 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
          },
        },
      },
    });
    const one = apply(undefined, 'one', object({ listeners: [{ name: 'a', port: 1 }], hosts: ['x'] }), false, shape);
    const both = apply(one, 'two', object({ listeners: [{ name: 'b', port: 2 }], hosts: ['y', 'x'] }), false, shape);
    expect(specOf(both)).toEqual({
      listeners: [
        { name: 'a', port: 1 },
        { name: 'b', port: 2 },
      ],
      hosts: ['y', 'x'],
    });
    expect(specOf(apply(both, 'one', object({}), false, shape))).toEqual({
      listeners: [{ name: 'b', port: 2 }],
      hosts: ['y', 'x'],
    });
  });

  it.each([
    [containers({ name: 'a' }, { name: 'a' }), /containers: duplicate entries for key {"name":"a"}/],
    [containers({ image: 'a' }), /containers: element has none of its list keys/],
  ])('refuses %j', (config, message) => {
    const result = outcome(undefined, 'kubectl', config);
    expect(result.ok ? '' : result.error.message).toMatch(message);
  });
});

describe('managed fields of updates', () => {
  it('move with the change, and vanish with the field', () => {
    const first = update(undefined, 'one', object({ replicas: 1, paused: true }));
    const second = update(first, 'two', { ...object({ replicas: 2 }), metadata: first.metadata! });
    expect(managersOf(second).map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
      ['two', { 'f:spec': { 'f:replicas': {} } }],
    ]);
  });

  it('are forgotten on request', () => {
    const first = update(undefined, 'one', object({ replicas: 1 }));
    const next = { ...object({ replicas: 1 }), metadata: { name: 'a', managedFields: [{}] } };
    expect(managersOf(update(first, 'two', next))).toEqual([]);
  });

  it('are bounded: the oldest managers share one entry', () => {
    let live = update(undefined, 'm0', object({ replicas: 0 }));
    for (let i = 1; i < 30; i++) {
      const spec = { ...specOf(live), [`field${i}`]: i };
      live = update(live, `m${i}`, { ...object(spec), metadata: live.metadata! });
    }
    expect(managersOf(live).length).toBe(10);
    expect(managersOf(live).map(({ manager }) => manager)).toContain('ancient-changes');
  });
});

describe('sets of fields', () => {
  const value = fc.object({ maxDepth: 4, withNullPrototype: false }) as fc.Arbitrary<JsonObject>;

  it('survive encoding and obey the laws of sets', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [x, y] = [fieldsOf(a, unknownShape), fieldsOf(b, unknownShape)];
        expect(encodeFields(decodeFields(encodeFields(union(x, y))))).toEqual(encodeFields(union(x, y)));
        expect(encodeFields(union(intersect(x, y), subtract(x, y)))).toEqual(encodeFields(x));
        expect(isEmpty(intersect(subtract(x, y), y))).toBe(true);
      }),
    );
  });

  it('apply of what is there already owns it and changes nothing', () => {
    fc.assert(
      fc.property(value, (spec) => {
        const config = JSON.parse(JSON.stringify(object(spec as JsonObject))) as JsonObject;
        const { metadata, ...rest } = apply(undefined, 'x', config, false, unknownShape);
        const { metadata: _metadata, ...wanted } = config;
        expect(rest).toEqual(wanted);
        expect(apply({ metadata, ...rest }, 'x', config, false, unknownShape)).toEqual({ metadata, ...rest });
      }),
    );
  });
});
