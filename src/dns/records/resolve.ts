/**
 * What the names of a cluster resolve to: pure functions of the indexes, one per kind of name, with the query semantics
 * of CoreDNS' kubernetes plugin 1.14.
 */
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { addressOfReverse, canonicalAddress } from '../wire/address.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { foldCase, parseName } from '../wire/name.ts';
import { rcode, recordType } from '../wire/numbers.ts';
import { addressRecord, makeRecord, targetRecord } from '../wire/records.ts';
import { addressRecords, hasEndpointIn, serviceRecords, type Target, targetsOf } from './answers.ts';
import { type ClusterName, type Grammar, nameBelow, parseClusterName, podAddress } from './cluster-name.ts';
import type { ServiceEntry } from './entry.ts';
import { followAliases, labelsInside } from './external-names.ts';
import type { PodIndex } from './index-of-pods.ts';
import type { ServiceIndex } from './index-of-services.ts';

export interface Asked {
  /** Absolute, in the case that the client chose. */
  readonly name: string;
  /** In lower case, without the root. */
  readonly labels: readonly string[];
  readonly type: number;
}

export interface Resolution {
  readonly rcode: 0 | 3;
  /** The zone that answers, absolute. */
  readonly zone: string;
  readonly answers: readonly ResourceRecord[];
  /** One SOA record when there is no answer. */
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  /** The object that the name comes from. */
  readonly source?: ObjectRef;
  /**
   * For a name that does not exist: it stays so until this Service (`namespace/name`) changes; '' when no Service can
   * ever change it. Absent when other objects have a say.
   */
  readonly missing?: string;
  /** The answers are aliases that lead out of the cluster domain; the records of `name` are still to be found. */
  readonly continueAt?: {
    readonly name: string;
    /** What to answer when they cannot be: nothing, for an alias that leads nowhere helps no client. */
    readonly otherwise: Resolution;
  };
}

/** What a name below the cluster domain turned out to be; undefined when it does not exist. */
type Found =
  | { readonly targets: readonly Target[]; readonly entry?: ServiceEntry }
  | { readonly alias: ServiceEntry }
  | { readonly text: string };

const dnsVersion = '1.1.0';
const dnsVersionTtl = 28_800;
/** Name of this server in a zone, where no Service has it. */
const nameserver = 'ns.dns';

export interface ResolverOptions {
  /** The cluster domain, absolute and in lower case. */
  readonly zone: string;
  /** Of all records, seconds. */
  readonly ttl: number;
  /** Serial of the SOA record. */
  readonly serial: () => number;
  readonly services: ServiceIndex;
  readonly namespaceExists: (name: string) => boolean;
  /** Answers Pod names at all. */
  readonly podNames: boolean;
  /** When given, Pod names are answered only for addresses in it. */
  readonly pods: PodIndex | undefined;
  /** Addresses at which this server answers. */
  readonly ownAddresses: () => readonly string[];
  /** Absolute, in lower case. */
  readonly reverseZones: readonly string[];
  /** ClusterIP Services without a ready endpoint do not exist. */
  readonly ignoreEmptyServices: boolean;
  /** Names beyond those of the specification. */
  readonly grammar: Grammar;
}

export interface Resolver {
  /** The zone of ours that a name is in; undefined when it is somebody else's. */
  zoneOf(labels: readonly string[]): string | undefined;
  /** Answers a question; undefined when the name is not in our zones. */
  resolve(asked: Asked): Resolution | undefined;
}

export function createResolver(options: ResolverOptions): Resolver {
  const { zone, ttl, services, pods, namespaceExists } = options;
  const zoneLabels = (parseName(zone) ?? []).map(foldCase);
  /** The longest first, so that a zone within another one is found. */
  const reverseZones = options.reverseZones
    .map((name) => ({ name, labels: parseName(name) ?? [] }))
    .sort((a, b) => b.labels.length - a.labels.length);

  const reverseOf = (labels: readonly string[]) => reverseZones.find(({ labels: zone }) => labelsInside(labels, zone));

  function zoneOf(labels: readonly string[]): string | undefined {
    return labelsInside(labels, zoneLabels) ? zone : reverseOf(labels)?.name;
  }

  function soa(owner: string): ResourceRecord {
    return makeRecord(owner, recordType.SOA, Math.min(ttl, 300), {
      kind: 'soa',
      primary: nameBelow(nameserver, owner),
      mailbox: nameBelow('hostmaster', owner),
      serial: options.serial(),
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    });
  }

  function positive(answers: readonly ResourceRecord[], rest: Partial<Resolution> = {}): Resolution {
    if (answers.length === 0) return negative(rcode.NOERROR, rest.zone ?? zone, rest.source);
    return { rcode: 0, zone, answers, authority: [], additional: [], ...rest };
  }

  function negative(code: 0 | 3, of: string, source?: ObjectRef): Resolution {
    return { rcode: code, zone: of, answers: [], authority: [soa(of)], additional: [], ...(source && { source }) };
  }

  function missing(name: ClusterName): Resolution {
    const answer = negative(rcode.NXDOMAIN, zone);
    if (name.kind === 'unknown') return { ...answer, missing: '' };
    return name.kind === 'service' ? { ...answer, missing: `${name.namespace}/${name.service}` } : answer;
  }

  function ownTargets(): Target[] {
    const own = options.ownAddresses().flatMap((text) => canonicalAddress(text) ?? []);
    const fronts = new Set(
      own.flatMap((a) => [services.byClusterAddress(a) ?? [], services.byEndpointAddress(a)].flat()),
    );
    const published = [...fronts].flatMap(
      (entry) => targetsOf(entry, { kind: 'service', namespace: entry.namespace, service: entry.name }) ?? [],
    );
    return published.length > 0 ? published : own.map((address) => ({ address, port: -1, owner: nameserver }));
  }

  function findService(name: Extract<ClusterName, { kind: 'service' }>): Found | undefined {
    const entry = services.get(name.namespace, name.service);
    if (!entry) return undefined;
    if (options.ignoreEmptyServices && entry.form === 'clusterIP' && entry.endpoints.length === 0) return undefined;
    const plain = !name.endpoint && !name.port && !name.protocol && !name.zone;
    if (entry.externalName) return plain ? { alias: entry } : undefined;
    const targets = targetsOf(entry, name);
    // Zones that no endpoint is in can be made up without end: their answers are not kept.
    const lasting = !name.zone || hasEndpointIn(entry, name.zone.name);
    return targets && { targets, ...(lasting && { entry }) };
  }

  function findPod(namespace: string, label: string): Found | undefined {
    const address = canonicalAddress(podAddress(label));
    if (!options.podNames || !address || !namespaceExists(namespace)) return undefined;
    if (pods && !pods.has(namespace, address)) return undefined;
    return { targets: [{ address, port: -1, owner: `${label}.${namespace}.pod` }] };
  }

  const exists: Found = { targets: [] };
  const finders: { [K in ClusterName['kind']]: (name: Extract<ClusterName, { kind: K }>) => Found | undefined } = {
    structure: () => exists,
    namespace: ({ namespace, of }) =>
      (of === 'svc' || options.podNames) && namespaceExists(namespace) ? exists : undefined,
    pod: ({ namespace, pod }) => findPod(namespace, pod),
    service: findService,
    version: () => ({ text: dnsVersion }),
    nameserver: () => ({ targets: ownTargets().map((target) => ({ ...target, port: -1 })) }),
    unknown: () => undefined,
  };
  const find = (name: ClusterName) => (finders[name.kind] as (name: ClusterName) => Found | undefined)(name);

  function resolveAlias(asked: Asked, entry: ServiceEntry): Resolution {
    const source = entry.ref;
    const record = (owner: string, target: string) => targetRecord(owner, recordType.CNAME, ttl, target);
    if (asked.type === recordType.CNAME) return positive([record(asked.name, entry.externalName!)], { source });
    if (asked.type !== recordType.A && asked.type !== recordType.AAAA) return negative(rcode.NOERROR, zone, source);
    const chain = followAliases(entry, zoneLabels, services.get);
    if (chain.broken) return negative(rcode.NOERROR, zone, source);
    const owners = [asked.name, ...chain.aliases.map(({ target }) => target)];
    const aliases = chain.aliases.map(({ target }, i) => record(owners[i]!, target));
    const end = owners.at(-1)!;
    const otherwise = negative(rcode.NOERROR, zone, source);
    if (!chain.end.inside) return positive(aliases, { source, continueAt: { name: end, otherwise } });
    const found = find(parseClusterName(chain.end.inside, options.grammar));
    const records = found && 'targets' in found ? addressRecords(end, asked.type, ttl, found.targets) : [];
    return records.length > 0 ? positive([...aliases, ...records], { source }) : otherwise;
  }

  function resolveTargets(asked: Asked, found: { targets: readonly Target[]; entry?: ServiceEntry }): Resolution {
    const source = found.entry && { source: found.entry.ref };
    if (asked.type !== recordType.SRV) {
      const wanted = asked.type === recordType.A || asked.type === recordType.AAAA;
      return positive(wanted ? addressRecords(asked.name, asked.type, ttl, found.targets) : [], source);
    }
    const { answers, additional } = serviceRecords(asked.name, ttl, zone, found.targets);
    return positive(answers, { additional, ...source });
  }

  /** `of`: the zone whose servers they are. Without a Service in front of it, a server has a name in the zone itself. */
  function resolveNameservers(asked: Asked, of: string): Resolution {
    const targets = ownTargets().map((t) => ({ ...t, name: nameBelow(t.owner, t.owner === nameserver ? of : zone) }));
    const glue = new Map(targets.map((t) => [`${t.name} ${t.address}`, addressRecord(t.name, ttl, t.address)]));
    const names = [...new Set(targets.map(({ name }) => name))];
    const answers = names.map((name) => targetRecord(asked.name, recordType.NS, ttl, name));
    return positive(answers, { zone: of, additional: [...glue.values()] });
  }

  function resolveForward(asked: Asked, inside: readonly string[]): Resolution {
    // CoreDNS looks nothing up for SOA: below the apex it is always "no such record", never "no such name".
    if (asked.type === recordType.SOA) return inside.length > 0 ? negative(rcode.NOERROR, zone) : positive([soa(zone)]);
    if (asked.type === recordType.NS && inside.length === 0) return resolveNameservers(asked, zone);
    const name = parseClusterName(inside, options.grammar);
    const found = find(name);
    if (!found) return missing(name);
    if ('alias' in found) return resolveAlias(asked, found.alias);
    if ('targets' in found) return resolveTargets(asked, found);
    const data = { kind: 'txt', strings: [found.text] } as const;
    return positive(asked.type === recordType.TXT ? [makeRecord(asked.name, recordType.TXT, dnsVersionTtl, data)] : []);
  }

  /** The Service with a cluster address; otherwise every Service that publishes an endpoint there. */
  function namesOfAddress(address: string): string[] {
    const service = services.byClusterAddress(address);
    if (service) return [nameBelow(`${service.name}.${service.namespace}.svc`, zone)];
    const names = services
      .byEndpointAddress(address)
      .flatMap((entry) =>
        entry.endpoints
          .filter((endpoint) => endpoint.address === address)
          .map(({ label }) => nameBelow(`${label}.${entry.name}.${entry.namespace}.svc`, zone)),
      );
    return [...new Set(names)];
  }

  function resolveReverseApex(asked: Asked, of: string): Resolution {
    if (asked.type === recordType.SOA) return positive([soa(of)], { zone: of });
    return asked.type === recordType.NS ? resolveNameservers(asked, of) : negative(rcode.NOERROR, of);
  }

  function resolveReverse(asked: Asked, of: string, inside: readonly string[]): Resolution {
    if (inside.length === 0) return resolveReverseApex(asked, of);
    if (asked.type === recordType.SOA) return negative(rcode.NOERROR, of);
    if (inside.join('.') === nameserver) {
      const wanted = asked.type === recordType.A || asked.type === recordType.AAAA;
      return positive(wanted ? addressRecords(asked.name, asked.type, ttl, ownTargets()) : [], { zone: of });
    }
    const address = addressOfReverse(asked.labels);
    const names = address ? namesOfAddress(address) : [];
    if (names.length === 0) return negative(rcode.NXDOMAIN, of);
    if (asked.type !== recordType.PTR) return negative(rcode.NOERROR, of);
    const answers = names.map((name) => targetRecord(asked.name, recordType.PTR, ttl, name));
    return positive(answers, { zone: of });
  }

  return {
    zoneOf,
    resolve(asked) {
      const inside = labelsInside(asked.labels, zoneLabels);
      if (inside) return resolveForward(asked, inside);
      const reverse = reverseOf(asked.labels);
      return reverse && resolveReverse(asked, reverse.name, labelsInside(asked.labels, reverse.labels)!);
    },
  };
}
