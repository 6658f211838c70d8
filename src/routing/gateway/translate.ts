/**
 * Gateway API → plan, statuses and findings. The steps are the same for every kind of route: find our classes and
 * Gateways, judge their listeners, attach routes, compile what attached. A further kind of route is an entry in
 * kinds.ts (which listeners carry it) and in the compilers of routes.ts.
 */
import { equalJson } from '../../kube/objects.ts';
import type { Gateway } from '../../kube/types/index.ts';
import { withoutRepeats } from '../incremental/capture.ts';
import { createFreshness, type Freshness } from '../incremental/freshness.ts';
import { keepEqual } from '../incremental/listeners.ts';
import { sameItems } from '../incremental/sorted.ts';
import type { Certificate, Listener } from '../plan/plan.ts';
import type { TranslateInput, TranslateOutput, Translator } from '../translate.ts';
import { backendTlsStatuses } from './backend-tls-status.ts';
import { createBackends } from './backends.ts';
import { classStatuses, resolveClasses } from './classes.ts';
import { compareNames, createContext, sortByName } from './context.ts';
import { gatewayStatus } from './gateway-status.ts';
import { resolveGateways } from './gateways.ts';
import { createHostsMemory, type HostsMemory, turnHosts } from './hosts.ts';
import { resources } from './kinds.ts';
import { listenerSetStatuses } from './listener-sets.ts';
import { createRoutesMemory, type RoutesMemory, resolveRoutes } from './routes.ts';
import { buildSockets, certificatesOf } from './sockets.ts';

/** What a translation leaves to the next one with the same cache. */
interface Memory {
  readonly freshness: Freshness;
  readonly routes: RoutesMemory;
  readonly hosts: HostsMemory;
  listeners: readonly Listener[];
  certificates: readonly Certificate[];
}

function createMemory(): Memory {
  return {
    freshness: createFreshness(),
    routes: createRoutesMemory(),
    hosts: createHostsMemory(),
    listeners: [],
    certificates: [],
  };
}

/** Deterministic; bad input becomes findings and conditions, never an exception. */
export const translateGateway: Translator = (input: TranslateInput): TranslateOutput => {
  const context = createContext(input);
  const memory = input.cache?.of(createMemory) ?? createMemory();
  const { freshness } = memory;
  const policies = freshness.begin(input);
  const objects = sortByName(input.store.list<Gateway>(resources.gateway));
  const classes = resolveClasses(context, objects);
  const found = resolveGateways(context, objects, classes);
  const backends = createBackends(context, policies);
  const scope = { context, backends, freshness, memory: memory.routes };
  const { gateways, governed, statuses } = resolveRoutes(scope, found);
  const ours = [...gateways.values()].sort((a, b) => compareNames(a.object, b.object));
  const sockets = ours.map((state) => buildSockets(context, state, memory.hosts));
  turnHosts(memory.hosts);
  const streams = sockets.flatMap((each) => each.streams).sort(byId);
  const sets = listenerSetStatuses(context, gateways);
  const listeners = sockets.flatMap((each) => each.listeners).sort(byId);
  memory.listeners = listeners.map((listener) => keepEqual(listener, memory.listeners));
  memory.certificates = distinctCertificates(ours.flatMap(certificatesOf), memory.certificates);
  return {
    listeners: memory.listeners,
    ...(streams.length > 0 && { streams }),
    backends: memory.routes.backends.sorted(),
    certificates: memory.certificates,
    statuses: classStatuses(context, classes).concat(
      ours.map((state) => gatewayStatus(context, state)),
      sets,
      statuses,
      backendTlsStatuses(context, policies, governed),
    ),
    diagnostics: withoutRepeats(context.findings),
  };
};

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
