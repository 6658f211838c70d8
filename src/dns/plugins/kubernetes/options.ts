/** The options of the kubernetes plugin as the Corefile has them. */
import { type LabelPredicate, parseLabelSelector } from '../../../kube/label-selector.ts';
import type { Directive, Line } from '../../corefile/types.ts';
import { duration, expectArgs, integer, readBlock, refuse } from '../../corefile/values.ts';
import type { PodMode } from '../../records/records.ts';
import { credentialLines, type WritableAccess } from '../credential-lines.ts';
import type { ApiAccess } from '../setup.ts';
import { type Fallthrough, fallthroughOf, isInZone, neverFallThrough, zonesOfWords, zonesOr } from '../zones.ts';

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
  /** Those of `zones` that show a clusterset. */
  readonly multiclusterZones: readonly string[];
  readonly zonal: boolean;
  /** What the Corefile says to no effect, for the log. */
  readonly warnings: readonly string[];
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

function rate(line: Line): number {
  const [text = ''] = expectArgs(line, 1);
  const value = /^[\d.]/.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value < Infinity
    ? value
    : refuse(line, `${line.name} must be a number of at least 0: ${line.args[0]}`);
}

/** Zones of the plugin that are, or lie in, one of those named. */
function multiclusterZones(line: Line, all: readonly string[]): string[] {
  const named = zonesOfWords(line, line.args);
  const foreign = named.find((zone) => !all.includes(zone));
  if (foreign) refuse(line, `kubernetes is not authoritative for the multicluster zone ${foreign} (it has ${all})`);
  return all.filter((zone) => named.some((parent) => isInZone(zone, parent)));
}

/** Sets a switch that takes no argument. */
function flag(line: Line): true {
  expectArgs(line, 0);
  return true;
}

/** Reads the directive. `blockZones`: those of the server block, for a directive without zones. */
export function readKubernetes(directive: Directive, blockZones: readonly string[]): KubernetesOptions {
  const all = zonesOr(directive, directive.args, blockZones);
  const zones = all.filter((zone) => !isReverse(zone));
  if (zones.length === 0) refuse(directive, 'non-reverse zone name must be used');
  const warnings: string[] = [];
  const access: WritableAccess = {};
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
    ...{ startupTimeoutMs: 5000, multiclusterZones: [], zonal: false, warnings },
  };
  readBlock(directive, {
    endpoint(line) {
      const [first, ...more] = expectArgs(line, 1, Infinity);
      access.endpoint = first!;
      if (more.length > 0) warnings.push(`only the first endpoint is used: ${first}`);
    },
    ...credentialLines(access),
    apiserver_qps: (line) => (access.qps = rate(line)),
    apiserver_burst: (line) => (access.burst = integer(line, expectArgs(line, 1)[0], 0)),
    apiserver_max_inflight: (line) => (access.maxInFlight = integer(line, expectArgs(line, 1)[0], 0)),
    namespaces: (line) => (options.namespaces = [...options.namespaces, ...expectArgs(line, 1, Infinity)]),
    namespace_labels(line) {
      options.namespaceLabels = selector(line);
      access.namespaceLabels = line.args.join(' ');
    },
    labels(line) {
      options.labels = selector(line);
      access.labels = line.args.join(' ');
    },
    pods: (line) => (options.pods = podMode(line)),
    endpoint_pod_names: (line) => (options.endpointPodNames = flag(line)),
    ttl: (line) => (options.ttl = integer(line, expectArgs(line, 1)[0], 0, 3600)),
    noendpoints: (line) => (options.noEndpoints = flag(line)),
    fallthrough: (line) => (options.fallthrough = fallthroughOf(line)),
    ignore(line) {
      if (expectArgs(line, 1)[0] !== 'empty_service') refuse(line, `unable to parse ignore value: '${line.args[0]}'`);
      options.ignoreEmptyServices = true;
    },
    startup_timeout: (line) => (options.startupTimeoutMs = duration(line, expectArgs(line, 1)[0])),
    multicluster(line) {
      options.multiclusterZones = multiclusterZones(line, all);
      if (line.args.length === 0) warnings.push('multicluster without zones does nothing');
    },
    zonal: (line) => (options.zonal = flag(line)),
  });
  if (options.namespaces.length > 0 && options.namespaceLabels)
    refuse(directive, 'namespaces and namespace_labels cannot both be set');
  if (options.zonal && options.noEndpoints)
    refuse(directive, 'zonal needs endpoints: it cannot be used with noendpoints');
  if (options.multiclusterZones.length > 0) access.serviceImports = true;
  access.pods = options.pods === 'verified';
  access.endpoints = !options.noEndpoints;
  if (options.endpointPodNames) access.podNames = true;
  if (options.namespaces.length > 0) access.namespaces = options.namespaces;
  return options;
}
