/** The command line of the node cache: names and defaults of kubernetes-sigs/node-local-dns (main.go), and CoreDNS'. */
import { isIP } from 'node:net';
import { canonicalIp, type IpVersion, parseIp } from '../../base/ip.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseDuration } from '../corefile/values.ts';
import { parseHostPort } from '../server/addresses.ts';
import { formatGoFlags, type GoFlag, type GoFlagValues, parseGoBoolean, parseGoFlags } from './go-flags.ts';

export type RuleKind = 'auto' | 'iptables' | 'nftables';

export interface LocalIp {
  /** Canonical text. */
  readonly text: string;
  readonly version: IpVersion;
}

export interface NodeCacheSettings {
  /** At least one; both families may be mixed. */
  readonly localIps: readonly LocalIp[];
  readonly dnsPort: number;
  readonly healthPort: number;
  readonly setupInterface: boolean;
  readonly interfaceName: string;
  /** Interface and rules are looked at this often, milliseconds. */
  readonly syncIntervalMs: number;
  readonly setupRules: boolean;
  readonly rules: RuleKind;
  readonly skipTeardown: boolean;
  readonly baseCorefile: string;
  readonly corefile: string;
  /** Folder of the mounted kube-dns ConfigMap, when one was named. */
  readonly kubeDnsFolder?: string;
  /** Template and ConfigMap are read again this often, milliseconds. */
  readonly configIntervalMs: number;
  readonly upstreamService: string;
  readonly metricsAddress: string;
  /** Fills `__PROMETHEUS__ENDPOINT__`. */
  readonly prometheusAddress: string;
  readonly reloadWithSignal: boolean;
  readonly pidFile?: string;
  readonly quiet: boolean;
}

/** What the command line asks for. */
export type NodeCacheCommand =
  | { readonly kind: 'run'; readonly settings: NodeCacheSettings }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'plugins' };

const flags: readonly GoFlag[] = [
  { name: 'localip', fallback: '', help: 'addresses to serve on, with commas between them; IPv4, IPv6 or both' },
  { name: 'setupinterface', boolean: true, fallback: 'true', help: 'make an interface with these addresses' },
  { name: 'interfacename', fallback: 'nodelocaldns', help: 'name of that interface' },
  { name: 'syncinterval', fallback: '60', help: 'seconds between checks of interface and rules' },
  { name: 'metrics-listen-address', fallback: '0.0.0.0:9353', help: 'address of the pages /metrics and /ready' },
  { name: 'prometheus-listen-address', fallback: ':9253', help: 'value of __PROMETHEUS__ENDPOINT__ in the template' },
  { name: 'setupiptables', boolean: true, fallback: 'true', help: 'install rules that skip connection tracking' },
  { name: 'rules', fallback: 'auto', help: 'who holds the rules: auto, iptables or nftables' },
  { name: 'basecorefile', fallback: '/etc/coredns/Corefile.base', help: 'template of the Corefile' },
  { name: 'corefile', fallback: '/etc/Corefile', help: 'where the Corefile is written' },
  { name: 'conf', fallback: '', help: 'where the Corefile is written; wins over -corefile' },
  { name: 'kubednscm', fallback: '', help: 'folder of the kube-dns ConfigMap (default /etc/kube-dns where it exists)' },
  { name: 'configinterval', fallback: '10', help: 'seconds between looks at template and ConfigMap' },
  { name: 'upstreamsvc', fallback: 'kube-dns', help: 'Service whose cluster IP is the upstream' },
  { name: 'health-port', fallback: '8080', help: 'port of the health page, for the rules' },
  { name: 'skipteardown', boolean: true, fallback: 'false', help: 'leave interface and rules behind at the end' },
  {
    ...{ name: 'reloadwithsignal', boolean: true, fallback: 'false' },
    help: 'for compatibility: a changed Corefile is put into service at once, with this flag and without it',
  },
  { name: 'pidfile', fallback: '', help: 'file for the process id, written once queries are answered' },
  { name: 'dns.port', fallback: '53', help: 'port to serve on, and of zones that name none' },
  { name: 'p', fallback: '', help: 'short for -dns.port' },
  { name: 'quiet', boolean: true, fallback: 'false', help: 'do not print the addresses at the start' },
  { name: 'version', boolean: true, fallback: 'false', help: 'print the version and end' },
  { name: 'plugins', boolean: true, fallback: 'false', help: 'print the plugins that a Corefile may use and end' },
];

/** All flags, as text for people. */
export function nodeCacheUsage(): string {
  return formatGoFlags(flags);
}

/** A wrong word on the command line. */
class FlagError extends Error {}

/** More addresses would mean hundreds of rules. */
const maxLocalIps = 16;

function localIp(text: string): LocalIp {
  const ip = parseIp(text);
  if (!ip) throw new FlagError(`invalid localip specified - "${text}"`);
  const { version, bytes } = ip;
  if (bytes.every((byte) => byte === 0)) throw new FlagError(`localip must be one address, not all: ${text}`);
  if (version === 6 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80)
    throw new FlagError(`localip ${text} is link-local: Pods cannot ask it without a zone; take one of fd00::/8`);
  return { text: canonicalIp(text)!, version };
}

function localIps(text: string): LocalIp[] {
  const found = new Map(
    text.split(',').map((word) => {
      const ip = localIp(word.trim());
      return [ip.text, ip];
    }),
  );
  if (found.size > maxLocalIps) throw new FlagError(`localip has more than ${maxLocalIps} addresses`);
  return [...found.values()];
}

function boolean(values: GoFlagValues, name: string): boolean {
  const value = parseGoBoolean(values.get(name));
  if (value === undefined) throw new FlagError(`invalid boolean value "${values.get(name)}" for -${name}`);
  return value;
}

function port(values: GoFlagValues, name: string): number {
  const text = values.get(name);
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 65_535) throw new FlagError(`invalid port for -${name}: "${text}"`);
  return number;
}

/**
 * Milliseconds. A bare number means seconds. So do nanoseconds: node-cache multiplies its duration by a second, and
 * `60ns` is how a minute has to be written for it.
 */
function seconds(values: GoFlagValues, name: string): number {
  const text = values.get(name);
  const [, number] = /^(\d+)(?:ns)?$/.exec(text) ?? [];
  const ms = number === undefined ? parseDuration(text) : Number(number) * 1000;
  if (ms === undefined || ms < 100 || ms > 86_400_000)
    throw new FlagError(`invalid value "${text}" for -${name}: seconds or a duration, at most 24h`);
  return ms;
}

function address(values: GoFlagValues, name: string): string {
  const text = values.get(name);
  const parsed = parseHostPort(text);
  if (!parsed || (parsed.host !== '' && parsed.host !== 'localhost' && !isIP(parsed.host)))
    throw new FlagError(`not an address with a port for -${name}: "${text}"`);
  return text;
}

function ruleKind(text: string): RuleKind {
  if (text === 'auto' || text === 'iptables' || text === 'nftables') return text;
  throw new FlagError(`-rules takes auto, iptables or nftables, not "${text}"`);
}

/** What the kernel takes as a name (IFNAMSIZ), without words that `ip` would read as options. */
function interfaceName(text: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text)) return text;
  throw new FlagError(`invalid interfacename "${text}": at most 15 letters, digits, "_", "." and "-"`);
}

function settingsOf(values: GoFlagValues): NodeCacheSettings {
  const text = (name: string) => values.get(name);
  return {
    localIps: localIps(text('localip')),
    dnsPort: port(values, values.given('p') ? 'p' : 'dns.port'),
    healthPort: port(values, 'health-port'),
    setupInterface: boolean(values, 'setupinterface'),
    interfaceName: interfaceName(text('interfacename')),
    syncIntervalMs: seconds(values, 'syncinterval'),
    setupRules: boolean(values, 'setupiptables'),
    rules: ruleKind(text('rules')),
    skipTeardown: boolean(values, 'skipteardown'),
    baseCorefile: text('basecorefile'),
    corefile: text('conf') || text('corefile'),
    ...(text('kubednscm') && { kubeDnsFolder: text('kubednscm') }),
    configIntervalMs: seconds(values, 'configinterval'),
    upstreamService: text('upstreamsvc'),
    metricsAddress: address(values, 'metrics-listen-address'),
    prometheusAddress: address(values, 'prometheus-listen-address'),
    reloadWithSignal: boolean(values, 'reloadwithsignal'),
    ...(text('pidfile') && { pidFile: text('pidfile') }),
    quiet: boolean(values, 'quiet'),
  };
}

/** Reads the words behind the command's name. The error is one line for people. */
export function parseNodeCacheCommand(words: readonly string[]): Result<NodeCacheCommand, string> {
  if (words.some((word) => /^--?h(elp)?$/.test(word))) return ok({ kind: 'help' });
  const values = parseGoFlags(words, flags);
  if (!values.ok) return values;
  try {
    if (boolean(values.value, 'version')) return ok({ kind: 'version' });
    if (boolean(values.value, 'plugins')) return ok({ kind: 'plugins' });
    return ok({ kind: 'run', settings: settingsOf(values.value) });
  } catch (error) {
    if (error instanceof FlagError) return err(error.message);
    throw error;
  }
}
