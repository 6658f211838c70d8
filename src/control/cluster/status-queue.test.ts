/** Statuses against an API that refuses, conflicts, vanishes and comes back. */
import { expect, it, onTestFinished } from 'vitest';
import { createKubeClient, type KubeClient } from '../../kube/client/client.ts';
import { plainConfig } from '../../kube/client/config.ts';
import { mergePatch } from '../../kube/patch/merge-patch.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject, Unstructured } from '../../kube/types/index.ts';
import type { StatusUpdate } from '../../routing/translate.ts';
import { createStatusQueue, type StatusQueueOptions } from './status-queue.ts';
import { createWatchedRegistry } from './watched.ts';

const resource = 'ingresses.networking.k8s.io';
const report = { listener: () => undefined };
const apiVersion = 'networking.k8s.io/v1';

const objectOf = (name: string, resourceVersion: string, status?: unknown): Unstructured => ({
  ...{ apiVersion, kind: 'Ingress', metadata: { namespace: 'shop', name, uid: name, resourceVersion } },
  ...(status !== undefined && { status }),
});

const updateOf = (name: string, build: StatusUpdate['build']): StatusUpdate => ({
  ref: { apiVersion, kind: 'Ingress', namespace: 'shop', name },
  resource,
  build,
});

type Answer = { ok: true; value: unknown } | { ok: false; error: object };
type Request = { method?: string; path: string; body?: { metadata: { resourceVersion: string }; status: object } };

/** An API of one kind, and a mirror that follows only when told to. */
function setUp(options: Partial<StatusQueueOptions> = {}) {
  const store = createStore({ mirror: true, historyLimit: 0 });
  const served = new Map<string, Unstructured>();
  const asked: string[] = [];
  const errors: string[] = [];
  let version = 100;
  let isLeader = true;
  /** Answers in place of the API, and what to wait for before each. */
  const faults: { next: Answer[]; gate?: Promise<void> } = { next: [] };
  const status = (code: number) => ({ ok: false as const, error: { kind: 'status', code, message: `code ${code}` } });

  async function request({ method = 'GET', path, body }: Request): Promise<Answer> {
    const name = path.split('/').find((_, i, parts) => parts[i - 1] === 'ingresses')!;
    asked.push(`${method} ${name}${path.endsWith('/status') ? '/status' : ''}`);
    await faults.gate;
    const fault = faults.next.shift();
    if (fault) return fault;
    const object = served.get(name);
    if (!object) return status(404);
    if (method === 'GET') return { ok: true, value: object };
    if (body!.metadata.resourceVersion !== object.metadata.resourceVersion) return status(409);
    const next = {
      ...(mergePatch(object as never, { status: body!.status } as never) as unknown as Unstructured),
      metadata: { ...object.metadata, resourceVersion: String(++version) },
    };
    served.set(name, next);
    return { ok: true, value: next };
  }

  const real = createKubeClient({ config: plainConfig('http://127.0.0.1:1') });
  const queue = createStatusQueue({
    client: { ...real, request } as unknown as KubeClient,
    store,
    registry: createWatchedRegistry(),
    isLeader: () => isLeader,
    maxPauseMs: 20,
    refusedMs: 40,
    onError: (message) => errors.push(message),
    ...options,
  });
  onTestFinished(async () => {
    await queue.stop();
    real.close();
  });
  return {
    ...{ store, served, asked, errors, queue, faults, status },
    lead(now: boolean) {
      isLeader = now;
      if (!now) queue.pause();
    },
    add(name: string, stored?: unknown) {
      const object = objectOf(name, '1', stored);
      served.set(name, object);
      store.put(resource, object as KubeObject);
    },
    async settled() {
      for (let i = 0; i < 400 && queue.pending > 0; i++) await new Promise((go) => setTimeout(go, 5));
      expect(queue.pending).toBe(0);
    },
    statusOf: (name: string) => served.get(name)?.status,
  };
}

it('writes what differs as a merge patch, once, and knows its own write when the mirror tells of it', async () => {
  const { queue, add, asked, settled, statusOf, store, served } = setUp();
  add('a', { note: 'old', gone: 1, kept: { x: 1 } });
  const update = updateOf('a', () => ({ note: 'new', kept: { x: 1 } }));
  queue.write(update, report);
  await settled();
  expect(asked).toEqual(['PATCH a/status']);
  expect(statusOf('a')).toEqual({ note: 'new', kept: { x: 1 } });
  // The mirror still has the old version: what the API answered counts.
  queue.write(update, report);
  await settled();
  expect(asked).toHaveLength(1);
  const seen: boolean[] = [];
  const forget = store.subscribe((change) => seen.push(queue.disregards(change)));
  store.put(resource, served.get('a') as KubeObject);
  store.put(resource, objectOf('a', '200', { note: 'of somebody else' }) as KubeObject);
  forget();
  expect(seen).toEqual([true, false]);
});

it('builds anew from the stored object when somebody else was faster', async () => {
  const { queue, add, asked, settled, statusOf, served, errors } = setUp();
  add('a');
  served.set('a', objectOf('a', '7', { others: ['theirs'] }));
  queue.write(
    updateOf('a', ({ status }) => ({ ...(status as object), note: 'ours' })),
    report,
  );
  await settled();
  expect(asked).toEqual(['PATCH a/status', 'GET a', 'PATCH a/status']);
  expect(statusOf('a')).toEqual({ others: ['theirs'], note: 'ours' });
  expect(errors).toEqual([]);
});

it('has one write under way for each object, and the newest wins', async () => {
  const { queue, add, asked, settled, statusOf, faults } = setUp();
  add('a');
  add('b');
  let open = () => {};
  faults.gate = new Promise((resolve) => {
    open = resolve;
  });
  for (let i = 0; i < 5; i++)
    queue.write(
      updateOf('a', () => ({ count: i })),
      report,
    );
  queue.write(
    updateOf('b', () => ({ note: 'b' })),
    report,
  );
  expect(asked).toEqual(['PATCH a/status', 'PATCH b/status']);
  open();
  await settled();
  expect(asked).toEqual(['PATCH a/status', 'PATCH b/status', 'PATCH a/status']);
  expect([statusOf('a'), statusOf('b')]).toEqual([{ count: 4 }, { note: 'b' }]);
});

it('tries again while the API is away, and lets go of objects that are gone', async () => {
  const { queue, add, asked, settled, statusOf, faults, served, errors } = setUp();
  add('a');
  const away: Answer = { ok: false, error: { kind: 'unreachable', message: 'nobody there' } };
  faults.next = [away, away];
  queue.write(
    updateOf('a', () => ({ note: 'late' })),
    report,
  );
  await settled();
  expect(asked).toHaveLength(3);
  expect(statusOf('a')).toEqual({ note: 'late' });
  expect(errors).toEqual(Array(2).fill('status of Ingress shop/a: nobody there'));
  add('b');
  served.delete('b');
  queue.write(
    updateOf('b', () => ({ note: 'for nobody' })),
    report,
  );
  await settled();
  expect(asked.slice(3)).toEqual(['PATCH b/status']);
});

it('rests after a refusal without holding up others, and then brings the newest', async () => {
  const { queue, add, asked, settled, statusOf, faults, status } = setUp({ maxInFlight: 1 });
  add('a');
  add('b');
  faults.next = [status(422)];
  queue.write(
    updateOf('a', () => ({ note: 'refused' })),
    report,
  );
  queue.write(
    updateOf('b', () => ({ note: 'fine' })),
    report,
  );
  await settled();
  expect(statusOf('b')).toEqual({ note: 'fine' });
  queue.write(
    updateOf('a', () => ({ note: 'better' })),
    report,
  );
  expect(asked).toEqual(['PATCH a/status', 'PATCH b/status']);
  for (let i = 0; i < 100 && !statusOf('a'); i++) await new Promise((go) => setTimeout(go, 5));
  expect(statusOf('a')).toEqual({ note: 'better' });
});

it('writes nothing while another replica leads, and forgets what waited', async () => {
  const { queue, add, asked, settled, lead, faults } = setUp({ maxInFlight: 1 });
  add('a');
  add('b');
  let open = () => {};
  faults.gate = new Promise((resolve) => {
    open = resolve;
  });
  queue.write(
    updateOf('a', () => ({ note: 1 })),
    report,
  );
  queue.write(
    updateOf('b', () => ({ note: 1 })),
    report,
  );
  lead(false);
  open();
  await settled();
  expect(asked).toEqual(['PATCH a/status']);
  queue.write(
    updateOf('b', () => ({ note: 2 })),
    report,
  );
  expect(queue.pending).toBe(0);
  lead(true);
  queue.write(
    updateOf('b', () => ({ note: 3 })),
    report,
  );
  await settled();
  expect(asked).toEqual(['PATCH a/status', 'PATCH b/status']);
});
