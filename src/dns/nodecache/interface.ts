/**
 * The interface that holds the local addresses. It stays down, as node-cache's does: an address is local as soon as it
 * is on an interface, and an interface that is down draws no other traffic.
 */
import { canonicalIp } from '../../base/ip.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { LogLine } from '../plugins/setup.ts';
import { complaint, type RunCommand } from './command.ts';
import type { LocalIp } from './settings.ts';

/** `interface_add` or `interface_check`, as the metric has them. */
export interface InterfaceError {
  readonly type: 'interface_add' | 'interface_check';
  readonly text: string;
}

export interface LocalInterface {
  /** Makes the interface and its addresses where they are missing; the value tells what was done. */
  ensure(): Promise<Result<'present' | 'made' | 'repaired', InterfaceError>>;
  /** Deletes it; one that is not there is fine. */
  remove(): Promise<Result<void, InterfaceError>>;
}

export interface LocalInterfaceOptions {
  readonly name: string;
  readonly addresses: readonly LocalIp[];
  readonly run: RunCommand;
  readonly log: LogLine;
}

interface Found {
  readonly kind: string;
  /** Canonical host addresses (/32 and /128). */
  readonly addresses: readonly string[];
}

/** Kinds of interfaces that we make; any other one of the name is somebody else's. */
const ours = ['dummy', 'bridge'];

const prefixOf = ({ version }: Pick<LocalIp, 'version'>) => (version === 4 ? 32 : 128);

/** What `ip -json -details addr show dev NAME` prints. */
interface IpLink {
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

function readLink(json: string): Found | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  const link = (Array.isArray(parsed) ? parsed : []).find((item) => item?.addr_info) as IpLink | undefined;
  if (!link) return undefined;
  const hosts = (link.addr_info ?? []).flatMap(({ local = '', prefixlen }) => {
    const text = canonicalIp(local);
    return text !== undefined && prefixlen === (text.includes(':') ? 128 : 32) ? [text] : [];
  });
  return { kind: link.linkinfo?.info_kind ?? '', addresses: hosts };
}

export function createLocalInterface({ name, addresses, run, log }: LocalInterfaceOptions): LocalInterface {
  const ip = (...args: string[]) => run('ip', args);
  const fail = (type: InterfaceError['type'], text: string) => err({ type, text: `interface ${name}: ${text}` });
  let saidBridge = false;

  /** Undefined when there is no interface of the name. */
  async function find(): Promise<Result<Found | undefined, InterfaceError>> {
    const shown = await ip('-json', '-details', 'addr', 'show', 'dev', name);
    if (shown.code !== 0 && /does not exist|Cannot find device/i.test(shown.stderr)) return ok(undefined);
    if (shown.code !== 0) return fail('interface_check', complaint(shown));
    const found = readLink(shown.stdout);
    if (!found) return fail('interface_check', 'ip printed no JSON; iproute2 4.16 or later is needed');
    if (!ours.includes(found.kind))
      return fail('interface_check', `is a ${found.kind || 'physical'} interface; give another -interfacename`);
    return ok(found);
  }

  /** A bridge without ports does the same where the kernel has no dummy driver. */
  async function add(): Promise<Result<void, InterfaceError>> {
    const dummy = await ip('link', 'add', name, 'type', 'dummy');
    if (dummy.code === 0) return ok(undefined);
    if (!/Unknown device type|not supported/i.test(dummy.stderr)) return fail('interface_add', complaint(dummy));
    const bridge = await ip('link', 'add', name, 'type', 'bridge');
    if (bridge.code !== 0)
      return fail('interface_add', `no dummy driver (${complaint(dummy)}), and no bridge either: ${complaint(bridge)}`);
    if (!saidBridge) log('warning', `nodecache: the kernel has no dummy driver; ${name} is a bridge without ports`);
    saidBridge = true;
    return ok(undefined);
  }

  /** Without duplicate address detection, which never ends on an interface that is down. */
  async function addAddress(address: LocalIp): Promise<Result<void, InterfaceError>> {
    const nodad = address.version === 6 ? ['nodad'] : [];
    const added = await ip('addr', 'replace', `${address.text}/${prefixOf(address)}`, 'dev', name, ...nodad);
    return added.code === 0 ? ok(undefined) : fail('interface_add', `${address.text}: ${complaint(added)}`);
  }

  /** An address of an earlier start would swallow what is sent to it. */
  async function dropStale(found: Found): Promise<Result<boolean, InterfaceError>> {
    const wanted = new Set(addresses.map(({ text }) => text));
    const stale = found.addresses.filter((text) => !wanted.has(text));
    for (const text of stale) {
      const dropped = await ip('addr', 'del', `${text}/${text.includes(':') ? 128 : 32}`, 'dev', name);
      if (dropped.code !== 0) return fail('interface_check', `${text}: ${complaint(dropped)}`);
      log('info', `nodecache: removed the address ${text} of an earlier start from ${name}`);
    }
    return ok(stale.length > 0);
  }

  return {
    async ensure() {
      const found = await find();
      if (!found.ok) return found;
      if (!found.value) {
        const made = await add();
        if (!made.ok) return made;
      }
      const missing = addresses.filter(({ text }) => !found.value?.addresses.includes(text));
      for (const address of missing) {
        const added = await addAddress(address);
        if (!added.ok) return added;
      }
      if (!found.value) return ok('made');
      const dropped = await dropStale(found.value);
      return dropped.ok ? ok(missing.length > 0 ? 'repaired' : 'present') : dropped;
    },
    async remove() {
      const found = await find();
      if (!found.ok || !found.value) return found.ok ? ok(undefined) : found;
      if (found.value.kind === 'bridge') {
        const ports = await ip('-json', 'link', 'show', 'master', name);
        if (ports.code !== 0 || !/^\s*(\[\s*(\{\s*\})?\s*\])?\s*$/.test(ports.stdout))
          return fail('interface_check', 'is a bridge with ports, which node-cache did not make; it stays');
      }
      const deleted = await ip('link', 'del', name);
      return deleted.code === 0 ? ok(undefined) : fail('interface_check', complaint(deleted));
    },
  };
}
