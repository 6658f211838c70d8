import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import type { KubeObject, Service, Unstructured } from '../kube/types/index.ts';
import type { Generated } from '../routing/translate.ts';
import { createInfrastructure, type Infrastructure, type ObjectSink } from './infrastructure.ts';

const gateway = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', namespace: 'shop', name: 'web' };
const uid = 'uid-of-web';

function wanted(labels: Record<string, string> = {}, annotations: Record<string, string> = {}, port = 80): Generated {
  const object: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'web-fairway',
      namespace: 'shop',
      labels: {
        ...labels,
        'app.kubernetes.io/managed-by': 'fairway.dev',
        'gateway.networking.k8s.io/gateway-name': 'web',
      },
      annotations,
      ownerReferences: [{ apiVersion: gateway.apiVersion, kind: 'Gateway', name: 'web', uid, controller: true }],
    },
    spec: { type: 'ClusterIP', ports: [{ name: 'http-80', protocol: 'TCP', port, targetPort: port }] },
  };
  return { gateway, resource: 'services', object };
}

const tick = () => new Promise((resume) => setImmediate(resume));

/** A store that a sink writes into, at once or after a while, as the mirror of an API would. */
function setUp(options: { later?: boolean; mayWrite?: () => boolean } = {}) {
  const store = createStore();
  const log: string[] = [];
  const errors: string[] = [];
  let refusals = 0;
  const outcome = (what: string, run: () => void): void | Promise<void> => {
    log.push(what);
    const refused = refusals > 0 && refusals-- > 0;
    if (!options.later) {
      if (refused) throw new Error('refused');
      run();
      return;
    }
    return tick().then(() => {
      if (refused) throw new Error('refused');
      run();
    });
  };
  const sink: ObjectSink = {
    create: (resource, object) =>
      outcome('create', () => {
        const { spec, ...rest } = object as unknown as Unstructured;
        store.put(resource, { ...rest, spec: { ...(spec as object), clusterIP: '10.0.0.9' } } as unknown as KubeObject);
      }),
    update: (resource, object) => outcome('update', () => void store.put(resource, object)),
    remove: (resource, object) =>
      outcome('remove', () => void store.remove(resource, `${object.metadata.namespace}/${object.metadata.name}`)),
  };
  const infrastructure = createInfrastructure({
    store,
    sink,
    retryMs: [5, 20],
    ...(options.mayWrite && { mayWrite: options.mayWrite }),
    onError: (message) => errors.push(message),
  });
  const stored = () => store.get<Service>('services', 'shop/web-fairway');
  const refuse = (times: number) => {
    refusals = times;
  };
  return { store, infrastructure, log, errors, stored, refuse };
}

describe('infrastructure', () => {
  const open: Infrastructure[] = [];
  const start = (...of: Parameters<typeof setUp>) => {
    const made = setUp(...of);
    open.push(made.infrastructure);
    return made;
  };
  afterEach(() => {
    for (const each of open.splice(0)) each.stop();
  });

  it('creates, changes and deletes, each with one write, and writes nothing when nothing is different', async () => {
    const { infrastructure, log, stored } = start();
    infrastructure.apply([wanted()]);
    infrastructure.apply([wanted()]);
    await tick();
    expect(log).toEqual(['create']);
    infrastructure.apply([wanted({}, {}, 81)]);
    await tick();
    expect(log).toEqual(['create', 'update']);
    expect(stored()!.spec).toMatchObject({ clusterIP: '10.0.0.9', ports: [{ port: 81 }] });
    infrastructure.apply([]);
    expect(log).toEqual(['create', 'update', 'remove']);
    expect(stored()).toBeUndefined();
  });

  it('labels and annotations that are wanted no more go, those that others set stay', () => {
    const { store, infrastructure, stored } = start();
    infrastructure.apply([wanted({ team: 'shop' }, { 'example.com/note': 'x' })]);
    const { metadata, ...rest } = stored()!;
    store.put('services', {
      ...rest,
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, theirs: 'yes' },
        annotations: { ...metadata.annotations, theirs: 'yes' },
      },
    } as KubeObject);
    infrastructure.apply([wanted({ tier: 'front' })]);
    expect(stored()!.metadata.labels).toMatchObject({ tier: 'front', theirs: 'yes' });
    expect(stored()!.metadata.labels).not.toHaveProperty('team');
    expect(stored()!.metadata.annotations).toMatchObject({ theirs: 'yes' });
    expect(stored()!.metadata.annotations).not.toHaveProperty('example.com/note');
  });

  it.each([
    ['of nobody', undefined],
    ['of a Gateway of that name that is gone', [{ ...wanted().object.metadata.ownerReferences![0]!, uid: 'another' }]],
  ])('leaves an object %s alone, and takes the name when it is free', async (_of, ownerReferences) => {
    const { store, infrastructure, log, stored } = start();
    const other = {
      ...wanted().object,
      metadata: { name: 'web-fairway', namespace: 'shop', ...(ownerReferences && { ownerReferences }) },
    };
    store.put('services', other as KubeObject);
    infrastructure.apply([wanted()]);
    infrastructure.apply([]);
    infrastructure.apply([wanted()]);
    await tick();
    expect(log).toEqual([]);
    store.remove('services', 'shop/web-fairway');
    await tick();
    await tick();
    expect(log).toEqual(['create']);
    expect(stored()).toBeDefined();
  });

  it('what was generated for a Gateway that went while nobody looked is deleted', () => {
    const { store, infrastructure, log } = start();
    store.put('services', wanted().object);
    store.put('services', { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'shop', name: 'theirs' } });
    infrastructure.apply([]);
    expect(log).toEqual(['remove']);
  });

  it('one write of an object is under way at a time, and what failed is tried again', async () => {
    const { infrastructure, log, errors, stored, refuse } = start({ later: true });
    refuse(2);
    infrastructure.apply([wanted()]);
    infrastructure.apply([wanted({}, {}, 81)]);
    expect(log).toEqual(['create']);
    await new Promise((resume) => setTimeout(resume, 120));
    expect(stored()!.spec.ports![0]!.port).toBe(81);
    expect(errors).toHaveLength(2);
    expect(log.filter((what) => what === 'create')).toHaveLength(3);
    const written = log.length;
    await new Promise((resume) => setTimeout(resume, 60));
    expect(log).toHaveLength(written);
  });

  it('who does not lead writes nothing, and everything once it does', () => {
    let leads = false;
    const { infrastructure, log } = start({ mayWrite: () => leads });
    infrastructure.apply([wanted()]);
    expect(log).toEqual([]);
    leads = true;
    infrastructure.refresh();
    expect(log).toEqual(['create']);
  });
});
