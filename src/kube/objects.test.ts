import { describe, expect, it } from 'vitest';
import { type Admission, createObjectApi, equalJson, type ObjectApi } from './objects.ts';
import { createResourceRegistry } from './resources.ts';
import { createStore } from './store/store.ts';
import type { Service, Unstructured } from './types/index.ts';

const admitAll: Admission = ({ object }) => ({ object, errors: [], warnings: ['noted'] });

function api(admit: Admission = admitAll, requireNamespace = false): ObjectApi {
  return createObjectApi({
    store: createStore(),
    registry: createResourceRegistry(),
    admit,
    clock: { now: () => Date.UTC(2030, 0, 1) },
    requireNamespace,
  });
}

const service = (name: string, fields: object = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'a' },
  spec: { ports: [{ port: 80 }] },
  ...fields,
});

function created(objects: ObjectApi, object: Service = service('x')): Service {
  const result = objects.create(object);
  if (!result.ok) throw new Error(result.error.message);
  return result.value.object;
}

describe('create', () => {
  it('stamps metadata and puts namespaced objects into default', () => {
    const objects = api();
    const result = objects.create({ ...service('x'), metadata: { name: 'x' } });
    expect(result).toMatchObject({
      ok: true,
      value: {
        warnings: ['noted'],
        object: {
          metadata: {
            namespace: 'default',
            creationTimestamp: '2030-01-01T00:00:00Z',
            resourceVersion: '1',
          },
        },
      },
    });
  });

  it('makes names out of generateName', () => {
    const result = api().create({ ...service(''), metadata: { name: '', generateName: 'web-' } });
    expect(result.ok && result.value.object.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
  });

  it.each([
    [
      'AlreadyExists',
      409,
      (objects: ObjectApi) => {
        created(objects);
        return objects.create(service('x'));
      },
    ],
    [
      'NotFound',
      404,
      (objects: ObjectApi) => objects.create({ apiVersion: 'x/v1', kind: 'Nope', metadata: { name: 'x' } }),
    ],
    [
      'BadRequest',
      400,
      (objects: ObjectApi) => objects.create({ ...service('y'), metadata: { name: 'y', resourceVersion: '5' } }),
    ],
  ])('refuses with %s', (reason, code, act) => {
    expect(act(api())).toMatchObject({ ok: false, error: { reason, code } });
  });

  it('refuses with every cause when admission does', () => {
    const refuse: Admission = ({ object }) => ({
      object,
      warnings: [],
      errors: ['a', 'b'].map((field) => ({
        field: `spec.${field}`,
        reason: 'FieldValueInvalid' as const,
        message: 'Invalid value',
      })),
    });
    const result = api(refuse).create(service('x'));
    expect(result).toMatchObject({
      ok: false,
      error: { code: 422, message: 'Service "x" is invalid: [spec.a: Invalid value, spec.b: Invalid value]' },
    });
  });

  it('knows namespaces when it is told to', () => {
    expect(api(admitAll, true).create(service('x'))).toMatchObject({
      ok: false,
      error: { code: 404, message: 'namespaces "a" not found' },
    });
  });

  it('writes nothing on a dry run', () => {
    const objects = api();
    expect(objects.create(service('x'), { dryRun: true }).ok).toBe(true);
    expect(objects.store.list('services')).toEqual([]);
  });
});

describe('update', () => {
  it('counts a generation only when something but metadata and status changed', () => {
    const objects = api();
    const kind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
    const stored = created(objects, service('x', kind));
    expect(stored.metadata.generation).toBe(1);
    const labelled = objects.update({ ...stored, metadata: { ...stored.metadata, labels: { a: 'b' } } });
    expect(labelled).toMatchObject({ value: { object: { metadata: { generation: 1 } } } });
    const changed = objects.update({ ...service('x', kind), spec: { ports: [{ port: 81 }] } });
    expect(changed).toMatchObject({ value: { object: { metadata: { generation: 2, uid: stored.metadata.uid } } } });
  });

  it.each(['Service', 'ConfigMap', 'Secret', 'Node'])('gives a %s no generation, as a cluster does', (kind) => {
    const objects = api();
    const given = service('x', { kind, metadata: { name: 'x', namespace: 'a', generation: 7 } });
    expect(created(objects, given).metadata).not.toHaveProperty('generation');
    const changed = objects.update({ ...given, spec: { ports: [{ port: 81 }] } });
    expect(changed).toMatchObject({ ok: true, value: { object: { spec: { ports: [{ port: 81 }] } } } });
    expect(changed).not.toHaveProperty('value.object.metadata.generation');
  });

  it('keeps status from plain writes, and everything else from status writes', () => {
    const objects = api();
    const stored = created(objects);
    const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } };
    objects.update({ ...stored, status, spec: { ports: [{ port: 9 }] } }, { subresource: 'status' });
    const live = objects.store.get<Service>('services', 'a/x')!;
    expect([live.status, live.spec.ports![0]!.port]).toEqual([status, 80]);
    objects.update({
      ...live,
      metadata: { ...live.metadata, resourceVersion: undefined },
      status: {},
      spec: { ports: [{ port: 81 }] },
    } as Service);
    expect(objects.store.get<Service>('services', 'a/x')).toMatchObject({ status, spec: { ports: [{ port: 81 }] } });
  });

  it('refuses a write that is based on an old version', () => {
    const objects = api();
    const stored = created(objects);
    objects.update({ ...stored, spec: { ports: [{ port: 81 }] } });
    expect(objects.update({ ...stored, spec: { ports: [{ port: 82 }] } })).toMatchObject({
      ok: false,
      error: { reason: 'Conflict', code: 409 },
    });
  });

  it('writes nothing when nothing changed', () => {
    const objects = api();
    const stored = created(objects);
    const before = objects.store.revision;
    expect(objects.update({ ...service('x') })).toMatchObject({
      ok: true,
      value: { object: { metadata: { resourceVersion: stored.metadata.resourceVersion } } },
    });
    expect(objects.store.revision).toBe(before);
  });
});

describe('delete', () => {
  it('removes at once, or waits for finalizers', () => {
    const objects = api();
    created(objects);
    expect(objects.delete('services', 'a/x').ok).toBe(true);
    expect(objects.store.get('services', 'a/x')).toBeUndefined();
    created(objects, { ...service('y'), metadata: { name: 'y', namespace: 'a', finalizers: ['f/x'] } });
    objects.delete('services', 'a/y');
    const held = objects.store.get<Service>('services', 'a/y')!;
    expect(held.metadata.deletionTimestamp).toBeDefined();
    objects.update({ ...held, metadata: { ...held.metadata, finalizers: [] } });
    expect(objects.store.get('services', 'a/y')).toBeUndefined();
  });

  it('marks Pods for their grace period and Namespaces until they are empty', () => {
    const objects = api();
    objects.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'a' } });
    objects.delete('pods', 'a/p', { graceSeconds: 30 });
    expect(objects.store.get('pods', 'a/p')).toMatchObject({
      metadata: { deletionTimestamp: '2030-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 },
    });
    objects.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
    objects.delete('namespaces', 'n');
    expect(objects.store.get<Unstructured>('namespaces', 'n')).toMatchObject({ status: { phase: 'Terminating' } });
  });

  it('checks preconditions', () => {
    const objects = api();
    created(objects);
    expect(objects.delete('services', 'a/x', { preconditions: { uid: 'other' } })).toMatchObject({
      ok: false,
      error: { code: 409 },
    });
    expect(objects.delete('services', 'a/nope')).toMatchObject({
      ok: false,
      error: { code: 404, message: 'services "nope" not found' },
    });
  });
});

describe('equalJson', () => {
  it.each([
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
    [{ a: undefined, b: 1 }, { b: 1 }, true],
    [[1, 2], [2, 1], false],
    [{ a: 1 }, { a: '1' }, false],
    [null, {}, false],
    [[], {}, false],
  ])('%j and %j: %j', (a, b, equal) => {
    expect(equalJson(a, b)).toBe(equal);
    expect(equalJson(b, a)).toBe(equal);
  });
});
