/**
 * Gateway API → plan, statuses and findings. The steps are the same for every kind of route: find our classes and
 * Gateways, judge their listeners, attach routes, compile what attached. A further kind of route is an entry in
 * kinds.ts (which listeners carry it) and in the compilers of routes.ts.
 */
import { equalJson } from '../../kube/objects.ts';
import { withoutRepeats } from '../incremental/capture.ts';
import { createFreshness, type Freshness } from '../incremental/freshness.ts';
import { keepEqual } from '../incremental/listeners.ts';
import { sameItems } from '../incremental/sorted.ts';
import type { Certificate, Listener, StreamListener } from '../plan/plan.ts';
import type { Generated, StatusUpdate, TranslateInput, TranslateOutput, Translator } from '../translate.ts';
import { backendTlsStatuses } from './backend-tls-status.ts';
import { backendTrafficStatuses } from './backend-traffic-status.ts';
import { createBackends } from './backends.ts';
import { classStatuses } from './classes.ts';
import { type Context, compareNames, createContext } from './context.ts';
import { gatewayStatus } from './gateway-status.ts';
import { generateInfrastructure, withoutForeign } from './infrastructure.ts';
import { orphanStatuses } from './listener-set-orphans.ts';
import type { GatewayState } from './model.ts';
import { createResolvedMemory, type ResolvedMemory } from './resolved.ts';
import { resolveRoutes } from './routes.ts';
import { createRoutesMemory, type RoutesMemory } from './routes-memory.ts';
import { createSetStatuses, type SetStatuses } from './set-statuses.ts';
import { buildAllSockets, certificatesOf, createSocketsMemory, type SocketsMemory } from './sockets.ts';
import type { GatewayStates, Steady } from './steady.ts';
import { xBackendStatuses } from './x-backend-status.ts';

/** What a translation leaves to the next one with the same cache. */
interface Memory {
  readonly freshness: Freshness;
  readonly resolved: ResolvedMemory;
  readonly routes: RoutesMemory;
  readonly sockets: SocketsMemory;
  /** As the last translation had them. */
  found: GatewayStates | undefined;
  /** In the order of names. */
  ours: readonly GatewayState[];
  statuses: readonly StatusUpdate[];
  readonly setStatuses: SetStatuses;
  listeners: readonly Listener[];
  streams: readonly StreamListener[];
  certificates: readonly Certificate[];
  generated: readonly Generated[];
}

function createMemory(): Memory {
  return {
    freshness: createFreshness(),
    resolved: createResolvedMemory(),
    routes: createRoutesMemory(),
    sockets: createSocketsMemory(),
    found: undefined,
    ours: [],
    statuses: [],
    setStatuses: createSetStatuses(),
    listeners: [],
    streams: [],
    certificates: [],
    generated: [],
  };
}

/** Deterministic; bad input becomes findings and conditions, never an exception. */
export const translateGateway: Translator = (input: TranslateInput): TranslateOutput => {
  const context = createContext(input);
  const memory = input.cache?.of(createMemory) ?? createMemory();
  const { freshness } = memory;
  const policies = freshness.begin(input);
  const { classes, gateways: found, orphans } = memory.resolved.resolve(context);
  const backends = createBackends(context, policies, freshness);
  const scope = { context, backends, freshness, memory: memory.routes };
  const { steady, governed, statuses } = resolveRoutes(scope, found);
  buildPlan(context, memory, found, steady);
  const generated = withoutForeign(context, memory.ours, memory.generated);
  return {
    listeners: memory.listeners,
    ...(memory.streams.length > 0 && { streams: memory.streams }),
    backends: memory.routes.backends.sorted(),
    certificates: memory.certificates,
    statuses: classStatuses(context, classes).concat(
      memory.statuses,
      orphanStatuses(context, orphans),
      statuses,
      backendTlsStatuses(context, policies, governed),
      backendTrafficStatuses(context, freshness.traffic, governed),
      xBackendStatuses(context, freshness.externals, governed),
    ),
    ...(generated.length > 0 && { generated }),
    diagnostics: withoutRepeats(context.findings),
  };
};

/** Brings sockets, certificates and statuses up to date: of all Gateways, or, when those are the same, where routes came or went. */
function buildPlan(context: Context, memory: Memory, found: GatewayStates, { gateways, sources }: Steady): void {
  const isSame = found === memory.found;
  memory.found = found;
  if (!isSame) {
    memory.ours = [...gateways.values()].sort((a, b) => compareNames(a.object, b.object));
    const { clock } = memory.routes;
    const ofGateways = memory.ours.map((state) => gatewayStatus(clock, state));
    memory.statuses = [...ofGateways, ...memory.setStatuses.update(clock, memory.ours, sources)];
    memory.generated = generateInfrastructure(context.input, memory.ours, memory.generated);
    memory.certificates = distinctCertificates(memory.ours.flatMap(certificatesOf), memory.certificates);
  }
  const sockets = buildAllSockets(context, memory.ours, memory.sockets, isSame);
  memory.streams = keepEqual(sockets.flatMap(({ streams }) => streams).sort(byId), memory.streams);
  memory.listeners = keepEqual(sockets.flatMap(({ listeners }) => listeners).sort(byId), memory.listeners);
}

/** Those of `before` that are equal; when all are, the same list. */
function distinctCertificates(all: readonly Certificate[], before: readonly Certificate[]): readonly Certificate[] {
  const known = new Map(before.map((certificate) => [certificate.id, certificate]));
  const distinct = new Map(all.map((certificate) => [certificate.id, certificate]));
  const now = [...distinct.values()].sort(byId).map((certificate) => {
    const kept = known.get(certificate.id);
    return kept && equalJson(kept, certificate) ? kept : certificate;
  });
  return sameItems(before, now) ? before : now;
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
