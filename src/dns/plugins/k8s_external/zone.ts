/** The records that make an external zone a proper one: its SOA, its name server, and the names of Services in it. */
import { addressRecords, equalWeight, serviceRecords } from '../../records/answers.ts';
import { nameBelow } from '../../records/cluster-name.ts';
import { labelsInside } from '../../records/external-names.ts';
import type { ExternalServices, ExternalTargets } from '../../records/external-services.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { foldCase, parseName } from '../../wire/name.ts';
import { recordType } from '../../wire/numbers.ts';
import { addressRecord, makeRecord, targetRecord } from '../../wire/records.ts';

export interface ZoneOptions {
  /** Canonical. */
  readonly name: string;
  /** Label below which the name server and the mailbox of the zone are. */
  readonly apex: string;
  /** Of all records, seconds. */
  readonly ttl: number;
  readonly serial: () => number;
  readonly services: () => ExternalServices;
}

export interface ExternalZone {
  readonly name: string;
  /** Labels left of the zone; undefined for names elsewhere. */
  inside(labels: readonly string[]): string[] | undefined;
  soa(): ResourceRecord;
  ns(): ResourceRecord;
  /** A and AAAA of the zone's name server, for a name that it is asked by. */
  nameserverAddresses(owner?: string): ResourceRecord[];
  /** A or AAAA records. */
  addresses(owner: string, type: number, found: ExternalTargets): ResourceRecord[];
  /** The alias of a Service that has a host name and no address: a name with an alias has nothing else (RFC 1034). */
  alias(owner: string, found: ExternalTargets): ResourceRecord | undefined;
  /** SRV records, and the addresses of targets in the zone. */
  srv(owner: string, found: ExternalTargets): { answers: ResourceRecord[]; additional: ResourceRecord[] };
  /** An absolute name. `labels`: joined, left of the zone. */
  absolute(labels: string): string;
}

export function createExternalZone({ name, apex, ttl, serial, services }: ZoneOptions): ExternalZone {
  const zoneLabels = (parseName(name) ?? []).map(foldCase);
  const absolute = (labels: string) => nameBelow(labels, name);
  const nameserver = absolute(`ns1.${apex}`);
  return {
    name,
    absolute,
    inside: (labels) => labelsInside(labels, zoneLabels),
    soa: () =>
      makeRecord(name, recordType.SOA, ttl, {
        ...{ kind: 'soa', primary: nameserver, mailbox: absolute(`hostmaster.${apex}`), serial: serial() },
        ...{ refresh: 7200, retry: 1800, expire: 86_400, minimum: ttl },
      }),
    ns: () => targetRecord(name, recordType.NS, ttl, nameserver),
    nameserverAddresses: (owner = nameserver) =>
      services()
        .ownAddresses()
        .map((address) => addressRecord(owner, ttl, address)),
    addresses: (owner, type, { targets }) => addressRecords(owner, type, ttl, targets),
    alias(owner, { targets, hosts }) {
      const [first] = targets.length === 0 ? hosts : [];
      return first && targetRecord(owner, recordType.CNAME, ttl, first.host);
    },
    srv(owner, { targets, hosts }) {
      const weight = equalWeight(targets.length + hosts.length);
      const own = serviceRecords(owner, ttl, name, targets, weight);
      const elsewhere = hosts
        .filter(({ port }) => port >= 0)
        .map(({ host, port }) =>
          makeRecord(owner, recordType.SRV, ttl, { kind: 'srv', priority: 0, weight, port, target: host }),
        );
      return { answers: [...own.answers, ...elsewhere], additional: own.additional };
    },
  };
}
