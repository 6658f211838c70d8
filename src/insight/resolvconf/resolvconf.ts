/**
 * The resolv.conf that a Pod gets: the kubelet's algorithm (kubernetes pkg/kubelet/network/dns, GetPodDNS), with the
 * reason of every entry.
 */
import { type Diagnostic, diagnostic, type ObjectRef } from '../../base/diagnostics/index.ts';
import type { DNSPolicy, Pod, PodDNSConfig, PodSpec } from '../../kube/types/index.ts';
import { limitNameservers, limitSearches } from './limits.ts';
import { parseNodeResolvConf } from './node.ts';

export interface ResolvConfInput {
  pod: { namespace: string; name: string; spec: Pick<PodSpec, 'dnsPolicy' | 'dnsConfig' | 'hostNetwork'> };
  /** The file behind the kubelet's --resolv-conf; undefined when that is set to "" (no DNS from the node). */
  nodeResolvConf: string | undefined;
  /** The kubelet's clusterDNS. */
  clusterDNS: readonly string[];
  /** The kubelet's clusterDomain; '' when it has none. */
  clusterDomain: string;
  /** Addresses of the node, for --resolv-conf "". Default none. */
  nodeAddresses?: readonly string[];
}

/** Where an entry comes from. */
export type Origin = 'cluster DNS' | 'cluster domain' | 'kubelet default' | 'node resolv.conf' | 'pod dnsConfig';

export interface Entry {
  readonly value: string;
  readonly origin: Origin;
  /** The field or setting, for people: `spec.dnsConfig.searches[0]`. */
  readonly from: string;
}

export interface ResolvConf {
  /** The file, as the container sees it. */
  readonly text: string;
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** `name` or `name:value`; base options first, then those of dnsConfig, each in its order (the kubelet's is random). */
  readonly options: readonly string[];
  /** The policy as written, and the one in force. */
  readonly policy: { readonly declared: string; readonly effective: DNSPolicy; readonly why: string };
  readonly reasons: {
    readonly nameservers: readonly Entry[];
    readonly searches: readonly Entry[];
    readonly options: readonly Entry[];
  };
  readonly warnings: readonly Diagnostic[];
}

interface Base {
  readonly nameservers: readonly Entry[];
  readonly searches: readonly Entry[];
  readonly options: readonly Entry[];
}

type Form = 'cluster' | 'host' | 'none';

interface Choice {
  readonly form: Form;
  readonly effective: DNSPolicy;
  readonly why: string;
  readonly findings: readonly Diagnostic[];
}

const entries = (values: readonly string[], origin: Origin, from: string): Entry[] =>
  values.map((value) => ({ value, origin, from }));

function choose(input: ResolvConfInput, pod: ObjectRef): Choice {
  const declared = input.pod.spec.dnsPolicy ?? 'ClusterFirst';
  const hostNetwork = input.pod.spec.hostNetwork === true;
  const policies: Record<DNSPolicy, () => Choice> = {
    None: () => ({ form: 'none', effective: 'None', why: 'only dnsConfig counts', findings: [] }),
    Default: () => ({ form: 'host', effective: 'Default', why: "the node's resolv.conf", findings: [] }),
    ClusterFirstWithHostNet: () => ({
      form: 'cluster',
      effective: 'ClusterFirstWithHostNet',
      why: 'cluster DNS, on the host network too',
      findings: [],
    }),
    ClusterFirst: () => (hostNetwork ? hostNetworkTrap(pod) : { ...clusterFirst, why: 'cluster DNS' }),
  };
  if (Object.hasOwn(policies, declared)) return policies[declared]();
  const message = `invalid DNSPolicy=${declared}; the kubelet takes ClusterFirst`;
  const finding = diagnostic('FW4105', { message, object: pod, fieldPath: 'spec.dnsPolicy' });
  return { ...clusterFirst, why: 'the policy is unknown', findings: [finding] };
}

const clusterFirst = { form: 'cluster', effective: 'ClusterFirst', findings: [] } as const;

function hostNetworkTrap(pod: ObjectRef): Choice {
  const message = 'the Pod is on the host network, so ClusterFirst silently means Default: it finds no Service by name';
  return {
    form: 'host',
    effective: 'Default',
    why: 'ClusterFirst means Default on the host network',
    findings: [diagnostic('FW4102', { message, object: pod, fieldPath: 'spec.dnsPolicy' })],
  };
}

/** Without clusterDNS the kubelet falls back to Default. */
function withClusterDns(choice: Choice, input: ResolvConfInput, pod: ObjectRef): Choice {
  if (choice.form !== 'cluster' || input.clusterDNS.length > 0) return choice;
  const message = `kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.`;
  const finding = diagnostic('FW4101', { message, object: pod });
  const why = 'the kubelet has no clusterDNS';
  return { form: 'host', effective: 'Default', why, findings: [...choice.findings, finding] };
}

function hostBase(input: ResolvConfInput, node: Base): Base {
  if (input.nodeResolvConf !== undefined) return node;
  const loopbacks = (input.nodeAddresses ?? []).map((address) => (address.includes(':') ? '::1' : '127.0.0.1'));
  const from = '--resolv-conf ""';
  const nameservers = entries(loopbacks.length > 0 ? loopbacks : ['127.0.0.1'], 'kubelet default', from);
  return { nameservers, searches: entries(['.'], 'kubelet default', from), options: [] };
}

function clusterBase(input: ResolvConfInput, node: Base): Base {
  const domain = input.clusterDomain;
  const own = domain ? [`${input.pod.namespace}.svc.${domain}`, `svc.${domain}`, domain] : [];
  const searches = [...entries(own, 'cluster domain', 'clusterDomain'), ...node.searches];
  return {
    nameservers: entries(input.clusterDNS, 'cluster DNS', 'clusterDNS'),
    searches: domain ? withoutDuplicates(searches) : searches,
    options: entries(['ndots:5'], 'kubelet default', 'policy ClusterFirst'),
  };
}

function nodeBase(input: ResolvConfInput): { base: Base; findings: readonly Diagnostic[] } {
  const parsed = parseNodeResolvConf(input.nodeResolvConf ?? '');
  const of = (values: readonly string[], keyword: string) => entries(values, 'node resolv.conf', keyword);
  return {
    base: {
      nameservers: of(parsed.nameservers, 'nameserver'),
      searches: of(parsed.searches, 'search'),
      options: of(parsed.options, 'options'),
    },
    findings: parsed.findings,
  };
}

/** Each value once, where it stood first. */
function withoutDuplicates(list: readonly Entry[]): Entry[] {
  const seen = new Set<string>();
  return list.filter(({ value }) => !seen.has(value) && seen.add(value));
}

/** Options by name: one of dnsConfig replaces the value of an earlier one in its place. */
function mergeOptions(base: readonly Entry[], config: PodDNSConfig): Entry[] {
  const merged = new Map<string, Entry>();
  for (const entry of base) merged.set(entry.value.split(':', 1)[0]!, normalised(entry));
  for (const [i, { name = '', value }] of (config.options ?? []).entries()) {
    const text = value ? `${name}:${value}` : name;
    merged.set(name, { value: text, origin: 'pod dnsConfig', from: `spec.dnsConfig.options[${i}]` });
  }
  return [...merged.values()];
}

/** An option with an empty value loses its colon when options are merged. */
function normalised(entry: Entry): Entry {
  return entry.value.endsWith(':') && entry.value.indexOf(':') === entry.value.length - 1
    ? { ...entry, value: entry.value.slice(0, -1) }
    : entry;
}

function appendConfig(base: Base, config: PodDNSConfig | undefined): Base {
  if (!config) return base;
  const added = (values: readonly string[] | undefined, field: string): Entry[] =>
    (values ?? []).map((value, i) => ({ value, origin: 'pod dnsConfig', from: `spec.dnsConfig.${field}[${i}]` }));
  return {
    nameservers: withoutDuplicates([...base.nameservers, ...added(config.nameservers, 'nameservers')]),
    searches: withoutDuplicates([...base.searches, ...added(config.searches, 'searches')]),
    options: mergeOptions(base.options, config),
  };
}

const empty: Base = { nameservers: [], searches: [], options: [] };

function fileText(nameservers: readonly string[], searches: readonly string[], options: readonly string[]): string {
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** The resolv.conf of a Pod, what each line is there for, and what is wrong with it. */
export function podResolvConf(input: ResolvConfInput): ResolvConf {
  const { namespace, name, spec } = input.pod;
  const pod: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace, name };
  const node = nodeBase(input);
  const choice = withClusterDns(choose(input, pod), input, pod);
  const bases: Record<Form, () => Base> = {
    none: () => empty,
    host: () => hostBase(input, node.base),
    cluster: () => clusterBase(input, node.base),
  };
  const merged = appendConfig(bases[choice.form](), spec.dnsConfig);
  const nameservers = limitNameservers(merged.nameservers, pod);
  const searches = limitSearches(merged.searches, pod);
  const missing = diagnostic('FW4107', { message: 'no nameserver is left for the Pod', object: pod });
  const values = (list: readonly Entry[]) => list.map(({ value }) => value);
  const lists = [values(nameservers.kept), values(searches.kept), values(merged.options)] as const;
  return {
    text: fileText(...lists),
    nameservers: lists[0],
    searches: lists[1],
    options: lists[2],
    policy: { declared: spec.dnsPolicy ?? 'ClusterFirst', effective: choice.effective, why: choice.why },
    reasons: { nameservers: nameservers.kept, searches: searches.kept, options: merged.options },
    warnings: [
      ...node.findings,
      ...choice.findings,
      ...(nameservers.finding ? [nameservers.finding] : []),
      ...(searches.finding ? [searches.finding] : []),
      ...(nameservers.kept.length === 0 ? [missing] : []),
    ],
  };
}

/** The input's Pod part of a Pod object. */
export function podOf(pod: Pod): ResolvConfInput['pod'] {
  const { namespace = 'default', name } = pod.metadata;
  return { namespace, name, spec: pod.spec };
}

/** For people: the file, each line followed by where its parts come from, then what is wrong. */
export function renderResolvConf(conf: ResolvConf): string {
  const { declared, effective, why } = conf.policy;
  const head = `# dnsPolicy ${declared}${declared === effective ? '' : ` -> ${effective}`}: ${why}`;
  const rows = [
    ...(conf.searches.length > 0 ? [['search', conf.reasons.searches] as const] : []),
    ...conf.reasons.nameservers.map((entry) => ['nameserver', [entry]] as const),
    ...(conf.options.length > 0 ? [['options', conf.reasons.options] as const] : []),
  ];
  const lines = rows.flatMap(([keyword, list]) => [
    `${keyword} ${list.map(({ value }) => value).join(' ')}`,
    ...list.map(({ value, origin, from }) => `#   ${value}: ${origin} (${from})`),
  ]);
  const warnings = conf.warnings.flatMap(({ code, message, hint }) => [`# ${code} ${message}`, `#   ${hint}`]);
  return `${[head, ...lines, ...warnings].join('\n')}\n`;
}
