/** `fairway get routes`: the rules of the plan in order of precedence, then those that no listener carries. */
import { formatRef } from '../../base/diagnostics/index.ts';
import type {
  Filter,
  Listener,
  RespondAction,
  Route,
  StreamListener,
  StreamRoute,
  WeightedBackend,
} from '../../routing/plan/plan.ts';
import { backendEndpoints, usableEndpoints } from '../../service/endpoints.ts';
import {
  describeAction,
  describeAffinity,
  describeCanary,
  describeFilter,
  describeMatch,
  describeRetry,
  describeTimeouts,
} from '../explain/describe.ts';
import { describeTemplate } from '../explain/values.ts';
import { isNginxHost } from '../ingress-nginx/estate.ts';
import { locationText } from '../ingress-nginx/location.ts';
import { shadowsOf } from '../precedence.ts';
import { createStatuses, type Statuses } from '../statuses.ts';
import { positionOf, type World } from '../world.ts';
import { conditionsOn } from './conditions.ts';
import type { RuleBackend, RuleRow } from './types.ts';
import { unserved } from './unserved.ts';

type CountOf = (id: string) => Pick<RuleBackend, 'readyEndpoints' | 'endpoints'>;

/** Endpoints of a backend, counted once however many rules lead there. */
function createCounts({ plan, store }: World): CountOf {
  const known = new Map<string, ReturnType<CountOf>>();
  return (id) => {
    const found = plan.backends[id];
    const counted = known.get(id);
    if (counted || !found) return counted ?? { readyEndpoints: 0, endpoints: 0 };
    const { namespace, service, port, protocol } = found;
    const all = backendEndpoints(store, { namespace, service, port, protocol: protocol === 'udp' ? 'UDP' : 'TCP' });
    const count = { readyEndpoints: usableEndpoints(all).length, endpoints: all.length };
    known.set(id, count);
    return count;
  };
}

interface Share {
  readonly weight: number;
  readonly backend?: string;
  readonly invalid?: string;
  readonly filters: readonly Filter[];
}

function backendOf({ plan }: World, countOf: CountOf, { weight, backend, invalid, filters }: Share): RuleBackend {
  const found = backend === undefined || invalid !== undefined ? undefined : plan.backends[backend];
  const told = filters.map(describeFilter);
  if (!found) return { weight, readyEndpoints: 0, endpoints: 0, invalid: invalid ?? 'leads nowhere', filters: told };
  const { namespace, service, port } = found;
  const counted = found.external
    ? { readyEndpoints: 0, endpoints: 0, external: found.external.hostname }
    : countOf(found.id);
  return { namespace, service, port, weight, ...counted, filters: told };
}

interface Rows {
  readonly world: World;
  readonly statuses: Statuses;
  readonly countOf: CountOf;
}

const shareOf = ({ weight, backend, invalid, filters }: WeightedBackend): Share => ({
  ...{ weight, filters },
  ...(backend !== undefined && { backend }),
  ...(invalid && { invalid: invalid.reason }),
});

function httpRows({ world, statuses, countOf }: Rows, listener: Listener): RuleRow[] {
  let rank = 0;
  return listener.hosts.flatMap((host) => {
    const shadows = shadowsOf(world, host.routes, host.hostname);
    return host.routes.map((route): RuleRow => {
      const { object } = route.source;
      const action = answerOf(route) ?? route.action;
      const matches = isNginxHost(host) ? locationText(world, route) : describeMatch(route.match);
      rank += 1;
      return {
        ...ownerOf(world, route),
        ...{ listener: listener.id, rank, hostname: host.hostname, matches },
        action: action.type === 'forward' ? 'forward' : describeAction(action),
        backends:
          action.type === 'forward' ? action.backends.map((share) => backendOf(world, countOf, shareOf(share))) : [],
        filters: route.filters.map(describeFilter),
        filterTypes: route.filters.map(({ type }) => type),
        timeouts: route.timeouts ? describeTimeouts(route.timeouts) : null,
        retry: route.retry ? describeRetry(route.retry) : null,
        sessions: route.affinity ? describeAffinity(route.affinity) : null,
        canary: action.type === 'forward' && action.canary ? describeCanary(action.canary) : null,
        conditions: conditionsOn(world, statuses, object, listener),
        never: shadows.get(route) ?? null,
      };
    });
  });
}

/** What a filter answers to every request, so that none gets to a backend. */
function answerOf({ filters }: Route): RespondAction | undefined {
  const found = filters.find((filter) => filter.type === 'respond' && filter.when.length === 0);
  if (found?.type !== 'respond') return undefined;
  const { status, location, reason } = found;
  return { type: 'respond', status, reason: location ? `${reason}, to ${describeTemplate(location)}` : reason };
}

const handling: Readonly<Record<StreamRoute['tls'], string>> = {
  none: 'any',
  passthrough: 'TLS, passed through',
  terminate: 'TLS, terminated',
  handover: 'TLS, handed over to HTTPS',
};

function streamRows({ world, statuses, countOf }: Rows, listener: StreamListener): RuleRow[] {
  // Entries without backends mark what belongs to a listener, and are no rules.
  return listener.routes
    .filter(({ backends }) => backends.length > 0)
    .map((route, i): RuleRow => {
      const shares = route.backends.map(({ weight, backend, invalid }) => ({
        ...{ weight, filters: [] },
        ...(backend !== undefined && { backend }),
        ...(invalid !== undefined && { invalid }),
      }));
      return {
        ...ownerOf(world, route),
        ...{ match: null, listener: listener.id, rank: i + 1, hostname: route.serverName },
        matches: handling[route.tls],
        action: 'forward',
        backends: shares.map((share) => backendOf(world, countOf, share)),
        ...{ filters: [], filterTypes: [], timeouts: null, retry: null, sessions: null, canary: null },
        conditions: conditionsOn(world, statuses, route.source.object, listener),
        never: null,
      };
    });
}

function ownerOf(world: World, { source, name }: Route | StreamRoute) {
  const { object, rule, match } = source;
  return {
    ...{ owner: object, rule: rule ?? null, ruleName: name ?? null },
    ...{ match: match ?? null, position: positionOf(world, source) ?? null },
  };
}

const portOf = (id: string) => Number(/:(\d+)\/[A-Z]+$/.exec(id)?.[1] ?? 0);

/** By address, port and protocol; on each by precedence. */
export function routeRows(world: World): RuleRow[] {
  const rows: Rows = { world, statuses: createStatuses(world), countOf: createCounts(world) };
  const { listeners, streams = [] } = world.plan;
  const served = [
    ...listeners.map((listener) => ({ listener, rows: httpRows(rows, listener) })),
    ...streams.map((listener) => ({ listener, rows: streamRows(rows, listener) })),
  ].sort(
    ({ listener: a }, { listener: b }) =>
      a.address.localeCompare(b.address, 'en', { numeric: true }) ||
      portOf(a.id) - portOf(b.id) ||
      (a.id < b.id ? -1 : 1),
  );
  return [...served.flatMap((each) => each.rows), ...unserved(world, rows.statuses, servedOwners(world))];
}

/** Objects with a rule in the plan, as `Kind namespace/name`. */
export function servedOwners({ plan: { listeners, streams = [] } }: World): ReadonlySet<string> {
  const routes = [
    ...listeners.flatMap(({ hosts }) => hosts.flatMap((host) => host.routes)),
    ...streams.flatMap((stream) => stream.routes.filter(({ backends }) => backends.length > 0)),
  ];
  return new Set(routes.map(({ source }) => formatRef(source.object)));
}
