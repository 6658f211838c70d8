/**
 * What the data plane is told over hundreds of generations, and what it may answer meanwhile. Everything follows from
 * the number of the generation, so that a client can judge an answer by the generations that were in force while it
 * waited: hosts whose routes, filters, weights and order change, backends that come and go, endpoints that move about,
 * certificates that are swapped.
 */
import type { Certificate, Filter, Plan, Route, VirtualHost, WeightedBackend } from '../../../routing/plan/plan.ts';
import type { Endpoint } from '../../../service/endpoints.ts';
import { backend, endpoint, host, listener, route, share } from '../plans.ts';

export interface WorldOptions {
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Backend servers listen on these ports of the address, one after the other. */
  readonly firstServerPort: number;
  readonly servers: number;
  /** Virtual hosts; each has `routesPerHost` routes. */
  readonly hosts: number;
  readonly routesPerHost: number;
  /** All for the same names; each generation shows the next one. */
  readonly certificates: readonly Certificate[];
}

export interface World {
  readonly options: WorldOptions;
  readonly hostnames: readonly string[];
  plan(generation: number): Plan;
  /** Endpoints that differ from those of the generation before; all of them for generation 0. */
  endpoints(generation: number): Record<string, readonly Endpoint[] | null>;
  /** The server that no backend has among its endpoints in this generation. */
  away(generation: number): number;
  certificate(generation: number): Certificate | undefined;
  /** Every combination that may answer a request that met these generations. */
  answers(hostAt: number, path: string, from: number, to: number): readonly Expected[];
}

export interface Expected {
  /** Stamped on the request and on the response by filters of the same rule. */
  readonly stamp: string;
  /** Path that the server is asked for. */
  readonly path: string;
  readonly servers: ReadonlySet<number>;
}

/** Hosts that change in every generation; the others take turns. */
export const LIVE = 4;
/** Of each host, besides its numbered routes: two rules for one path, of which the first wins, and one backend that is new. */
const EXTRA = 3;
const SERVICES = 8;
/** Generations for which a server is away. */
const SHIFT = 10;

export const servicePath = (at: number) => `/r${at}`;
export const ORDERED_PATH = '/order';
export const FRESH_PATH = '/fresh';
const freshId = (generation: number) => `fresh-${generation}`;
const serviceId = (at: number) => `service-${at}`;

export function createWorld(options: WorldOptions): World {
  const hostnames = Array.from({ length: options.hosts }, (_, at) => `h${at}.example`);
  const built = new Map<number, { readonly version: number; readonly host: VirtualHost }>();
  const cold = Math.max(1, options.hosts - LIVE);
  const numbered = options.routesPerHost - EXTRA;

  /** The last generation up to this one in which the host changed. */
  function version(hostAt: number, generation: number): number {
    if (hostAt < LIVE) return generation;
    const turn = hostAt - LIVE;
    return generation < turn ? 0 : generation - ((generation - turn) % cold);
  }

  function hostOf(hostAt: number, generation: number): VirtualHost {
    const wanted = version(hostAt, generation);
    const before = built.get(hostAt);
    if (before?.version === wanted) return before.host;
    const made = host(hostnames[hostAt]!, routesOf(hostAt, wanted, numbered));
    built.set(hostAt, { version: wanted, host: made });
    return made;
  }

  const away = (generation: number) => Math.floor(generation / SHIFT) % options.servers;
  const serverEndpoint = (at: number) => endpoint(options.address, options.firstServerPort + at);

  function serversOf(service: number, generation: number): number[] {
    const here = [...Array(options.servers).keys()].filter((at) => at !== away(generation));
    const first = service + Math.floor((generation + service) / SERVICES);
    return [here[first % here.length]!, here[(first + 1) % here.length]!];
  }
  const freshServers = (generation: number) => [(away(generation) + 1) % options.servers];

  function certificate(generation: number): Certificate | undefined {
    return options.certificates[generation % Math.max(1, options.certificates.length)];
  }

  function plan(generation: number): Plan {
    const { address, httpPort, httpsPort } = options;
    const hosts = hostnames.map((_, at) => hostOf(at, generation));
    const shown = certificate(generation);
    const tls = shown && { certificates: [{ serverName: '*', certificate: shown.id }] };
    const secure = tls && listener(address, httpsPort, hosts.slice(0, LIVE), { protocol: 'HTTPS', tls });
    const fresh = hosts.flatMap((_, at) => freshId(version(at, generation)));
    const ids = [...new Set([...Array.from({ length: SERVICES }, (_, at) => serviceId(at)), ...fresh])];
    return {
      listeners: [listener(address, httpPort, hosts), ...(secure ? [secure] : [])],
      backends: Object.fromEntries(ids.map((id) => [id, backend(id)])),
      certificates: shown ? { [shown.id]: shown } : {},
    };
  }

  function endpoints(generation: number): Record<string, readonly Endpoint[] | null> {
    const changed: Record<string, readonly Endpoint[] | null> = {};
    for (let at = 0; at < SERVICES; at++) {
      const now = serversOf(at, generation);
      if (generation > 0 && String(now) === String(serversOf(at, generation - 1))) continue;
      changed[serviceId(at)] = now.map(serverEndpoint);
    }
    return Object.assign(changed, freshEndpoints(generation));
  }

  /** Backends of one generation have endpoints for as long as a host is at that generation. */
  function freshEndpoints(generation: number): Record<string, readonly Endpoint[] | null> {
    const changed: Record<string, readonly Endpoint[] | null> = {};
    // A backend that hosts named in the generation before, and none names now, loses them one generation later.
    for (const gone of leftBehind(generation - 1)) changed[freshId(gone)] = null;
    // Those of hosts that stay at theirs follow the servers.
    const moved = generation === 0 || away(generation) !== away(generation - 1);
    const named = moved ? versionsAt(generation) : new Set([generation]);
    for (const one of named) changed[freshId(one)] = freshServers(generation).map(serverEndpoint);
    return changed;
  }

  const versionsAt = (generation: number) => new Set(hostnames.map((_, at) => version(at, generation)));

  function leftBehind(generation: number): number[] {
    if (generation < 1) return [];
    const now = versionsAt(generation);
    return [...versionsAt(generation - 1)].filter((one) => !now.has(one));
  }

  function answers(hostAt: number, path: string, from: number, to: number): readonly Expected[] {
    const versions = new Set<number>();
    for (let generation = from; generation <= to; generation++) versions.add(version(hostAt, generation));
    return [...versions].flatMap((one) => {
      const { id, filters, action } = ruleFor(hostAt, one, path, numbered);
      if (action.type !== 'forward') return [];
      const servers = new Set<number>();
      for (let generation = from; generation <= to; generation++)
        for (const { backend: to, weight } of action.backends)
          if (weight > 0) for (const server of whereIs(to!, generation)) servers.add(server);
      return [{ stamp: stampOf(id, one), path: rewritten(filters) ?? path, servers }];
    });
  }

  const whereIs = (id: string, generation: number) =>
    id.startsWith('fresh') ? freshServers(generation) : serversOf(Number(id.slice('service-'.length)), generation);

  return { options, hostnames, plan, endpoints, away, certificate, answers };
}

/** The rule that is the first to match the path in this version of the host. */
function ruleFor(hostAt: number, version: number, path: string, numbered: number): Route {
  const routes = routesOf(hostAt, version, numbered);
  return routes.find(({ match }) => match.path?.value === path)!;
}

const rewritten = (filters: readonly Filter[]) => {
  const path = filters.find((filter) => filter.type === 'rewrite')?.path;
  return path?.type === 'regex' ? undefined : path?.value;
};

const stampOf = (id: string, version: number) => `${id}@${version}`;

/** Numbers that look like chance and are the same every time. */
function chance(...parts: readonly number[]): number {
  let hash = 2_166_136_261;
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 16_777_619);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

function routesOf(hostAt: number, version: number, numbered: number): Route[] {
  const routes = Array.from({ length: numbered }, (_, at) => numberedRoute(hostAt, version, at));
  const turn = chance(version, hostAt) % numbered;
  const pair = [orderedRoute(hostAt, version, 'left'), orderedRoute(hostAt, version, 'right')];
  if (version % 2 === 1) pair.reverse();
  return [...routes.slice(turn), ...pair, ...routes.slice(0, turn), freshRoute(hostAt, version)];
}

function stamped(hostAt: number, version: number, name: string, path: string, shares: readonly WeightedBackend[]) {
  const id = `h${hostAt}/${name}`;
  const value = stampOf(id, version);
  const filters: Filter[] = [
    { type: 'request-headers', set: [['x-plan', value]], add: [], remove: ['x-unwanted'] },
    { type: 'response-headers', set: [['x-plan', value]], add: [], remove: ['x-server-secret'] },
  ];
  return route({
    id,
    match: { path: { type: 'prefix', value: path } },
    filters,
    action: { type: 'forward', backends: shares },
  });
}

function numberedRoute(hostAt: number, version: number, at: number): Route {
  const dice = chance(hostAt, version, at);
  const shares = [0, 1, 2].map((n) =>
    share(serviceId((dice + n * (1 + (dice % 3))) % SERVICES), (dice >>> (n * 2)) & 3),
  );
  if (shares.every(({ weight }) => weight === 0)) shares[0] = { ...shares[0]!, weight: 1 };
  const base = stamped(hostAt, version, `r${at}`, servicePath(at), shares);
  if (dice % 4 !== 0) return base;
  return {
    ...base,
    filters: [...base.filters, { type: 'rewrite', path: { type: 'full', value: `/moved/${version}` } }],
  };
}

const orderedRoute = (hostAt: number, version: number, name: string) =>
  stamped(hostAt, version, name, ORDERED_PATH, [share(serviceId(name === 'left' ? 0 : 1))]);

const freshRoute = (hostAt: number, version: number) =>
  stamped(hostAt, version, 'fresh', FRESH_PATH, [share(freshId(version))]);
