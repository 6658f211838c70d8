/** Which servers queries are forwarded to: from addresses given, or from a resolv.conf. */
import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Diagnostic, diagnostic } from '../../../base/diagnostics/index.ts';
import { canonicalAddress } from '../../wire/address.ts';

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** `[::1]:53`, `10.0.0.1`: an upstream as people write it. */
export function formatUpstream({ address, port }: Upstream): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === 53 ? address : `${host}:${port}`;
}

/** Reads `10.0.0.1`, `10.0.0.1:5353`, `fd00::1` or `[fd00::1]:5353`; zones (`fe80::1%eth0`) are allowed. */
export function parseUpstream(text: string): Upstream | undefined {
  if (isIP(text)) return { address: text, port: 53 };
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = parts?.[1] ?? parts?.[2] ?? '';
  const port = Number(parts?.[3]);
  const bracketed = parts?.[1] !== undefined;
  return isIP(address) && bracketed === isIPv6(address) && port > 0 && port < 65_536 ? { address, port } : undefined;
}

/** Addresses of the `nameserver` lines of a resolv.conf (resolv.conf(5)), in order. */
export function resolvConfNameservers(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
}

/** Every address of this machine, for listeners that are bound to all of them. */
function machineAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  return new Set(all.flatMap((address) => canonicalAddress(address) ?? []));
}

function isOwn(upstream: Upstream, own: readonly Upstream[], machine: Set<string>): boolean {
  const address = canonicalAddress(upstream.address) ?? upstream.address;
  const local = machine.has(address) || address.startsWith('127.') || address === '::1';
  return own.some((door) => {
    const everywhere = door.address === '0.0.0.0' || door.address === '::';
    return door.port === upstream.port && (everywhere ? local : canonicalAddress(door.address) === address);
  });
}

/**
 * The upstreams to use of those named. Left out, each with a finding: what is no address, and what is one of `own`, the
 * addresses at which we listen ourselves.
 */
export function chooseUpstreams(
  named: readonly string[],
  own: readonly Upstream[],
): { upstreams: Upstream[]; findings: Diagnostic[] } {
  const upstreams: Upstream[] = [];
  const findings: Diagnostic[] = [];
  const machine = machineAddresses();
  for (const text of named) {
    const upstream = parseUpstream(text);
    if (!upstream) findings.push(diagnostic('FW4006', { message: `${JSON.stringify(text)} is not an IP address` }));
    else if (isOwn(upstream, own, machine))
      findings.push(diagnostic('FW4004', { message: `${text} is an address at which this server listens itself` }));
    else upstreams.push(upstream);
  }
  return { upstreams, findings };
}
