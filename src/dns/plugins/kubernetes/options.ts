/** The options of the kubernetes plugin as the Corefile has them. */
import { type LabelPredicate, parseLabelSelector } from '../../../kube/label-selector.ts';
import type { Directive, Line } from '../../corefile/types.ts';
import { duration, expectArgs, integer, readBlock, refuse } from '../../corefile/values.ts';
import type { PodMode } from '../../records/records.ts';
import type { ApiAccess } from '../setup.ts';
import { type Fallthrough, fallthroughOf, neverFallThrough, zonesOr } from '../zones.ts';

export type LabelTest = LabelPredicate;

export interface KubernetesOptions {
  /** Forward zones, the primary one first, and reverse zones; canonical. */
  readonly zones: readonly string[];
  readonly reverseZones: readonly string[];
  readonly access: ApiAccess;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly namespaceLabels?: LabelTest;
  readonly labels?: LabelTest;
  readonly pods: PodMode;
  readonly endpointPodNames: boolean;
  /** Seconds. */
  readonly ttl: number;
  readonly noEndpoints: boolean;
  readonly fallthrough: Fallthrough;
  readonly ignoreEmptyServices: boolean;
  readonly startupTimeoutMs: number;
}

const reverseEnds = ['in-addr.arpa.', 'ip6.arpa.'];
const isReverse = (zone: string): boolean => reverseEnds.some((end) => zone === end || zone.endsWith(`.${end}`));
const podModes: readonly PodMode[] = ['disabled', 'insecure', 'verified'];

function selector(line: Line): LabelTest {
  const parsed = parseLabelSelector(expectArgs(line, 1, Infinity).join(' '));
  if (!parsed.ok) refuse(line, `${line.name}: ${parsed.error}`);
  return parsed.value;
}

function podMode(line: Line): PodMode {
  const mode = podModes.find((known) => known === expectArgs(line, 1)[0]);
  return mode ?? refuse(line, `pods must be one of ${podModes.join(', ')}: ${line.args[0]}`);
}

function limit(line: Line): number {
  const value = Number(expectArgs(line, 1)[0]);
  return value >= 0 ? value : refuse(line, `${line.name} must be a number of at least 0: ${line.args[0]}`);
}

function notServed(line: Line): never {
  return refuse(line, `kubernetes: the option '${line.name}' is not supported by Fairway`);
}

/** Reads the directive. `blockZones`: those of the server block, for a directive without zones. */
export function readKubernetes(directive: Directive, blockZones: readonly string[]): KubernetesOptions {
  const all = zonesOr(directive, directive.args, blockZones);
  const zones = all.filter((zone) => !isReverse(zone));
  if (zones.length === 0) refuse(directive, 'non-reverse zone name must be used');
  const access: { -readonly [K in keyof ApiAccess]: ApiAccess[K] } = {};
  const options: { -readonly [K in keyof KubernetesOptions]: KubernetesOptions[K] } = {
    ...{
      zones,
      reverseZones: all.filter(isReverse),
      access,
      namespaces: [],
      pods: 'disabled',
      endpointPodNames: false,
    },
    ...{ ttl: 5, noEndpoints: false, fallthrough: neverFallThrough, ignoreEmptyServices: false },
    startupTimeoutMs: 5000,
  };
  readBlock(directive, {
    endpoint: (line) => (access.endpoint = expectArgs(line, 1, Infinity)[0]!),
    tls(line) {
      const [cert, key, ca] = expectArgs(line, 3) as [string, string, string];
      access.tls = { cert, key, ca };
    },
    kubeconfig(line) {
      const [file, context] = expectArgs(line, 1, 2) as [string, string | undefined];
      access.kubeconfig = { file, ...(context !== undefined && { context }) };
    },
    // Checked and without effect: see the page of the plugin.
    apiserver_qps: limit,
    apiserver_burst: limit,
    apiserver_max_inflight: limit,
    namespaces: (line) => (options.namespaces = [...options.namespaces, ...expectArgs(line, 1, Infinity)]),
    namespace_labels: (line) => (options.namespaceLabels = selector(line)),
    labels: (line) => (options.labels = selector(line)),
    pods: (line) => (options.pods = podMode(line)),
    endpoint_pod_names(line) {
      expectArgs(line, 0);
      options.endpointPodNames = true;
    },
    ttl: (line) => (options.ttl = integer(line, expectArgs(line, 1)[0], 0, 3600)),
    noendpoints(line) {
      expectArgs(line, 0);
      options.noEndpoints = true;
    },
    fallthrough: (line) => (options.fallthrough = fallthroughOf(line)),
    ignore(line) {
      if (expectArgs(line, 1)[0] !== 'empty_service') refuse(line, `unable to parse ignore value: '${line.args[0]}'`);
      options.ignoreEmptyServices = true;
    },
    startup_timeout: (line) => (options.startupTimeoutMs = duration(line, expectArgs(line, 1)[0])),
    multicluster: notServed,
    zonal: notServed,
  });
  if (options.namespaces.length > 0 && options.namespaceLabels)
    refuse(directive, 'namespaces and namespace_labels cannot both be set');
  access.pods = options.pods === 'verified';
  access.endpoints = !options.noEndpoints;
  return options;
}
