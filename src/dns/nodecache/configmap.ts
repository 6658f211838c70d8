/**
 * The kube-dns ConfigMap as a mounted folder: `stubDomains` (JSON object of domain to nameservers) and
 * `upstreamNameservers` (JSON list), checked as node-cache checks them (pkg/dns/config).
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseIp } from '../../base/ip.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseHostPort } from '../server/addresses.ts';

export interface KubeDnsConfig {
  /** Nameservers by domain, as `ADDRESS` or `ADDRESS:PORT`. */
  readonly stubDomains: ReadonlyMap<string, readonly string[]>;
  /** At most three; none means those of the node. */
  readonly upstreamNameservers: readonly string[];
}

export const noKubeDnsConfig: KubeDnsConfig = { stubDomains: new Map(), upstreamNameservers: [] };

/** The API server takes no larger ConfigMap. */
const maxBytes = 1024 * 1024;
const maxUpstreams = 3;
/** What `forward` takes. */
const maxStubServers = 15;

const subdomain = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** The file's text, undefined when the ConfigMap has no such key. */
function readKey(folder: string, key: string): Result<string | undefined, string> {
  const path = join(folder, key);
  try {
    const { size } = statSync(path);
    if (size > maxBytes) return err(`${path}: ${size} bytes are more than a ConfigMap can have`);
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ok(undefined);
    return err(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isNameserver(text: unknown): text is string {
  if (typeof text !== 'string') return false;
  if (parseIp(text)) return true;
  const split = parseHostPort(text);
  return split !== undefined && split.port > 0 && parseIp(split.host) !== undefined;
}

function nameservers(found: unknown, most: number, where: string): Result<readonly string[], string> {
  if (found === null) return ok([]);
  if (!Array.isArray(found)) return err(`${where} must be a list of addresses`);
  const wrong = found.find((item) => !isNameserver(item));
  if (wrong !== undefined) return err(`${where}: not an IP address, or one with a port: ${JSON.stringify(wrong)}`);
  if (found.length > most) return err(`${where} cannot have more than ${most} entries`);
  return ok(found as string[]);
}

function stubDomains(found: unknown): Result<KubeDnsConfig['stubDomains'], string> {
  const all = new Map<string, readonly string[]>();
  if (found === null) return ok(all);
  if (typeof found !== 'object' || Array.isArray(found)) return err('stubDomains must be an object of domains');
  for (const [domain, servers] of Object.entries(found as object)) {
    if (!subdomain.test(domain)) return err(`stubDomains: invalid domain name: ${JSON.stringify(domain)}`);
    const list = nameservers(servers, maxStubServers, `stubDomains of ${domain}`);
    if (!list.ok) return list;
    if (list.value.length === 0) return err(`stubDomains of ${domain} names no nameserver`);
    all.set(domain, list.value);
  }
  return ok(all);
}

function parseKey<T>(
  folder: string,
  key: string,
  fallback: T,
  check: (found: unknown) => Result<T, string>,
): Result<T, string> {
  const text = readKey(folder, key);
  if (!text.ok) return text;
  if (text.value === undefined) return ok(fallback);
  let found: unknown;
  try {
    found = JSON.parse(text.value);
  } catch (error) {
    return err(`${join(folder, key)}: invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const checked = check(found);
  return checked.ok ? checked : err(`${folder}: ${checked.error}`);
}

/** Keys that the ConfigMap lacks, and an empty folder, mean the defaults. A folder that is not there is an error. */
export function readKubeDnsConfig(folder: string): Result<KubeDnsConfig, string> {
  try {
    if (!statSync(folder).isDirectory()) return err(`config path "${folder}" is not a directory`);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  const stubs = parseKey(folder, 'stubDomains', noKubeDnsConfig.stubDomains, stubDomains);
  if (!stubs.ok) return stubs;
  const upstreams = parseKey(folder, 'upstreamNameservers', noKubeDnsConfig.upstreamNameservers, (found) =>
    nameservers(found, maxUpstreams, 'upstreamNameservers'),
  );
  return upstreams.ok ? ok({ stubDomains: stubs.value, upstreamNameservers: upstreams.value }) : upstreams;
}
