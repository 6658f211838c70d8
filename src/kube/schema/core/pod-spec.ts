/** Rules of PodSpec: containers, ports, names, DNS (core/v1 `ValidatePodSpec`). */
import { blank } from '../../../base/blank.ts';
import { checkDns1123Label, checkDns1123Subdomain } from '../../../base/names.ts';
import type { Container, PodDNSConfig, PodSpec } from '../../types/index.ts';
import { duplicate, type FaultList, forbidden, invalid, notFound, report, required } from '../fields.ts';
import { validateLabels } from '../metadata.ts';
import { checkQualifiedName } from '../names.ts';
import { checkIp, checkNonNegative, checkPort, checkPortName, checkPortOrName, reportIf } from './checks.ts';

/** `:latest` and no tag at all are pulled each time, everything else once. */
function pullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  return colon < 0 || name.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}

function withContainerDefaults(container: Container, hostNetwork: boolean): Container {
  const pulled = !container.image || container.imagePullPolicy !== undefined;
  if (pulled && !(hostNetwork && container.ports)) return container;
  const result: Container = { ...blank, ...container };
  if (!pulled) result.imagePullPolicy = pullPolicy(container.image!);
  if (hostNetwork && container.ports)
    result.ports = container.ports.map((port) => ({ ...port, hostPort: port.hostPort || port.containerPort }));
  return result;
}

/**
 * A template's spec is that of its workload, of the workload's ReplicaSet and of every Pod, and specs are never changed
 * in place: what was worked out for one holds for all of them.
 */
const complete = new WeakMap<PodSpec, PodSpec>();

/** Defaults of a Pod's spec that depend on other fields. */
export function withPodDefaults(spec: PodSpec): PodSpec {
  const known = complete.get(spec);
  if (known) return known;
  const filled = fillIn(spec);
  complete.set(spec, filled);
  complete.set(filled, filled);
  return filled;
}

function fillIn(spec: PodSpec): PodSpec {
  const hostNetwork = spec.hostNetwork === true;
  const fill = (container: Container) => withContainerDefaults(container, hostNetwork);
  return {
    ...blank,
    ...spec,
    containers: spec.containers.map(fill),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(fill) }),
  };
}

/** Specs without a fault, for the same reason. */
const faultless = new WeakSet<PodSpec>();

export function validatePodSpec(spec: PodSpec, path: string, faults: FaultList): void {
  if (faultless.has(spec)) return;
  const before = faults.errors.length;
  judgePodSpec(spec, path, faults);
  if (before === 0 && faults.errors.length === 0) faultless.add(spec);
}

function judgePodSpec(spec: PodSpec, path: string, faults: FaultList): void {
  validateContainers(spec, path, faults);
  validateVolumes(spec, path, faults);
  validateDns(spec, `${path}.dnsConfig`, faults);
  validatePodNames(spec, path, faults);
  const { terminationGracePeriodSeconds: grace = 0, activeDeadlineSeconds: deadline, readinessGates = [] } = spec;
  reportIf(faults, `${path}.terminationGracePeriodSeconds`, grace, checkNonNegative(grace));
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2 ** 31 - 1))
    report(faults, invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'));
  readinessGates.forEach(({ conditionType }, i) => {
    reportIf(faults, `${path}.readinessGates[${i}].conditionType`, conditionType, checkQualifiedName(conditionType));
  });
}

function validatePodNames(spec: PodSpec, path: string, faults: FaultList): void {
  for (const field of ['hostname', 'subdomain'] as const)
    if (spec[field]) reportIf(faults, `${path}.${field}`, spec[field], checkDns1123Label(spec[field]));
  for (const field of ['nodeName', 'serviceAccountName', 'priorityClassName'] as const) {
    const name = spec[field] as string | undefined;
    if (name) reportIf(faults, `${path}.${field}`, name, checkDns1123Subdomain(name));
  }
  validateLabels(spec.nodeSelector as Record<string, string> | undefined, `${path}.nodeSelector`, faults);
  const aliases = (spec.hostAliases ?? []) as { ip: string; hostnames?: string[] }[];
  aliases.forEach(({ ip, hostnames = [] }, i) => {
    reportIf(faults, `${path}.hostAliases[${i}].ip`, ip, checkIp(ip));
    for (const name of hostnames)
      reportIf(faults, `${path}.hostAliases[${i}].hostnames`, name, checkDns1123Subdomain(name));
  });
}

function validateContainers(spec: PodSpec, path: string, faults: FaultList): void {
  if (spec.containers.length === 0) report(faults, required(`${path}.containers`));
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  const validateAll = (containers: readonly Container[], at: string) => {
    containers.forEach((container, i) => {
      validateContainer(container, `${at}[${i}]`, names, faults);
      validatePorts(container, spec.hostNetwork === true, `${at}[${i}].ports`, hostPorts, faults);
    });
  };
  validateAll(spec.containers, `${path}.containers`);
  // Init containers run one after the other, so each may have the host ports of another.
  for (const [i, container] of (spec.initContainers ?? []).entries()) {
    validateContainer(container, `${path}.initContainers[${i}]`, names, faults);
    validatePorts(container, spec.hostNetwork === true, `${path}.initContainers[${i}].ports`, new Set(), faults);
  }
}

function validateContainer(container: Container, path: string, names: Set<string>, faults: FaultList): void {
  const { name, image } = container;
  if (!name) report(faults, required(`${path}.name`));
  else reportIf(faults, `${path}.name`, name, checkDns1123Label(name));
  if (name && names.has(name)) report(faults, duplicate(`${path}.name`, name));
  names.add(name);
  if (!image?.trim()) report(faults, required(`${path}.image`));
  else if (image !== image.trim())
    report(faults, invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  container.env?.forEach((variable, i) => {
    validateEnv(variable, `${path}.env[${i}]`, faults);
  });
  validateMounts(container, path, faults);
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    validateProbe(container[probe] as Probe | undefined, probe, path, faults);
}

const ENV_NAME = /^[ -<>-~]+$/;

function validateEnv(
  variable: { name: string; value?: string; valueFrom?: unknown },
  path: string,
  faults: FaultList,
): void {
  if (variable.name === '') report(faults, required(`${path}.name`));
  else if (!ENV_NAME.test(variable.name))
    report(
      faults,
      invalid(
        `${path}.name`,
        variable.name,
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ),
    );
  if (variable.valueFrom === undefined) return;
  const sources = Object.keys(variable.valueFrom as object).length;
  if (variable.value)
    report(faults, invalid(`${path}.valueFrom`, '', 'may not be specified when `value` is not empty'));
  else if (sources === 0)
    report(
      faults,
      invalid(
        `${path}.valueFrom`,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  else if (sources > 1)
    report(faults, invalid(`${path}.valueFrom`, '', 'may not have more than one field specified at a time'));
}

function validatePorts(
  container: Container,
  hostNetwork: boolean,
  path: string,
  hostPorts: Set<string>,
  faults: FaultList,
): void {
  const names = new Set<string>();
  container.ports?.forEach((port, i) => {
    const at = `${path}[${i}]`;
    if (port.name) {
      reportIf(faults, `${at}.name`, port.name, checkPortName(port.name));
      if (names.has(port.name)) report(faults, duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (port.containerPort === 0) report(faults, required(`${at}.containerPort`));
    else reportIf(faults, `${at}.containerPort`, port.containerPort, checkPort(port.containerPort));
    if (!port.hostPort) return;
    reportIf(faults, `${at}.hostPort`, port.hostPort, checkPort(port.hostPort));
    if (hostNetwork && port.hostPort !== port.containerPort)
      report(
        faults,
        invalid(`${at}.containerPort`, port.containerPort, 'must match `hostPort` when `hostNetwork` is true'),
      );
    const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
    if (hostPorts.has(key))
      report(faults, duplicate(`${at}.hostPort`, `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`));
    hostPorts.add(key);
  });
}

function validateMounts(container: Container, path: string, faults: FaultList): void {
  const paths = new Set<string>();
  const mounts = (container.volumeMounts ?? []) as { name: string; mountPath: string }[];
  mounts.forEach(({ name, mountPath }, i) => {
    if (!name) report(faults, required(`${path}.volumeMounts[${i}].name`));
    if (!mountPath) report(faults, required(`${path}.volumeMounts[${i}].mountPath`));
    else if (paths.has(mountPath))
      report(faults, invalid(`${path}.volumeMounts[${i}].mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
  });
}

function validateVolumes(spec: PodSpec, path: string, faults: FaultList): void {
  const volumes = (spec.volumes ?? []) as { name: string }[];
  const names = new Set<string>();
  volumes.forEach(({ name }, i) => {
    reportIf(faults, `${path}.volumes[${i}].name`, name, checkDns1123Label(name));
    if (names.has(name)) report(faults, duplicate(`${path}.volumes[${i}].name`, name));
    names.add(name);
  });
  const lists = { containers: spec.containers, initContainers: spec.initContainers ?? [] };
  for (const [field, containers] of Object.entries(lists))
    containers.forEach((container, i) => {
      const mounts = (container.volumeMounts ?? []) as { name: string }[];
      mounts.forEach(({ name }, at) => {
        if (name && !names.has(name)) report(faults, notFound(`${path}.${field}[${i}].volumeMounts[${at}].name`, name));
      });
    });
}

interface Probe {
  httpGet?: { port: number | string };
  tcpSocket?: { port: number | string };
  exec?: object;
  grpc?: { port: number };
  [field: string]: unknown;
}

function validateProbe(probe: Probe | undefined, name: string, path: string, faults: FaultList): void {
  if (!probe) return;
  const at = `${path}.${name}`;
  const given = (['exec', 'httpGet', 'tcpSocket', 'grpc'] as const).filter((handler) => probe[handler] !== undefined);
  if (given.length === 0) report(faults, required(at, 'must specify a handler type'));
  for (const extra of given.slice(1))
    report(faults, forbidden(`${at}.${extra}`, 'may not specify more than 1 handler type'));
  for (const handler of ['httpGet', 'tcpSocket', 'grpc'] as const) {
    const port = probe[handler]?.port;
    if (port !== undefined) reportIf(faults, `${at}.${handler}.port`, port, checkPortOrName(port));
  }
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]) {
    const value = probe[field] as number | undefined;
    if (value !== undefined) reportIf(faults, `${at}.${field}`, value, checkNonNegative(value));
  }
  if (name !== 'readinessProbe' && (probe.successThreshold as number) > 1)
    report(faults, invalid(`${at}.successThreshold`, probe.successThreshold, 'must be 1'));
}

/** Limits of the API (core/v1 `MaxDNS…`); the kubelet's own are not stricter. */
const dnsLimits = { nameservers: 3, searches: 32, searchChars: 2048 };

function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: string, faults: FaultList): void {
  if (dnsPolicy === 'None' && !dnsConfig) {
    report(faults, required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    return;
  }
  if (dnsPolicy === 'None' && !dnsConfig?.nameservers?.length) {
    report(
      faults,
      required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    );
    return;
  }
  if (dnsConfig) validateDnsConfig(dnsConfig, path, faults);
}

function validateDnsConfig(
  { nameservers = [], searches = [], options = [] }: PodDNSConfig,
  path: string,
  faults: FaultList,
): void {
  if (nameservers.length > dnsLimits.nameservers)
    report(
      faults,
      invalid(`${path}.nameservers`, nameservers, `must not have more than ${dnsLimits.nameservers} nameservers`),
    );
  nameservers.forEach((address, i) => {
    reportIf(faults, `${path}.nameservers[${i}]`, address, checkIp(address));
  });
  if (searches.length > dnsLimits.searches)
    report(faults, invalid(`${path}.searches`, searches, `must not have more than ${dnsLimits.searches} search paths`));
  if (searches.join(' ').length > dnsLimits.searchChars)
    report(
      faults,
      invalid(
        `${path}.searches`,
        searches,
        `must not have more than ${dnsLimits.searchChars} characters (including spaces) in the search list`,
      ),
    );
  searches.forEach((search, i) => {
    reportIf(faults, `${path}.searches[${i}]`, search, checkSearch(search));
  });
  options.forEach(({ name }, i) => {
    if (!name) report(faults, required(`${path}.options[${i}]`, 'must not be empty'));
  });
}

/** A search domain: names with underscores and the root `.` are fine (RelaxedDNSSearchValidation, on since 1.33). */
function checkSearch(search: string): string | undefined {
  if (search === '.') return undefined;
  return checkDns1123Subdomain(search.replace(/\.$/, '').replaceAll('_', 'x'));
}
