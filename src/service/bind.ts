/**
 * Where an address and port of the cluster can really be bound on this machine. Everybody who binds or dials such an
 * address asks the same policy, so that a Pod that could not get port 80 is found where it really listens.
 */
import { readFile } from 'node:fs/promises';
import { createServer, isIPv4 } from 'node:net';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { fnv1a } from '../base/hash.ts';

/**
 * `native`: all of 127.0.0.0/8 and all ports. `high-ports`: ports that need privilege move up on the same address.
 * `single-address`: only 127.0.0.1 exists (macOS), every address and port becomes one port there.
 */
export const bindModes = ['native', 'high-ports', 'single-address'] as const;
export type BindMode = (typeof bindModes)[number];
export type L4Protocol = 'TCP' | 'UDP';

export interface Binding {
  readonly address: string;
  /** 0 when no port is left: nothing can be bound or reached. */
  readonly port: number;
}

export interface BindPolicy {
  readonly mode: BindMode;
  /**
   * The real place of an address of the cluster. The same question always gets the same answer from one policy.
   * 127.0.0.1 and addresses outside 127.0.0.0/8 belong to the machine and stay as they are.
   */
  map(address: string, port: number, protocol: L4Protocol): Binding;
  /** What users should know about the mode; empty when everything is where its address says. */
  describe(): Diagnostic[];
}

export interface BindPolicyOptions {
  /** `high-ports`: the lowest port that may be bound. Default 1024. */
  lowestPort?: number;
  /** `single-address`: ports of 127.0.0.1 to hand out, first and last. Default 10000–29999, below NodePorts. */
  portRange?: readonly [number, number];
}

export interface ProbeOptions extends BindPolicyOptions {
  /** Skips probing. */
  mode?: BindMode;
  /** Address to try; must be in 127.0.0.0/8 and not 127.0.0.1. Default 127.250.255.254. */
  probeAddress?: string;
}

/** Ports that people know by heart. DNS moves to where its fixed door on 127.0.0.1 is; 5353 belongs to mDNS. */
const familiar: Readonly<Record<number, number>> = { 80: 8080, 443: 8443, 53: 1053 };
const highOffset = 8000;
/** Steps from a taken port to the next candidate, chosen so that 8080 becomes 18080. */
const collisionStep = 10_000;
const highestPort = 65_535;

/** 127.0.0.0/8 without 127.0.0.1. */
function isClusterAddress(address: string): boolean {
  return address.startsWith('127.') && address !== '127.0.0.1' && isIPv4(address);
}

/** Finds out by binding what this process may do, unless the mode is given. Never rejects. */
export async function probeBinding(options: ProbeOptions = {}): Promise<BindPolicy> {
  if (options.mode) {
    return createBindPolicy(options.mode, { ...options, lowestPort: options.lowestPort ?? (await firstFreePort()) });
  }
  const address = options.probeAddress ?? '127.250.255.254';
  if ((await tryBind(address, 0)) === 'EADDRNOTAVAIL') return createBindPolicy('single-address', options);
  // Port 1 needs whatever privilege the lowest ports need; nobody listens there on this address.
  if ((await tryBind(address, 1)) !== 'EACCES') return createBindPolicy('native');
  return createBindPolicy('high-ports', { ...options, lowestPort: options.lowestPort ?? (await firstFreePort()) });
}

function tryBind(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EUNKNOWN'));
    server.listen({ host: address, port }, () => server.close(() => resolve(undefined)));
  });
}

/** First port that needs no privilege: `net.ipv4.ip_unprivileged_port_start` on Linux, 1024 elsewhere. */
async function firstFreePort(): Promise<number> {
  const text = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '');
  const port = Number.parseInt(text, 10);
  return Number.isInteger(port) && port >= 0 ? port : 1024;
}

/** A policy of a known mode. */
export function createBindPolicy(mode: BindMode, options: BindPolicyOptions = {}): BindPolicy {
  return {
    native: nativePolicy,
    'high-ports': () => highPortsPolicy(options.lowestPort ?? 1024),
    'single-address': () => singleAddressPolicy(options.portRange ?? [10_000, 29_999]),
  }[mode]();
}

function nativePolicy(): BindPolicy {
  return { mode: 'native', map: (address, port) => ({ address, port }), describe: () => [] };
}

function highPortsPolicy(lowestPort: number): BindPolicy {
  const claims = createClaims();

  function choose(address: string, port: number, protocol: L4Protocol): number {
    const wanted = port >= lowestPort ? port : Math.max(familiar[port] ?? port + highOffset, lowestPort);
    const space = `${protocol} ${address}`;
    for (let candidate = wanted; candidate <= highestPort; candidate += collisionStep) {
      if (claims.take(space, candidate)) return candidate;
    }
    for (let candidate = highestPort; candidate >= lowestPort; candidate--) {
      if (claims.take(space, candidate)) return candidate;
    }
    return 0;
  }

  return {
    mode: 'high-ports',
    map(address, port, protocol) {
      if (!isClusterAddress(address)) return { address, port };
      return {
        address,
        port: claims.remember(`${protocol} ${address} ${port}`, () => choose(address, port, protocol)),
      };
    },
    describe: () => [
      diagnostic('FW5001', {
        message: `ports below ${lowestPort} need privilege that this process lacks: 80 is on 8080, 443 on 8443, 53 on 1053, others 8000 higher`,
      }),
    ],
  };
}

function singleAddressPolicy([first, last]: readonly [number, number]): BindPolicy {
  const claims = createClaims();
  const size = last - first + 1;
  let exhausted = false;

  function choose(address: string, port: number, protocol: L4Protocol): number {
    const start = fnv1a(`${address}:${port}`) % size;
    for (let step = 0; step < size; step++) {
      const candidate = first + ((start + step) % size);
      if (claims.take(protocol, candidate)) return candidate;
    }
    exhausted = true;
    return 0;
  }

  return {
    mode: 'single-address',
    map(address, port, protocol) {
      if (!isClusterAddress(address)) return { address, port };
      const key = `${protocol} ${address} ${port}`;
      return { address: '127.0.0.1', port: claims.remember(key, () => choose(address, port, protocol)) };
    },
    describe: () => [
      diagnostic('FW5002', {
        message: `this machine has no addresses besides 127.0.0.1: every address and port is a port of 127.0.0.1 between ${first} and ${last}`,
      }),
      ...(exhausted
        ? [diagnostic('FW5003', { message: `all ports of 127.0.0.1 from ${first} to ${last} are given out` })]
        : []),
    ],
  };
}

/** Answers given so far, and the ports they use up in each space (protocol, or protocol and address). */
function createClaims() {
  const answers = new Map<string, number>();
  const taken = new Map<string, Set<number>>();
  return {
    remember(key: string, choose: () => number): number {
      const known = answers.get(key);
      if (known !== undefined) return known;
      const port = choose();
      answers.set(key, port);
      return port;
    },
    take(space: string, port: number): boolean {
      const ports = taken.get(space);
      if (!ports) {
        taken.set(space, new Set([port]));
        return true;
      }
      if (ports.has(port)) return false;
      ports.add(port);
      return true;
    },
  };
}
