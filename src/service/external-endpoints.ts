/**
 * Endpoints of destinations outside of the cluster: the addresses that their names have in DNS, looked up anew when the
 * records' time is over. Connections go to addresses and never to names, so that what was judged here is what is used.
 */
import { Resolver } from 'node:dns/promises';
import type { IPFamily } from '../kube/types/index.ts';
import { type Endpoint, ipv4Only, sameEndpoints } from './endpoints.ts';
import { createAddressFilter } from './external-addresses.ts';

export interface ExternalBackend {
  /** BackendId of the plan. */
  readonly id: string;
  readonly hostname: string;
  readonly port: number;
}

/** One address of a name. */
export interface ResolvedAddress {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** All addresses of a name in a family; none when it has none. Rejects when that cannot be found out. */
export type ResolveName = (hostname: string, family: IPFamily) => Promise<readonly ResolvedAddress[]>;

export interface ExternalOptions {
  /** Default: by DNS, without search domains. */
  readonly resolve?: ResolveName;
  /** DNS servers that are asked by default; absent: those of the machine's resolver configuration. IP or `IP:port`. */
  readonly servers?: readonly string[];
  /** Addresses and CIDRs that names may lead to though they are refused by default (external-addresses.ts). */
  readonly allowed?: readonly string[];
  /** Further addresses and CIDRs that they may not lead to; what is allowed is allowed all the same. */
  readonly denied?: readonly string[];
  /** Records count for at least so long. Default 5,000. */
  readonly minTtlMs?: number;
  /** And for at most so long. Default 300,000. */
  readonly maxTtlMs?: number;
  /** When a name could not be resolved, how long until the next attempt. Default 5,000. */
  readonly retryMs?: number;
  /** For how long the addresses from before are used while a name cannot be resolved (RFC 8767). Default 3,600,000. */
  readonly staleMs?: number;
  /** Lookups under way at once; others wait. Default 16. */
  readonly maxLookups?: number;
  /** Addresses of one name; further ones are not used. Default 32. */
  readonly maxAddresses?: number;
}

export interface ExternalEndpoints {
  add(backend: ExternalBackend): void;
  forget(id: string): void;
  stop(): void;
}

interface Handlers {
  readonly families?: readonly IPFamily[];
  /** The endpoints of a backend are others than before; at first none. null: it was forgotten. */
  onChange(id: string, endpoints: readonly Endpoint[] | null): void;
  /** A name that cannot be resolved, or leads where it must not. Once, until that is over. */
  onProblem(message: string): void;
}

interface Name {
  readonly hostname: string;
  readonly users: Map<string, ExternalBackend>;
  addresses: readonly string[];
  /** When the addresses were found, in milliseconds. */
  foundAt: number;
  timer: NodeJS.Timeout | undefined;
  problem: string | undefined;
  gone: boolean;
}

const defaults = {
  ...{ minTtlMs: 5_000, maxTtlMs: 300_000, retryMs: 5_000, staleMs: 3_600_000 },
  ...{ maxLookups: 16, maxAddresses: 32 },
};

/** Each name is looked up once, however many backends it stands for. */
export function createExternalEndpoints(options: ExternalOptions, handlers: Handlers): ExternalEndpoints {
  const settings = { ...defaults, ...options };
  const resolve = options.resolve ?? resolveByDns(options.servers);
  const filter = createAddressFilter(options.allowed, options.denied);
  const { families = ipv4Only } = handlers;
  const names = new Map<string, Name>();
  const byId = new Map<string, { readonly name: Name; readonly endpoints: readonly Endpoint[] }>();
  const waiting = new Set<Name>();
  let underWay = 0;

  function publish({ id, hostname, port }: ExternalBackend, name: Name): void {
    const endpoints = name.addresses.map((address): Endpoint => {
      return { address, port, ready: true, serving: true, terminating: false, hostname };
    });
    const before = byId.get(id);
    if (before?.name === name && sameEndpoints(before.endpoints, endpoints)) return;
    byId.set(id, { name, endpoints });
    handlers.onChange(id, endpoints);
  }

  function begin(name: Name): void {
    name.timer = undefined;
    if (name.gone) return;
    if (underWay >= settings.maxLookups) {
      waiting.add(name);
      return;
    }
    underWay++;
    void lookUp(name).finally(() => {
      underWay--;
      const [next] = waiting;
      if (!next) return;
      waiting.delete(next);
      begin(next);
    });
  }

  async function lookUp(name: Name): Promise<void> {
    const answers = await Promise.allSettled(families.map((family) => resolve(name.hostname, family)));
    if (name.gone) return;
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const failed = answers.find((answer) => answer.status === 'rejected');
    // One family is enough; without an answer for any of them, nobody knows.
    const pauseMs = found.length === 0 && failed ? fail(name, failed.reason) : take(name, found);
    name.timer = setTimeout(begin, pauseMs, name);
    name.timer.unref();
  }

  /** Returns when to look again. */
  function take(name: Name, found: readonly ResolvedAddress[]): number {
    const permitted = found.filter(({ address }) => filter.permits(address));
    const addresses = [...new Set(permitted.map(({ address }) => address))].sort().slice(0, settings.maxAddresses);
    const refused = found.find(({ address }) => !filter.permits(address));
    if (refused) tell(name, `${name.hostname} leads to ${refused.address}, where names outside of the cluster may not`);
    else tell(name, found.length === 0 ? `${name.hostname} has no address` : undefined);
    name.foundAt = performance.now();
    use(name, addresses);
    const ttlMs = 1_000 * Math.min(...found.map(({ ttl }) => ttl), settings.maxTtlMs);
    return Math.min(settings.maxTtlMs, Math.max(settings.minTtlMs, found.length === 0 ? settings.retryMs : ttlMs));
  }

  /** The addresses from before are better than none, for a while. */
  function fail(name: Name, reason: unknown): number {
    tell(name, `${name.hostname} cannot be resolved: ${reason instanceof Error ? reason.message : String(reason)}`);
    if (performance.now() - name.foundAt > settings.staleMs) use(name, []);
    return settings.retryMs;
  }

  function use(name: Name, addresses: readonly string[]): void {
    name.addresses = addresses;
    for (const backend of name.users.values()) publish(backend, name);
  }

  function tell(name: Name, problem: string | undefined): void {
    if (problem !== undefined && problem !== name.problem) handlers.onProblem(problem);
    name.problem = problem;
  }

  function nameOf(hostname: string): Name {
    const known = names.get(hostname);
    if (known) return known;
    const made: Name = {
      ...{ hostname, users: new Map(), addresses: [], foundAt: Number.NEGATIVE_INFINITY },
      ...{ timer: undefined, problem: undefined, gone: false },
    };
    names.set(hostname, made);
    begin(made);
    return made;
  }

  function leave(id: string, name: Name): void {
    name.users.delete(id);
    if (name.users.size > 0) return;
    name.gone = true;
    clearTimeout(name.timer);
    waiting.delete(name);
    names.delete(name.hostname);
  }

  return {
    add(backend) {
      const before = byId.get(backend.id);
      const name = nameOf(backend.hostname);
      name.users.set(backend.id, backend);
      if (before && before.name !== name) leave(backend.id, before.name);
      publish(backend, name);
    },
    forget(id) {
      const known = byId.get(id);
      if (!known) return;
      byId.delete(id);
      leave(id, known.name);
      handlers.onChange(id, null);
    },
    stop() {
      for (const name of names.values()) {
        name.gone = true;
        clearTimeout(name.timer);
      }
      names.clear();
      byId.clear();
      waiting.clear();
    },
  };
}

/** A name that has no address of a family, or is not there at all, is no failure. */
const noneCodes: ReadonlySet<unknown> = new Set(['ENODATA', 'ENOTFOUND']);

function resolveByDns(servers: readonly string[] | undefined): ResolveName {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers && servers.length > 0) resolver.setServers(servers);
  return async (hostname, family) => {
    try {
      if (family === 'IPv6') return await resolver.resolve6(hostname, { ttl: true });
      return await resolver.resolve4(hostname, { ttl: true });
    } catch (error) {
      if (noneCodes.has((error as NodeJS.ErrnoException).code)) return [];
      throw error;
    }
  };
}
