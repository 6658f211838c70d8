/** All names of a cluster domain as a zone for secondary servers: what CoreDNS' kubernetes plugin transfers. */
import type { ResourceRecord } from '../wire/message.ts';
import { keyOfName, labelsOfKey } from '../wire/name.ts';
import { recordType } from '../wire/numbers.ts';
import { targetRecord } from '../wire/records.ts';
import { addressRecords, serviceRecords, type Target, targetsOf } from './answers.ts';
import { nameBelow } from './cluster-name.ts';
import type { NamedPort, ServiceEntry } from './entry.ts';
import type { Records } from './records.ts';

export interface ClusterZone {
  readonly soa: ResourceRecord;
  readonly serial: number;
  /** Everything else: name servers and their addresses, then Service by Service. */
  records(): Iterable<ResourceRecord>;
}

type Part = Pick<Records, 'zone' | 'ttl'>;

const families = [recordType.A, recordType.AAAA] as const;

function addresses({ ttl }: Part, name: string, targets: readonly Target[]): ResourceRecord[] {
  return families.flatMap((type) => addressRecords(name, type, ttl, targets));
}

/** Ports with a name, each name and protocol once: unnamed ones have no SRV record of their own. */
function namedPorts(ports: readonly NamedPort[]): NamedPort[] {
  const named = ports.filter(({ name, port }) => name !== '' && port >= 0);
  return [...new Map(named.map((port) => [`${port.name} ${port.protocol}`, port])).values()];
}

function portRecords(part: Part, entry: ServiceEntry, base: string, ports: readonly NamedPort[]): ResourceRecord[] {
  const service = { kind: 'service', namespace: entry.namespace, service: entry.name } as const;
  return namedPorts(ports).flatMap(({ name, protocol }) => {
    const targets = targetsOf(entry, { ...service, port: name, protocol }) ?? [];
    return serviceRecords(`_${name}._${protocol}.${base}`, part.ttl, part.zone, targets).answers;
  });
}

type Form = (part: Part, entry: ServiceEntry, base: string) => ResourceRecord[];

const forms: Readonly<Record<ServiceEntry['form'], Form>> = {
  clusterIP(part, entry, base) {
    const targets = targetsOf(entry, { kind: 'service', namespace: entry.namespace, service: entry.name }) ?? [];
    const services = serviceRecords(base, part.ttl, part.zone, targets).answers;
    return [...addresses(part, base, targets), ...services, ...portRecords(part, entry, base, entry.ports)];
  },
  headless(part, entry, base) {
    const targets = targetsOf(entry, { kind: 'service', namespace: entry.namespace, service: entry.name }) ?? [];
    const owners = new Map<string, Target[]>();
    for (const target of targets) owners.set(target.owner, [...(owners.get(target.owner) ?? []), target]);
    const own = [...owners].flatMap(([owner, some]) => addresses(part, nameBelow(owner, part.zone), some));
    const ports = entry.endpoints.flatMap((endpoint) => endpoint.ports);
    return [...addresses(part, base, targets), ...own, ...portRecords(part, entry, base, ports)];
  },
  externalName: ({ ttl }, { externalName }, base) =>
    externalName === undefined ? [] : [targetRecord(base, recordType.CNAME, ttl, externalName)],
};

const byName = (a: ServiceEntry, b: ServiceEntry): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : a.namespace < b.namespace ? -1 : 1;

function* zoneRecords(part: Part, servers: readonly ResourceRecord[], entries: readonly ServiceEntry[]) {
  yield* servers;
  for (const entry of entries)
    yield* forms[entry.form](part, entry, nameBelow(`${entry.name}.${entry.namespace}.svc`, part.zone));
}

/**
 * The zone as it is now; the Services are those of the moment at which its records are asked for. Pods and reverse
 * names are not in it, nor are names by topology zone.
 */
export function clusterZone(records: Records): ClusterZone {
  const { zone, ttl } = records;
  const labels = labelsOfKey(keyOfName(zone) ?? '\0');
  const apex = (type: number) => records.resolve({ name: zone, labels, type });
  const soa = apex(recordType.SOA)!.answers[0]!;
  return {
    soa,
    serial: records.serial(),
    records() {
      const servers = apex(recordType.NS);
      const sorted = [...records.entries()].sort(byName);
      return zoneRecords({ zone, ttl }, servers ? [...servers.answers, ...servers.additional] : [], sorted);
    },
  };
}
