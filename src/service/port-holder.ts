/** Who holds a port that could not be bound: read from /proc on Linux, unknown elsewhere. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Binding, L4Protocol } from './bind.ts';

interface Held {
  /** As the kernel writes it: `0100007F` for 127.0.0.1; IPv6 in 32 digits. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

interface Snapshot {
  readonly takenAt: number;
  readonly held: Readonly<Record<L4Protocol, readonly Held[]>>;
  /** Process names by socket inode, read when first needed. */
  processes: Map<string, string> | undefined;
}

/** Many sockets may fail in one moment for one reason; they share one reading of /proc. */
const snapshotMs = 2_000;
/** Processes looked at; a machine with more is told the address only. */
const processLimit = 4_096;

let snapshot: Snapshot | undefined;

/** `nginx (pid 812) on 0.0.0.0:80`, `0.0.0.0:80` when the process is hidden, undefined when nothing is found. */
export function portHolder(binding: Binding, protocol: L4Protocol): string | undefined {
  const { held, processes } = current();
  const wanted = kernelForm(binding.address);
  const match = held[protocol].find(
    ({ address, port }) => port === binding.port && (address === wanted || /^0+$/.test(address)),
  );
  if (!match) return undefined;
  const place = match.address === wanted ? `${binding.address}:${match.port}` : `0.0.0.0:${match.port}`;
  const process = processes.get(match.inode);
  return process ? `${process} on ${place}` : place;
}

function current(): { held: Snapshot['held']; processes: Map<string, string> } {
  if (!snapshot || Date.now() - snapshot.takenAt > snapshotMs) {
    snapshot = { takenAt: Date.now(), held: { TCP: read('tcp', '0A'), UDP: read('udp', '07') }, processes: undefined };
  }
  snapshot.processes ??= readProcesses();
  return { held: snapshot.held, processes: snapshot.processes };
}

function kernelForm(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'));
  return bytes.reverse().join('');
}

/** Sockets of a protocol, IPv4 and IPv6, in the state that holds a port (listening, or bound for UDP). */
function read(protocol: 'tcp' | 'udp', state: string): Held[] {
  return [protocol, `${protocol}6`].flatMap((file) =>
    attempt(() => readFileSync(`/proc/net/${file}`, 'latin1'), '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === state)
      .map((fields) => {
        const [address, port] = fields[1]!.split(':');
        return { address: address!, port: Number.parseInt(port!, 16), inode: fields[9] ?? '' };
      }),
  );
}

function readProcesses(): Map<string, string> {
  const found = new Map<string, string>();
  const pids = attempt(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name));
  for (const pid of pids.slice(0, processLimit)) {
    const sockets = attempt(() => readdirSync(`/proc/${pid}/fd`), [])
      .map((fd) => attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''))
      .filter((link) => link.startsWith('socket:['));
    if (sockets.length === 0) continue;
    const name = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), '');
    for (const link of sockets) found.set(link.slice(8, -1), `${name} (pid ${pid})`);
  }
  return found;
}

/** Processes end while they are read, and many are hidden from this user: both are no findings. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
