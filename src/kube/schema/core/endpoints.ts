/** EndpointSlice (discovery.k8s.io/v1) and Endpoints (v1). */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { checkDns1123Label, checkDns1123Subdomain } from '../../../base/names.ts';
import type { EndpointSlice, Endpoints, SliceEndpoint, SlicePort, Unstructured } from '../../types/index.ts';
import { duplicate, type FaultList, report, required, tooMany } from '../fields.ts';
import { checkQualifiedName } from '../names.ts';
import { checkIp, checkPort, reportIf, reportImmutable } from './checks.ts';
import { type CoreKind, flag, int32, list, object, oneOf, or, protocol, text, textMap, texts } from './kind.ts';

/** Limits of discovery.k8s.io/v1. */
const limits = { endpoints: 1000, addresses: 100, ports: 20_000 };

const targetRef = object({ kind: text, namespace: text, name: text, uid: text });
const endpoint = object(
  {
    addresses: texts,
    conditions: or(object({ ready: flag, serving: flag, terminating: flag }), {}),
    hostname: text,
    nodeName: text,
    zone: text,
    targetRef,
    deprecatedTopology: textMap,
    hints: object({ forZones: list(object({ name: text }, ['name'])) }),
  },
  ['addresses'],
);

const sliceShape = object(
  {
    addressType: oneOf('IPv4', 'IPv6', 'FQDN'),
    endpoints: or(list(endpoint), []),
    ports: list(object({ name: or(text, ''), protocol, port: int32, appProtocol: text })),
  },
  ['addressType'],
);

/**
 * Ranges that a real API server refuses as endpoints, but for loopback: the Pods of this cluster have addresses in
 * 127.0.0.0/8, so that one machine can hold them all.
 */
function checkEndpointRange(address: string): string | undefined {
  const range = ipaddr.parse(address).range();
  if (range === 'unspecified') return `may not be unspecified (${address})`;
  if (range === 'linkLocal') return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  if (range === 'multicast' && /^(224\.0\.0\.|ff.2:)/i.test(address))
    return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  return undefined;
}

function checkEndpointIp(address: string): string | undefined {
  return checkIp(address) ?? checkEndpointRange(address);
}

const addressChecks: Record<EndpointSlice['addressType'], (address: string) => string | undefined> = {
  IPv4: (address) => (isIPv4(address) ? checkEndpointRange(address) : 'must be an IPv4 address'),
  IPv6: (address) =>
    isIPv6(address) && !address.includes('%') ? checkEndpointRange(address) : 'must be an IPv6 address',
  FQDN: (address) => checkDns1123Subdomain(address.replace(/\.$/, '')),
};

function validateSlice(given: Unstructured, previous: Unstructured | undefined, faults: FaultList): void {
  const slice = given as unknown as EndpointSlice;
  const before = previous as unknown as EndpointSlice | undefined;
  if (before && before.addressType !== slice.addressType) reportImmutable(faults, 'addressType', slice.addressType);
  if (slice.endpoints.length > limits.endpoints) {
    report(faults, tooMany('endpoints', slice.endpoints.length, limits.endpoints));
    return;
  }
  slice.endpoints.forEach((each, i) => {
    validateEndpoint(each, slice.addressType, `endpoints[${i}]`, faults);
  });
  validatePorts(slice.ports ?? [], faults);
}

function validateEndpoint(
  { addresses, hostname, nodeName, hints }: SliceEndpoint,
  type: EndpointSlice['addressType'],
  path: string,
  faults: FaultList,
): void {
  if (addresses.length === 0) report(faults, required(`${path}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > limits.addresses)
    report(faults, tooMany(`${path}.addresses`, addresses.length, limits.addresses));
  else
    addresses.forEach((address, i) => {
      reportIf(faults, `${path}.addresses[${i}]`, address, addressChecks[type](address));
    });
  if (hostname) reportIf(faults, `${path}.hostname`, hostname, checkDns1123Label(hostname));
  if (nodeName) reportIf(faults, `${path}.nodeName`, nodeName, checkDns1123Subdomain(nodeName));
  if ((hints?.forZones?.length ?? 0) > 8) report(faults, tooMany(`${path}.hints.forZones`, hints!.forZones!.length, 8));
}

function validatePorts(ports: readonly SlicePort[], faults: FaultList): void {
  if (ports.length > limits.ports) {
    report(faults, tooMany('ports', ports.length, limits.ports));
    return;
  }
  const names = new Set<string>();
  ports.forEach(({ name = '', port, appProtocol }, i) => {
    const path = `ports[${i}]`;
    if (name) reportIf(faults, `${path}.name`, name, checkDns1123Label(name));
    if (names.has(name)) report(faults, duplicate(`${path}.name`, name));
    names.add(name);
    if (port !== undefined) reportIf(faults, `${path}.port`, port, checkPort(port));
    if (appProtocol) reportIf(faults, `${path}.appProtocol`, appProtocol, checkQualifiedName(appProtocol));
  });
}

export const endpointSlice: CoreKind = {
  shape: sliceShape,
  validate: (given, { previous }, faults) => validateSlice(given, previous, faults),
};

type Subset = NonNullable<Endpoints['subsets']>[number];
type SubsetAddress = NonNullable<Subset['addresses']>[number];

const subsetAddress = object({ ip: text, hostname: text, nodeName: text, targetRef }, ['ip']);
const endpointsShape = object({
  subsets: list(
    object({
      addresses: list(subsetAddress),
      notReadyAddresses: list(subsetAddress),
      ports: list(object({ name: text, port: int32, protocol, appProtocol: text }, ['port'])),
    }),
  ),
});

function validateSubset(subset: Subset, path: string, faults: FaultList): void {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0)
    report(faults, required(path, 'must specify `addresses` or `notReadyAddresses`'));
  const validateAddress = ({ ip, hostname, nodeName }: SubsetAddress, at: string) => {
    reportIf(faults, `${at}.ip`, ip, checkEndpointIp(ip));
    if (hostname) reportIf(faults, `${at}.hostname`, hostname, checkDns1123Label(hostname));
    if (nodeName) reportIf(faults, `${at}.nodeName`, nodeName, checkDns1123Subdomain(nodeName));
  };
  for (const [i, address] of addresses.entries()) validateAddress(address, `${path}.addresses[${i}]`);
  for (const [i, address] of notReadyAddresses.entries()) validateAddress(address, `${path}.notReadyAddresses[${i}]`);
  ports.forEach(({ name, port }, i) => {
    const at = `${path}.ports[${i}]`;
    if (!name && ports.length > 1) report(faults, required(`${at}.name`));
    if (name) reportIf(faults, `${at}.name`, name, checkDns1123Label(name));
    reportIf(faults, `${at}.port`, port, checkPort(port));
  });
}

export const endpoints: CoreKind = {
  shape: endpointsShape,
  validate(given, _change, faults) {
    for (const [i, subset] of ((given.subsets ?? []) as Subset[]).entries())
      validateSubset(subset, `subsets[${i}]`, faults);
  },
};
