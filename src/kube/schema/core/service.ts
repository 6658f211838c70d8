/** Service: defaults and rules of core/v1. */

import { isIPv4 } from 'node:net';
import { blank } from '../../../base/blank.ts';
import { checkDns1035Label, checkDns1123Label, checkDns1123Subdomain } from '../../../base/names.ts';
import { equalJson } from '../../objects.ts';
import type { Service, ServicePort, ServiceSpec, Unstructured } from '../../types/index.ts';
import { duplicate, type FaultList, forbidden, invalid, report, required } from '../fields.ts';
import { validateLabels } from '../metadata.ts';
import { isCidr } from '../structural/formats.ts';
import { checkIp, checkPort, checkPortOrName, reportIf } from './checks.ts';
import {
  type Change,
  type CoreKind,
  flag,
  int32,
  intOrText,
  list,
  object,
  oneOf,
  or,
  protocol,
  text,
  textMap,
  texts,
} from './kind.ts';

const port = object({ name: text, protocol, port: int32, targetPort: intOrText, nodePort: int32, appProtocol: text }, [
  'port',
]);

const shape = object(
  {
    spec: object({
      type: or(oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'), 'ClusterIP'),
      selector: textMap,
      ports: list(port),
      clusterIP: text,
      clusterIPs: texts,
      ipFamilies: list(oneOf('IPv4', 'IPv6')),
      ipFamilyPolicy: oneOf('SingleStack', 'PreferDualStack', 'RequireDualStack'),
      externalIPs: texts,
      externalName: text,
      externalTrafficPolicy: oneOf('Cluster', 'Local'),
      internalTrafficPolicy: oneOf('Cluster', 'Local'),
      loadBalancerIP: text,
      loadBalancerClass: text,
      loadBalancerSourceRanges: texts,
      allocateLoadBalancerNodePorts: flag,
      publishNotReadyAddresses: flag,
      sessionAffinity: or(oneOf('None', 'ClientIP'), 'None'),
      sessionAffinityConfig: object({ clientIP: object({ timeoutSeconds: int32 }) }),
      healthCheckNodePort: int32,
      trafficDistribution: oneOf('PreferClose', 'PreferSameZone', 'PreferSameNode'),
    }),
  },
  ['spec'],
);

const specOf = (object: Unstructured | undefined) => (object as Service | undefined)?.spec;

/** Seconds that a client sticks to its Pod (core/v1 `DefaultClientIPServiceAffinitySeconds`, 3 hours). */
const affinitySeconds = 10_800;

function withPortDefaults(given: ServicePort): ServicePort {
  return given.targetPort === undefined || given.targetPort === 0 || given.targetPort === ''
    ? { ...blank, ...given, targetPort: given.port }
    : given;
}

function defaults(service: Unstructured, { previous }: Change): Unstructured {
  const spec: ServiceSpec = { ...blank, ...specOf(service)! };
  if (spec.ports) spec.ports = spec.ports.map(withPortDefaults);
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: affinitySeconds } };
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (external) spec.externalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  const before = specOf(previous);
  if (before) {
    dropUnneeded(spec, before);
    keepAllocated(spec, before);
  }
  pairClusterIPs(spec, before);
  return { ...service, spec };
}

/** Fields that were right for the old type go when only the type was changed. */
function dropUnneeded(spec: ServiceSpec, before: ServiceSpec): void {
  if (spec.type === before.type) return;
  const drop = (field: keyof ServiceSpec) => {
    if (equalJson(spec[field], before[field])) delete spec[field];
  };
  if (spec.type === 'ExternalName')
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const)
      drop(field);
  if (spec.type === 'ClusterIP' || spec.type === 'ExternalName') {
    drop('externalTrafficPolicy');
    const nodePorts = new Set(before.ports?.map(({ nodePort }) => nodePort));
    spec.ports = spec.ports?.map((given) => (nodePorts.has(given.nodePort) ? withoutNodePort(given) : given));
  }
  if (spec.type !== 'LoadBalancer')
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass', 'healthCheckNodePort'] as const)
      drop(field);
}

function withoutNodePort({ nodePort: _, ...rest }: ServicePort): ServicePort {
  return rest;
}

/** An update that leaves out what was allocated keeps it: manifests seldom name addresses and node ports. */
function keepAllocated(spec: ServiceSpec, before: ServiceSpec): void {
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    if (!spec.clusterIP && !spec.clusterIPs?.length) {
      spec.clusterIP = before.clusterIP;
      spec.clusterIPs = before.clusterIPs;
    }
    spec.ipFamilies ??= before.ipFamilies;
    spec.ipFamilyPolicy ??= before.ipFamilyPolicy;
  }
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return;
  const allocated = new Map(before.ports?.map((old) => [`${old.protocol}/${old.port}`, old.nodePort]));
  const used = new Set(spec.ports?.map(({ nodePort }) => nodePort));
  spec.ports = spec.ports?.map((given) => {
    const nodePort = given.nodePort || allocated.get(`${given.protocol}/${given.port}`);
    return nodePort && (given.nodePort || !used.has(nodePort)) ? { ...blank, ...given, nodePort } : given;
  });
  if (spec.type === 'LoadBalancer' && before.healthCheckNodePort)
    spec.healthCheckNodePort ||= before.healthCheckNodePort;
}

/** `clusterIP` and `clusterIPs[0]` say the same; who sets one gets both. */
function pairClusterIPs(spec: ServiceSpec, before: ServiceSpec | undefined): void {
  if (spec.clusterIP === '') delete spec.clusterIP;
  if (spec.clusterIPs?.length === 0) delete spec.clusterIPs;
  if (!spec.clusterIP) return;
  const stale =
    before?.clusterIPs !== undefined &&
    spec.clusterIP !== before.clusterIP &&
    equalJson(spec.clusterIPs, before.clusterIPs);
  if (!spec.clusterIPs || stale) spec.clusterIPs = [spec.clusterIP];
}

function validate(service: Unstructured, { previous }: Change, faults: FaultList): void {
  const spec = specOf(service)!;
  validatePorts(spec, faults);
  validateLabels(spec.selector, 'spec.selector', faults);
  validateAddresses(spec, faults);
  validateFamilies(spec, faults);
  byType[spec.type!](spec, faults);
  validateTraffic(spec, faults);
  validateAffinity(spec, faults);
  const before = specOf(previous);
  if (before) validateUpdate(spec, before, faults);
}

function validatePorts(spec: ServiceSpec, faults: FaultList): void {
  const ports = spec.ports ?? [];
  if (ports.length === 0 && spec.clusterIP !== 'None' && spec.type !== 'ExternalName')
    report(faults, required('spec.ports'));
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  ports.forEach((given, i) => {
    const path = `spec.ports[${i}]`;
    if (!given.name && ports.length > 1) report(faults, required(`${path}.name`));
    if (given.name) {
      reportIf(faults, `${path}.name`, given.name, checkDns1123Label(given.name));
      if (names.has(given.name)) report(faults, duplicate(`${path}.name`, given.name));
      names.add(given.name);
    }
    reportIf(faults, `${path}.port`, given.port, checkPort(given.port));
    if (given.port !== given.targetPort)
      reportIf(faults, `${path}.targetPort`, given.targetPort, checkPortOrName(given.targetPort!));
    validateNodePort(spec, given, path, nodePorts, faults);
    const key = `${given.protocol}/${given.port}`;
    if (numbers.has(key)) report(faults, duplicate(path, { port: given.port, protocol: given.protocol }));
    numbers.add(key);
  });
}

function validateNodePort(
  spec: ServiceSpec,
  { nodePort, protocol: transport }: ServicePort,
  path: string,
  seen: Set<string>,
  faults: FaultList,
): void {
  if (!nodePort) return;
  if (spec.type === 'ClusterIP') {
    report(faults, forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    return;
  }
  reportIf(faults, `${path}.nodePort`, nodePort, checkPort(nodePort));
  const key = `${transport}/${nodePort}`;
  if (seen.has(key)) report(faults, duplicate(`${path}.nodePort`, nodePort));
  seen.add(key);
}

function validateAddresses(spec: ServiceSpec, faults: FaultList): void {
  const { clusterIP, clusterIPs = [], externalIPs = [], loadBalancerSourceRanges = [] } = spec;
  if (clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    report(faults, invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'));
  if (clusterIPs.length > 2) report(faults, invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'));
  clusterIPs.forEach((address, i) => {
    const path = `spec.clusterIPs[${i}]`;
    if (address === 'None') {
      if (clusterIPs.length > 1)
        report(faults, invalid(path, address, "must not be set to 'None' along with other values"));
    } else reportIf(faults, path, address, checkIp(address));
  });
  // Loopback addresses are fine here, unlike in a cluster of many machines: this one lives on 127.0.0.0/8.
  externalIPs.forEach((address, i) => {
    reportIf(faults, `spec.externalIPs[${i}]`, address, checkIp(address));
  });
  if (loadBalancerSourceRanges.length > 0 && spec.type !== 'LoadBalancer')
    report(faults, forbidden('spec.LoadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
  loadBalancerSourceRanges.forEach((range, i) => {
    if (!isCidr(range.trim()))
      report(
        faults,
        invalid(
          `spec.loadBalancerSourceRanges[${i}]`,
          range,
          'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        ),
      );
  });
}

function validateFamilies(spec: ServiceSpec, faults: FaultList): void {
  const { ipFamilies = [], clusterIPs = [], ipFamilyPolicy } = spec;
  if (spec.type === 'ExternalName') {
    for (const field of ['ipFamilies', 'ipFamilyPolicy'] as const)
      if (spec[field]?.length) report(faults, forbidden(`spec.${field}`, 'may not be set for ExternalName services'));
    return;
  }
  if (ipFamilies.length > 2) report(faults, invalid('spec.ipFamilies', ipFamilies, 'may only hold up to 2 values'));
  if (ipFamilies.length === 2 && ipFamilies[0] === ipFamilies[1])
    report(faults, duplicate('spec.ipFamilies[1]', ipFamilies[1]));
  if (ipFamilyPolicy === 'SingleStack' && ipFamilies.length > 1)
    report(
      faults,
      invalid(
        'spec.ipFamilyPolicy',
        ipFamilyPolicy,
        "may not be 'SingleStack' when multiple IP families are specified",
      ),
    );
  if (ipFamilyPolicy === 'SingleStack' && clusterIPs.length > 1)
    report(
      faults,
      invalid(
        'spec.ipFamilyPolicy',
        ipFamilyPolicy,
        "may not be 'SingleStack' when multiple 'clusterIPs' are specified",
      ),
    );
  clusterIPs.forEach((address, i) => {
    if (address === 'None' || checkIp(address)) return;
    const family = isIPv4(address) ? 'IPv4' : 'IPv6';
    if (i === 1 && isIPv4(address) === isIPv4(clusterIPs[0]!))
      report(faults, invalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family'));
    else if (ipFamilies[i] && ipFamilies[i] !== family)
      report(
        faults,
        invalid(
          `spec.clusterIPs[${i}]`,
          address,
          `expected an ${ipFamilies[i]} value as indicated by \`ipFamilies[${i}]\``,
        ),
      );
  });
}

const byType: Record<NonNullable<ServiceSpec['type']>, (spec: ServiceSpec, faults: FaultList) => void> = {
  ClusterIP: () => {},
  NodePort: (spec, faults) => refuseHeadless(spec, faults),
  LoadBalancer(spec, faults) {
    refuseHeadless(spec, faults);
    if (spec.loadBalancerIP) reportIf(faults, 'spec.loadBalancerIP', spec.loadBalancerIP, checkIp(spec.loadBalancerIP));
    spec.ports?.forEach(({ port: number }, i) => {
      if (number === 10_250)
        report(
          faults,
          invalid(`spec.ports[${i}]`, number, 'may not expose port 10250 externally since it is used by kubelet'),
        );
    });
  },
  ExternalName(spec, faults) {
    if (spec.clusterIP) report(faults, forbidden('spec.clusterIP', 'may not be set for ExternalName services'));
    else if (spec.clusterIPs) report(faults, forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    // A trailing dot is allowed: the name is absolute either way.
    const name = spec.externalName?.replace(/\.$/, '');
    if (!name) report(faults, required('spec.externalName'));
    else reportIf(faults, 'spec.externalName', spec.externalName, checkDns1123Subdomain(name));
  },
};

function refuseHeadless(spec: ServiceSpec, faults: FaultList): void {
  if (spec.clusterIP === 'None')
    report(faults, invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
}

function validateTraffic(spec: ServiceSpec, faults: FaultList): void {
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (spec.externalTrafficPolicy && !external && !spec.externalIPs?.length)
    report(
      faults,
      invalid(
        'spec.externalTrafficPolicy',
        spec.externalTrafficPolicy,
        'may only be set for externally-accessible services',
      ),
    );
  const health = spec.healthCheckNodePort ?? 0;
  if (health !== 0 && !(spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'))
    report(
      faults,
      invalid(
        'spec.healthCheckNodePort',
        health,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  else if (health < 0)
    report(faults, invalid('spec.healthCheckNodePort', health, 'must be greater than or equal to 0'));
  if (spec.type === 'LoadBalancer') return;
  if (spec.loadBalancerClass)
    report(faults, forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"));
  if (spec.allocateLoadBalancerNodePorts !== undefined)
    report(faults, forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
}

function validateAffinity(spec: ServiceSpec, faults: FaultList): void {
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity === 'ClientIP' && seconds !== undefined && (seconds <= 0 || seconds > 86_400))
    report(
      faults,
      invalid(
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
        seconds,
        'must be greater than 0 and less than 86400',
      ),
    );
}

/** Cluster addresses stay; a second one may come or go when the family policy changes. */
function validateUpdate(spec: ServiceSpec, before: ServiceSpec, faults: FaultList): void {
  if (spec.type === 'ExternalName' || before.type === 'ExternalName') return;
  const [old, now] = [before.clusterIPs ?? [], spec.clusterIPs ?? []];
  if (old[0] && old[0] !== now[0]) report(faults, invalid('spec.clusterIPs[0]', now, 'may not change once set'));
  if (old[1] && now[1] && old[1] !== now[1])
    report(faults, invalid('spec.clusterIPs[1]', now, 'may not change once set'));
  if (
    before.type === 'LoadBalancer' &&
    spec.type === 'LoadBalancer' &&
    spec.loadBalancerClass !== before.loadBalancerClass
  )
    report(faults, invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'));
}

export const service: CoreKind = { shape, checkName: checkDns1035Label, defaults, validate };
