/** Matching addresses of Services to resource records. */
import type { ResourceRecord } from '../wire/message.ts';
import { foldCase } from '../wire/name.ts';
import { recordType } from '../wire/numbers.ts';
import { addressRecord, familyType, makeRecord } from '../wire/records.ts';
import { type ClusterName, nameBelow, type ZoneWish } from './cluster-name.ts';
import type { EndpointAddress, NamedPort, ServiceEntry } from './entry.ts';

/** One (address, port) behind a name. `owner` is the name that has the address: the target of its SRV record. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** Labels left of the zone. */
  readonly owner: string;
}

type ServiceName = Extract<ClusterName, { kind: 'service' }>;

function matches(asked: string | undefined, actual: string): boolean {
  return !asked || asked === actual;
}

/** Whether an endpoint of the Service runs in a topology zone. */
export function hasEndpointIn(entry: ServiceEntry, zone: string): boolean {
  return entry.endpoints.some((endpoint) => isIn(endpoint, zone));
}

function isIn(endpoint: EndpointAddress, zone: string): boolean {
  return endpoint.zone !== undefined && foldCase(endpoint.zone) === zone;
}

/** What of a name chooses among ports: all of them when it names none. */
export type PortChoice = Pick<ServiceName, 'port' | 'protocol'>;

export function matchingPorts(ports: readonly NamedPort[], { port, protocol }: PortChoice): readonly NamedPort[] {
  return ports.filter((p) => matches(port, p.name) && matches(protocol, p.protocol));
}

/** `base`: the Service's own labels, of which those of its endpoints are children. */
export function endpointTargets(endpoints: readonly EndpointAddress[], choice: PortChoice, base: string): Target[] {
  return endpoints.flatMap(({ address, label, ports }) =>
    matchingPorts(ports, choice).map(({ port }) => ({ address, port, owner: `${label}.${base}` })),
  );
}

const baseOf = ({ name, namespace }: ServiceEntry): string => `${name}.${namespace}.svc`;

/** Zonal names are those of headless Services only; they exist also when no endpoint is in the zone. */
function zonalTargets(entry: ServiceEntry, name: ServiceName, { name: zone, orAll }: ZoneWish): Target[] | undefined {
  if (entry.form !== 'headless') return undefined;
  const local = entry.endpoints.filter((endpoint) => isIn(endpoint, zone));
  return endpointTargets(local.length === 0 && orAll ? entry.endpoints : local, name, baseOf(entry));
}

/**
 * The targets of a name; undefined when the name does not exist. A headless Service without ready endpoints does not
 * exist, while a ClusterIP Service without an address (yet) does.
 */
export function targetsOf(entry: ServiceEntry, name: ServiceName): Target[] | undefined {
  if (entry.form === 'externalName') return undefined;
  if (name.zone) return zonalTargets(entry, name, name.zone);
  if (entry.form === 'headless' || name.endpoint !== undefined) {
    const label = name.cluster === undefined ? name.endpoint : `${name.endpoint}.${name.cluster}`;
    const endpoints = label ? entry.endpoints.filter((endpoint) => endpoint.label === label) : entry.endpoints;
    const targets = endpointTargets(endpoints, name, baseOf(entry));
    return targets.length > 0 ? targets : undefined;
  }
  const owner = baseOf(entry);
  const ports = matchingPorts(entry.ports, name);
  if (ports.length === 0) return undefined;
  return ports.flatMap(({ port }) => entry.addresses.map((address) => ({ address, port, owner })));
}

/** A or AAAA records of a name, each address once. */
export function addressRecords(name: string, type: number, ttl: number, targets: readonly Target[]): ResourceRecord[] {
  const addresses = new Set(targets.map((target) => target.address).filter((address) => familyType(address) === type));
  return [...addresses].map((address) => addressRecord(name, ttl, address));
}

/** The weight of one of several SRV records that share alike: of 100, at least 1. */
export function equalWeight(count: number): number {
  return Math.max(1, Math.floor(100 / count));
}

/**
 * SRV records and the addresses of their targets. The weight is an equal share of 100 over all targets, at least 1;
 * each (target, port) and each address stands once. `weight`: when others share it.
 */
export function serviceRecords(
  name: string,
  ttl: number,
  zone: string,
  targets: readonly Target[],
  weight = equalWeight(targets.length),
): { answers: ResourceRecord[]; additional: ResourceRecord[] } {
  const answers = new Map<string, ResourceRecord>();
  const additional = new Map<string, ResourceRecord>();
  for (const { address, port, owner } of targets) {
    if (port < 0) continue;
    const target = nameBelow(owner, zone);
    const data = { kind: 'srv', priority: 0, weight, port, target } as const;
    answers.set(`${target} ${port}`, makeRecord(name, recordType.SRV, ttl, data));
    additional.set(`${target} ${address}`, addressRecord(target, ttl, address));
  }
  return { answers: [...answers.values()], additional: [...additional.values()] };
}
