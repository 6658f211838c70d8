/**
 * Golden cases of the Gateway API translator: manifests in, plan, answers to requests, statuses and findings out. Each
 * is named after the rule it proves. `UPDATE_GOLDEN=1 npx vitest run test/golden/gateway.test.ts` writes them anew.
 *
 * A document of kind `Case` in the input sets the scene: `adopt`, `ingress` and `unusable` addresses, what the data
 * plane `report`s of sockets (`bound` unless said otherwise), whether objects `generated` for Gateways are shown, and
 * `requests` to put to the compiled plan.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { writeYaml } from '../../src/kube/manifests/yaml.ts';
import { createResourceRegistry, keyOf, resourceName } from '../../src/kube/resources.ts';
import { createStore, type Store } from '../../src/kube/store/store.ts';
import type { Condition, Unstructured } from '../../src/kube/types/index.ts';
import { gatewayGroup } from '../../src/routing/gateway/kinds.ts';
import { translateGateway } from '../../src/routing/gateway/translate.ts';
import { compileListener } from '../../src/routing/match/matcher.ts';
import { redactPlan } from '../../src/routing/plan/redact.ts';
import { type DeliveryReport, mergePlan, type TranslateInput } from '../../src/routing/translate.ts';

interface Case {
  adopt?: boolean;
  ingress?: string[];
  unusable?: string[];
  generated?: boolean;
  /** What statuses show in place of addresses, as in a cluster. */
  published?: string[];
  /** By listener id: `pending`, or the error of a failed bind. */
  report?: Record<string, string>;
  /** `METHOD address:port host/path?query [header=value …]`; the method `gRPC` is a call. */
  requests?: string[];
}

const folder = join(import.meta.dirname, 'gateway');
const now = '2027-02-03T04:05:06Z';
const registry = createResourceRegistry();
for (const [kind, plural, namespaced] of [
  ['GatewayClass', 'gatewayclasses', false],
  ['Gateway', 'gateways', true],
  ['HTTPRoute', 'httproutes', true],
  ['GRPCRoute', 'grpcroutes', true],
  ['TLSRoute', 'tlsroutes', true],
  ['TCPRoute', 'tcproutes', true],
  ['UDPRoute', 'udproutes', true],
  ['ListenerSet', 'listenersets', true],
  ['ReferenceGrant', 'referencegrants', true],
  ['BackendTLSPolicy', 'backendtlspolicies', true],
  ['XBackendTrafficPolicy', 'xbackendtrafficpolicies', true],
  ['XBackend', 'xbackends', true],
] as const) {
  const isExperimental = kind.startsWith('X');
  registry.add({
    group: isExperimental ? 'gateway.networking.x-k8s.io' : gatewayGroup,
    versions: [isExperimental ? 'v1alpha1' : 'v1'],
    plural,
    singular: kind.toLowerCase(),
    kind,
    shortNames: [],
    categories: [],
    namespaced,
    status: true,
    scale: false,
    custom: true,
  });
}

function readCase(file: string): { scene: Case; objects: Unstructured[] } {
  const documents = loadAll(readFileSync(join(folder, file), 'utf8')) as Unstructured[];
  const scene = documents.find(({ kind }) => kind === 'Case') as Case | undefined;
  const objects = documents.filter(({ kind }) => kind !== 'Case').map(stamp);
  return { scene: scene ?? {}, objects };
}

/** What an API server adds, as far as a translation looks at it. */
function stamp(object: Unstructured): Unstructured {
  const namespaced = registry.ofKind(object.apiVersion, object.kind)!.namespaced;
  return freeze({
    ...object,
    metadata: {
      ...(namespaced && { namespace: 'shop' }),
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...object.metadata,
    },
  });
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

function storeOf(objects: readonly Unstructured[]): Store {
  const store = createStore();
  for (const object of objects) store.put(resourceName(registry.ofKind(object.apiVersion, object.kind)!), object);
  return store;
}

function inputOf(scene: Case, store: Store): TranslateInput {
  return {
    store,
    adopt: scene.adopt ?? false,
    now,
    position: () => undefined,
    addresses: {
      ingress: () => scene.ingress ?? ['127.250.0.1'],
      gateway: (_namespace, name) => `127.250.1.${[...name].reduce((sum, char) => sum + char.charCodeAt(0), 0) % 250}`,
      usable: (address) => !scene.unusable?.includes(address),
      ...(scene.published && { published: () => scene.published! }),
    },
  };
}

function reportOf(scene: Case): DeliveryReport {
  return {
    listener(id) {
      const said = scene.report?.[id];
      if (said === 'pending') return undefined;
      return said === undefined ? { bound: true } : { bound: false, error: said };
    },
  };
}

interface Translated {
  plan: ReturnType<typeof mergePlan>;
  statuses: { object: string; status: unknown }[];
  generated?: unknown;
  diagnostics: unknown[];
}

function translate(scene: Case, objects: readonly Unstructured[]): Translated {
  const store = storeOf(objects);
  const output = translateGateway(inputOf(scene, store));
  const report = reportOf(scene);
  return {
    plan: redactPlan(mergePlan([output])),
    statuses: output.statuses.map(({ ref, resource, build }) => ({
      object: [ref.kind, ref.namespace, ref.name].filter(Boolean).join('/'),
      status: build(store.get<Unstructured>(resource, keyOf({ metadata: ref }))!, report),
    })),
    ...(scene.generated && { generated: output.generated?.map(({ object }) => object) ?? [] }),
    diagnostics: output.diagnostics.map(({ docs: _docs, object, ...rest }) => ({
      ...rest,
      object: [object?.kind, object?.namespace, object?.name].filter(Boolean).join('/'),
    })),
  };
}

/** Asks the compiled plan; the answer is the route's id, or what the data plane says without one. */
function ask(plan: Translated['plan'], line: string): string {
  const [method, socket, target, ...pairs] = line.split(' ');
  const listener = plan.listeners.find(({ address, port }) => `${address}:${port}` === socket);
  if (!listener) return 'connection refused';
  const [, host, path, query = ''] = /^([^/]*)(\/[^?]*)\??(.*)$/.exec(target!)!;
  const headers = new Map(pairs.map((pair) => pair.split('=') as [string, string]));
  const found = compileListener(listener).match({
    method: method === 'gRPC' ? 'POST' : method!,
    grpc: method === 'gRPC',
    host: host!,
    path: path!,
    query,
    headers: (header) => headers.get(header),
  });
  if (!found.route) return '404';
  const { action, id } = found.route;
  return action.type === 'respond' ? `${action.status} ${id}` : id;
}

/** What says nothing about a case. */
const repeated: Record<string, string> = { chain: '(PEM)', supportedFeatures: '(as in kinds.ts)' };

/** Places as one line, certificates without their text, conditions without what the harness checks by itself. */
function brief(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(brief);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Record<string, unknown>);
  if ('object' in value && typeof value.object === 'object') {
    const { object, fieldPath = '' } = value as { object: Record<string, string>; fieldPath?: string };
    return [object.kind, object.namespace, object.name].filter(Boolean).join('/') + (fieldPath && ` ${fieldPath}`);
  }
  return Object.fromEntries(
    entries
      .filter(([key, item]) => !(key === 'lastTransitionTime' && item === now) && key !== 'observedGeneration')
      .map(([key, item]) => [key, isBundle(item) ? '(PEM)' : (repeated[key] ?? brief(item))]),
  );
}

const isBundle = (item: unknown) => typeof item === 'string' && item.startsWith('-----BEGIN');

function conditionsIn(value: unknown): Condition[] {
  if (Array.isArray(value)) return value.flatMap(conditionsIn);
  if (typeof value !== 'object' || value === null) return [];
  const own = 'lastTransitionTime' in value ? [value as Condition] : [];
  return [...own, ...Object.values(value).flatMap(conditionsIn)];
}

const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.slice(0, -'.in.yaml'.length));

describe('Gateway API, golden', () => {
  it('finds its cases', () => expect(cases.length).toBeGreaterThan(15));

  it.each(cases)('%s', (name) => {
    const { scene, objects } = readCase(`${name}.in.yaml`);
    const translated = translate(scene, objects);
    const answers =
      scene.requests && Object.fromEntries(scene.requests.map((line) => [line, ask(translated.plan, line)]));
    const shown = {
      ...(answers && { requests: answers }),
      ...(brief(translated) as object),
    };
    const out = writeYaml(shown);
    const file = join(folder, `${name}.out.yaml`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, out);
    expect(out).toBe(readFileSync(file, 'utf8'));
  });

  it.each(cases)('%s: the order of objects says nothing', (name) => {
    const { scene, objects } = readCase(`${name}.in.yaml`);
    expect(translate(scene, objects.toReversed())).toEqual(translate(scene, objects));
  });

  it.each(cases)('%s: writing the statuses changes nothing more', (name) => {
    const { scene, objects } = readCase(`${name}.in.yaml`);
    const first = translate(scene, objects);
    const written = new Map(first.statuses.map(({ object, status }) => [object, status]));
    const again = translate(
      scene,
      objects.map((object) => {
        const { namespace, name: own } = object.metadata;
        const status = written.get([object.kind, namespace, own].filter(Boolean).join('/'));
        return status ? { ...object, status } : object;
      }),
    );
    expect(again.plan).toEqual(first.plan);
    expect(again.diagnostics).toEqual(first.diagnostics);
    // A route that has nothing of ours left needs no status any more.
    for (const { object, status } of again.statuses) expect(status, object).toEqual(written.get(object));
  });

  it.each(cases)('%s: conditions observe the generation and fit the schema', (name) => {
    const { scene, objects } = readCase(`${name}.in.yaml`);
    const generations = new Map(
      objects.map(({ kind, metadata }) => [
        [kind, metadata.namespace, metadata.name].filter(Boolean).join('/'),
        metadata.generation,
      ]),
    );
    for (const { object, status } of translate(scene, objects).statuses) {
      for (const condition of conditionsIn(status)) {
        expect(condition.observedGeneration, `${object} ${condition.type}`).toBe(generations.get(object));
        expect(condition.reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
        expect(condition.message.length).toBeLessThanOrEqual(32_768);
      }
    }
  });
});
