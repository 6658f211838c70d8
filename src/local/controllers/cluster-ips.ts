/** ClusterIPs and IP families of Services (the API server's `initIPFamilyFields` and allocators). */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import { canonicalIp, parseIp } from '../../base/ip.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import type { IPFamily, Service, ServiceSpec } from '../../kube/types/index.ts';
import type { ClusterConfig } from '../config.ts';
import type { Allotment, Allotted } from './allotment.ts';
import { requestedAddressesAnnotation } from './foreign-addresses.ts';
import { createPool4, createPool6, type Pool } from './pool.ts';

export interface ClusterIps extends Allotment {
  /** The spec with its address fields filled. */
  apply(service: Service, spec: ServiceSpec): Allotted;
}

const other: Record<IPFamily, IPFamily> = { IPv4: 'IPv6', IPv6: 'IPv4' };

export function isHeadless(spec: ServiceSpec): boolean {
  return spec.type !== 'ExternalName' && (spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None');
}

/** Addresses that a spec names, by position; `clusterIP` counts for the first where both fields differ. */
function wishesOf(spec: ServiceSpec): string[] {
  if (isHeadless(spec)) return [];
  const wishes = [...(spec.clusterIPs ?? [])];
  if (spec.clusterIP) wishes[0] = spec.clusterIP;
  return wishes.map((wish) => (wish ? (canonicalIp(wish) ?? wish) : ''));
}

function policyOf(spec: ServiceSpec): NonNullable<ServiceSpec['ipFamilyPolicy']> {
  if (spec.ipFamilyPolicy) return spec.ipFamilyPolicy;
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) return 'RequireDualStack';
  return (spec.ipFamilies?.length ?? 0) > 1 || wishesOf(spec).length > 1 ? 'RequireDualStack' : 'SingleStack';
}

/** Families in order: as asked for, else as the addresses asked for have, else IPv4; both for dual stack. */
export function familiesOf(spec: ServiceSpec): IPFamily[] {
  const wished = wishesOf(spec).flatMap((wish): IPFamily[] => {
    const address = parseIp(wish);
    return address ? [address.version === 4 ? 'IPv4' : 'IPv6'] : [];
  });
  const asked = spec.ipFamilies?.length ? spec.ipFamilies : wished;
  const first = asked[0] ?? 'IPv4';
  return policyOf(spec) === 'SingleStack' ? [first] : [first, other[first]];
}

export function createClusterIps(config: ClusterConfig): ClusterIps {
  const pools: Record<IPFamily, Pool<string>> = {
    IPv4: createPool4(config.servicePrefix),
    IPv6: createPool6(config.servicePrefix6),
  };
  const standing = new Map([
    ['default/kubernetes', config.apiServiceAddress],
    ['kube-system/kube-dns', config.dnsAddress],
  ]);
  for (const [owner, address] of standing) pools.IPv4.claim(owner, address);

  function familiesNeeded(service: Service): IPFamily[] {
    const { spec } = service;
    return spec.type === 'ExternalName' || isHeadless(spec) ? [] : familiesOf(spec);
  }

  function refusal(service: Service, index: number, wish: string, given: string | undefined): Diagnostic[] {
    if (!given) {
      const message = 'has no address: the range is used up';
      return [diagnostic('FW1511', { message, object: refOf(service), fieldPath: 'spec.clusterIP' })];
    }
    if (!wish || wish === given) return [];
    const family = familiesOf(service.spec)[index]!;
    const owner = pools[family].ownerOf(wish);
    const reason = owner ? `belongs to Service ${owner}` : `is not in the ${family} Service range of this cluster`;
    const fieldPath = service.spec.clusterIPs?.[index] ? `spec.clusterIPs[${index}]` : 'spec.clusterIP';
    return [
      diagnostic('FW1502', {
        message: `${wish} ${reason}; ${given} was assigned`,
        object: refOf(service),
        fieldPath,
      }),
    ];
  }

  /** What `admitForeignAddresses` has set aside. */
  function foreignWishes(service: Service): Diagnostic[] {
    const wishes = service.metadata.annotations?.[requestedAddressesAnnotation];
    if (!wishes) return [];
    const message = `${wishes} is not in the Service range of this cluster (${config.servicePrefix}.0.0/16); another address was assigned`;
    return [diagnostic('FW1502', { message, object: refOf(service), fieldPath: 'spec.clusterIP' })];
  }

  function withoutAddresses(spec: ServiceSpec): ServiceSpec {
    const { clusterIP: _a, clusterIPs: _b, ipFamilies: _c, ipFamilyPolicy: _d, ...rest } = spec;
    return rest;
  }

  return {
    claim(service) {
      const key = keyOf(service);
      const families = familiesNeeded(service);
      for (const family of ['IPv4', 'IPv6'] as const) if (!families.includes(family)) pools[family].release(key);
      const wishes = wishesOf(service.spec);
      families.forEach((family, index) => {
        const wish = wishes[index];
        if (wish) pools[family].claim(key, wish);
      });
    },
    allocate(service) {
      for (const family of familiesNeeded(service)) {
        const key = keyOf(service);
        const kept = family === 'IPv4' ? standing.get(key) : undefined;
        if (kept && !pools.IPv4.itemOf(key)) pools.IPv4.claim(key, kept);
        pools[family].allocate(key);
      }
    },
    release(key) {
      for (const pool of Object.values(pools)) pool.release(key);
    },
    apply(service, spec) {
      if (spec.type === 'ExternalName') return { spec: withoutAddresses(spec), findings: [] };
      const families = familiesOf(spec);
      const shape = { ...spec, ipFamilies: families, ipFamilyPolicy: policyOf(spec) };
      if (isHeadless(spec)) return { spec: { ...shape, clusterIP: 'None', clusterIPs: ['None'] }, findings: [] };
      const wishes = wishesOf(spec);
      const given = families.map((family) => pools[family].itemOf(keyOf(service)));
      const findings = [
        ...given.flatMap((address, index) => refusal(service, index, wishes[index] ?? '', address)),
        ...foreignWishes(service),
      ];
      const clusterIPs = given.filter((address) => address !== undefined);
      const [clusterIP] = clusterIPs;
      const { clusterIP: _a, clusterIPs: _b, ...rest } = shape;
      return { spec: { ...rest, ...(clusterIP && { clusterIP, clusterIPs }) }, findings };
    },
  };
}
