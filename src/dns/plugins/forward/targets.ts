/** The upstreams of a `forward` line: addresses, files with nameserver lines, and host names. */

import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { err, ok, type Result } from '../../../base/result.ts';
import type { UpstreamProtocol, UpstreamTarget } from './upstream.ts';
import { resolvConfNameservers } from './upstreams.ts';

const ports: Readonly<Record<UpstreamProtocol, number>> = { dns: 53, tls: 853, https: 443 };

/** A host name still to be resolved. */
export interface NamedTarget {
  readonly host: string;
  readonly port: number;
  readonly protocol: UpstreamProtocol;
  readonly serverName?: string;
}

export type Target = UpstreamTarget | NamedTarget;

const hostName = /^(?=.{1,253}$)[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9])?)*\.?$/i;

/** `1.1.1.1`, `tls://[fd00::1]:853%name`, `dns.example:5353`. */
export function parseTarget(text: string): Result<Target, string> {
  const [, scheme = 'dns', rest = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/s.exec(text) ?? [];
  if (!Object.hasOwn(ports, scheme))
    return err(`'${scheme}' is not supported as a destination protocol in forward: ${text}`);
  const protocol = scheme as UpstreamProtocol;
  if (protocol === 'https' && rest.includes('/'))
    return err(`paths are not allowed in HTTPS upstream addresses (the /dns-query path is used): ${text}`);
  const parts = /^(?:\[([^\]%]+)(?:%([^\]]+))?\]|([^%[\]]*?)(?:%([^:[\]]+))?)(?::(\d{1,5}))?(?:%([^:[\]]+))?$/.exec(
    rest,
  );
  const plainV6 = /^([0-9a-f:.]+)(?:%(.+))?$/i.exec(rest);
  if (plainV6 && isIP(plainV6[1]!) === 6) return place(plainV6[1]!, ports[protocol], protocol, plainV6[2]);
  const host = parts?.[1] ?? parts?.[3] ?? '';
  const name = parts?.[2] ?? parts?.[4] ?? parts?.[6];
  const port = parts?.[5] === undefined ? ports[protocol] : Number(parts[5]);
  if (!parts || port < 1 || port > 65_535) return err(`not an IP address or file: '${text}'`);
  if (!isIP(host) && (!hostName.test(host) || /^[\d.]+$/.test(host)))
    return err(`not an IP address or file: '${text}'`);
  return place(host, port, protocol, name);
}

/** Behind `%`: the server name of TLS, else the zone of a link-local address. */
function place(
  host: string,
  port: number,
  protocol: UpstreamProtocol,
  name: string | undefined,
): Result<Target, string> {
  if (!isIP(host)) return ok({ host, port, protocol, ...(name !== undefined && { serverName: name }) });
  if (protocol === 'dns') return ok({ address: name === undefined ? host : `${host}%${name}`, port, protocol });
  return ok({ address: host, port, protocol, ...(name !== undefined && { serverName: name }) });
}

/** A word that is a file in the form of resolv.conf stands for its nameservers. */
export function targetsOf(word: string, path: string): Result<readonly Target[], string> {
  const parsed = parseTarget(word);
  if (parsed.ok && 'address' in parsed.value) return ok([parsed.value]);
  const text = readIfFile(path);
  if (text !== undefined) {
    const servers = resolvConfNameservers(text);
    if (servers.length === 0) return err(`no nameservers found in ${word}`);
    return ok(servers.map((address) => ({ address, port: ports.dns, protocol: 'dns' as const })));
  }
  return parsed.ok ? ok([parsed.value]) : parsed;
}

function readIfFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It may be a name then; whether it is one is decided by its form.
    return undefined;
  }
}

/** Addresses of the named targets, from the system's resolvers or those given. */
export async function resolveTargets(
  targets: readonly Target[],
  servers: readonly string[],
): Promise<Result<UpstreamTarget[], string>> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers.length > 0) resolver.setServers([...servers]);
  const found: UpstreamTarget[] = [];
  for (const target of targets) {
    if ('address' in target) {
      found.push(target);
      continue;
    }
    const { host, ...rest } = target;
    const lists = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
    if (addresses.length === 0) return err(`cannot resolve the upstream ${host}`);
    for (const address of addresses) found.push({ address, serverName: host, ...rest });
  }
  return ok(found);
}
