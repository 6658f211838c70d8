/** Matching addresses of Services to resource records. */
import type { ResourceRecord } from '../wire/message.ts';
import { recordType } from '../wire/numbers.ts';
import { addressRecord, familyType, makeRecord } from '../wire/records.ts';
import type { ClusterName } from './cluster-name.ts';
import type { ServiceEntry } from './entry.ts';

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

/**
 * The targets of a name; undefined when the name does not exist. A headless Service without ready endpoints does not
 * exist, while a ClusterIP Service without an address (yet) does.
 */
export function targetsOf(entry: ServiceEntry, name: ServiceName): Target[] | undefined {
  const base = `${entry.name}.${entry.namespace}.svc`;
  if (entry.form === 'externalName') return undefined;
  if (entry.form === 'headless' || name.endpoint !== undefined) {
    const targets = entry.endpoints
      .filter((endpoint) => matches(name.endpoint, endpoint.label))
      .flatMap(({ address, label, ports }) =>
        ports
          .filter((p) => matches(name.port, p.name) && matches(name.protocol, p.protocol))
          .map(({ port }) => ({
            address,
            port,
            owner: `${label}.${base}`,
          })),
      );
    return targets.length > 0 ? targets : undefined;
  }
  const ports = entry.ports.filter((p) => matches(name.port, p.name) && matches(name.protocol, p.protocol));
  if (ports.length === 0) return undefined;
  return ports.flatMap(({ port }) => entry.addresses.map((address) => ({ address, port, owner: base })));
}

/** A or AAAA records of a name, each address once. */
export function addressRecords(name: string, type: number, ttl: number, targets: readonly Target[]): ResourceRecord[] {
  const addresses = new Set(targets.map((target) => target.address).filter((address) => familyType(address) === type));
  return [...addresses].map((address) => addressRecord(name, ttl, address));
}

/**
 * SRV records and the addresses of their targets. The weight is an equal share of 100 over all targets, at least 1;
 * each (target, port) and each address stands once. `zone` ends with a dot.
 */
export function serviceRecords(
  name: string,
  ttl: number,
  zone: string,
  targets: readonly Target[],
): { answers: ResourceRecord[]; additional: ResourceRecord[] } {
  const weight = Math.max(1, Math.floor(100 / targets.length));
  const answers = new Map<string, ResourceRecord>();
  const additional = new Map<string, ResourceRecord>();
  for (const { address, port, owner } of targets) {
    if (port < 0) continue;
    const target = `${owner}.${zone}`;
    const data = { kind: 'srv', priority: 0, weight, port, target } as const;
    answers.set(`${target} ${port}`, makeRecord(name, recordType.SRV, ttl, data));
    additional.set(`${target} ${address}`, addressRecord(target, ttl, address));
  }
  return { answers: [...answers.values()], additional: [...additional.values()] };
}
