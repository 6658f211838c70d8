/**
 * The Corefile from its template: the same placeholders and the same text as node-cache writes
 * (kubernetes-sigs/node-local-dns, cmd/node-cache/app/configmap.go).
 */
import { err, ok, type Result } from '../../base/result.ts';
import { formatHostPort } from '../server/addresses.ts';
import type { KubeDnsConfig } from './configmap.ts';

export interface TemplateValues {
  readonly localIps: readonly string[];
  readonly dnsPort: number;
  /** Cluster IP of the upstream Service; the error says why it is not known. */
  readonly clusterDns: Result<string, string>;
  readonly prometheusAddress: string;
  readonly config: KubeDnsConfig;
}

export interface FilledTemplate {
  readonly text: string;
  /** Placeholders that are left, which make a Corefile that serves nonsense. */
  readonly unknown: readonly string[];
}

const stubCacheSeconds = 30;

/** `forward . <servers> { ... }`, whose upstreams are asked over UDP once they are the user's own. */
const upstreams = /__PILLAR__UPSTREAM__SERVERS__([ \t]*\{([^{}]*)\})?/g;

function fillUpstreams(template: string, servers: readonly string[]): string {
  if (servers.length === 0) return template.replaceAll('__PILLAR__UPSTREAM__SERVERS__', '/etc/resolv.conf');
  return template.replace(upstreams, (_whole, block: string | undefined, lines = '') => {
    const kept = (lines as string).split('\n').filter((line) => line.trim() !== 'force_tcp');
    const named = servers.join(' ');
    if (block === undefined || kept.every((line) => line.trim() === '')) return named;
    return `${named} {${kept.join('\n')}}`;
  });
}

/** With a port behind it the placeholder stands for one address: `health __PILLAR__LOCAL__DNS__:8080`. */
function fillLocal(template: string, ips: readonly string[]): string {
  return template.replace(/__PILLAR__LOCAL__DNS__(?::(\d+))?/g, (_whole, port: string | undefined) =>
    port === undefined ? ips.join(' ') : formatHostPort({ host: ips[0]!, port: Number(port) }),
  );
}

function stubBlock(domain: string, servers: readonly string[], values: TemplateValues): string {
  return [
    `\n${domain}:${values.dnsPort} {`,
    '    errors',
    `    cache ${stubCacheSeconds}`,
    `    bind ${values.localIps.join(' ')}`,
    `    forward . ${servers.join(' ')}`,
    '}\n',
  ].join('\n');
}

/** The stub domains follow the template, sorted. */
export function fillTemplate(template: string, values: TemplateValues): Result<FilledTemplate, string> {
  const { clusterDns, config } = values;
  let text = fillUpstreams(template, config.upstreamNameservers);
  if (text.includes('__PILLAR__CLUSTER__DNS__')) {
    if (!clusterDns.ok) return err(clusterDns.error);
    text = text.replaceAll('__PILLAR__CLUSTER__DNS__', clusterDns.value);
  }
  text = fillLocal(text, values.localIps)
    .replaceAll('__PILLAR__DNS__SERVER__', '')
    .replaceAll('__PROMETHEUS__ENDPOINT__', () => values.prometheusAddress);
  const stubs = [...config.stubDomains].sort(([a], [b]) => (a < b ? -1 : 1));
  const blocks = stubs.map(([domain, servers]) => stubBlock(domain, servers, values));
  return ok({
    text: text + blocks.join(''),
    unknown: [...new Set(text.match(/__PILLAR__[A-Z]+(?:__[A-Z]+)*__/g) ?? [])],
  });
}

/** `kube-dns-upstream` is `KUBE_DNS_UPSTREAM_SERVICE_HOST` in the environment of every Pod. */
export function serviceHostVariable(service: string): string {
  return `${service.replaceAll('-', '_').toUpperCase()}_SERVICE_HOST`;
}
