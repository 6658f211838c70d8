/**
 * Rules through iptables and ip6tables: what is there is read chain by chain, what differs is changed in one
 * transaction for each table (`iptables-restore --noflush`).
 */
import { canonicalIp, type IpVersion } from '../../base/ip.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type CommandOutcome, complaint, type RunCommand } from './command.ts';
import {
  comments,
  leadsHere,
  type PacketRule,
  type RuleBackend,
  type RuleError,
  type Table,
  type Target,
} from './rules.ts';

export interface IptablesOptions {
  readonly rules: readonly PacketRule[];
  readonly run: RunCommand;
  /** Seconds that one call waits for the lock of other programs. Default 5. */
  readonly lockWaitSeconds?: number;
}

const programs: Readonly<Record<IpVersion, string>> = { 4: 'iptables', 6: 'ip6tables' };
const sides = { destination: ['-d', '--dport'], source: ['-s', '--sport'] } as const;

/** The rule without its chain, as `iptables -S` prints it. */
export function ruleText({ protocol, side, address, port, target }: PacketRule): string {
  const [host, door] = sides[side];
  const prefix = address.version === 4 ? 32 : 128;
  return `${host} ${address.text}/${prefix} -p ${protocol} -m ${protocol} ${door} ${port} -m comment --comment "${comments[target]}" -j ${target}`;
}

/** Words of a line of `iptables -S`: parted by spaces, those in quotes whole. */
function words(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain! : quoted.replace(/\\(.)/g, '$1'),
  );
}

interface Parts {
  readonly options: Readonly<Record<string, string>>;
  readonly flags: ReadonlySet<string>;
}

const known = new Set(['-A', '-s', '-d', '-p', '--sport', '--dport', '--comment', '-j']);

/** Undefined for a line with anything that ours do not have: an interface, a negation, another match. */
function partsOf(line: string): Parts | undefined {
  const options: Record<string, string> = {};
  const flags = new Set<string>();
  const left = words(line);
  while (left.length > 0) {
    const word = left.shift()!;
    if (word === '-m') {
      if (!['tcp', 'udp', 'comment'].includes(left.shift() ?? '')) return undefined;
    } else if (word === '--notrack') flags.add(word);
    else if (known.has(word) && !(word in options) && left.length > 0) options[word] = left.shift()!;
    else return undefined;
  }
  return { options, flags };
}

/** NOTRACK is short for a use of CT, and some versions print it long. */
function targetOf({ options, flags }: Parts): Target | undefined {
  const target = options['-j'];
  if (target === 'CT') return flags.has('--notrack') ? 'NOTRACK' : undefined;
  return target === 'NOTRACK' || target === 'ACCEPT' ? target : undefined;
}

const keyOf = (chain: string, protocol: string, side: string, address: string, port: string, target: Target) =>
  [chain, protocol, side, address, port, target].join(' ');

const ruleKey = ({ chain, protocol, side, address, port, target }: PacketRule) =>
  keyOf(chain, protocol, side, address.text, String(port), target);

/** The key of a line that one of our rules would print, in its spelling by any version of iptables. */
function lineKey(line: string): string | undefined {
  const parts = partsOf(line);
  const target = parts && targetOf(parts);
  if (!parts || !target || parts.options['--comment'] !== comments[target]) return undefined;
  const { options } = parts;
  const side = '-d' in options ? 'destination' : 'source';
  const [host, door] = sides[side];
  const [text = '', prefix] = (options[host] ?? '').split('/');
  const address = canonicalIp(text);
  const whole = prefix === undefined || prefix === (text.includes(':') ? '128' : '32');
  const both = '-d' in options && '-s' in options;
  if (!address || !whole || both || options['-p'] === undefined || options[door] === undefined) return undefined;
  return keyOf(options['-A'] ?? '', options['-p'], side, address, options[door], target);
}

/** How often each rule is in a listing, by `ruleKey`. */
export function countRules(listing: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of listing.split('\n')) {
    const key = line.startsWith('-A') ? lineKey(line) : undefined;
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

interface Change {
  readonly rule: PacketRule;
  /** Copies to insert; below zero: to delete. */
  readonly copies: number;
}

/** The input of `iptables-restore --noflush`: new rules go before all others. */
export function restoreText(changes: readonly Change[]): string {
  const tables: readonly Table[] = ['raw', 'filter'];
  return tables
    .flatMap((table) => {
      const lines = changes.flatMap(({ rule, copies }) => {
        if (rule.table !== table) return [];
        const line = `${copies > 0 ? '-I' : '-D'} ${rule.chain} ${ruleText(rule)}`;
        return Array<string>(Math.abs(copies)).fill(line);
      });
      return lines.length > 0 ? [`*${table}`, ...lines, 'COMMIT'] : [];
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** Exit code 4 is "resource problem": the lock is taken. */
function failure(program: string, outcome: CommandOutcome): { readonly ok: false; readonly error: RuleError } {
  const locked = outcome.code === 4 || outcome.stderr.includes('xtables lock');
  return err({ type: locked ? 'iptables_lock' : 'iptables', text: `${program}: ${complaint(outcome)}` });
}

export function createIptables({ rules, run, lockWaitSeconds = 5 }: IptablesOptions): RuleBackend {
  const wait = ['-w', String(lockWaitSeconds)];

  async function listing(program: string, of: readonly PacketRule[]): Promise<Result<Map<string, number>, RuleError>> {
    const chains = new Set(of.map(({ table, chain }) => `${table} ${chain}`));
    const all = new Map<string, number>();
    for (const place of chains) {
      const [table, chain] = place.split(' ') as [string, string];
      const shown = await run(program, [...wait, '-t', table, '-S', chain]);
      if (shown.code !== 0) return failure(program, shown);
      for (const [key, count] of countRules(shown.stdout)) all.set(`${table} ${key}`, count);
    }
    return ok(all);
  }

  /** Brings rules of one family to a number of copies; the value tells how many had another one. */
  async function settle(all: readonly PacketRule[], version: IpVersion, copies: 0 | 1) {
    const mine = all.filter(({ address }) => address.version === version);
    if (mine.length === 0) return ok(0);
    const found = await listing(programs[version], mine);
    if (!found.ok) return found;
    const changes = mine
      .map((rule) => ({ rule, copies: copies - (found.value.get(`${rule.table} ${ruleKey(rule)}`) ?? 0) }))
      .filter((change) => change.copies !== 0);
    if (changes.length === 0) return ok(0);
    const program = `${programs[version]}-restore`;
    const changed = await run(program, ['--noflush', ...wait], restoreText(changes));
    return changed.code === 0 ? ok(changes.length) : failure(program, changed);
  }

  /** Both families are tried, also when one fails. */
  async function settleAll(all: readonly PacketRule[], copies: 0 | 1): Promise<Result<number, RuleError>> {
    const four = await settle(all, 4, copies);
    const six = await settle(all, 6, copies);
    if (!four.ok) return four;
    return six.ok ? ok(four.value + six.value) : six;
  }

  return {
    name: 'iptables',
    ensure: () => settleAll(rules, 1),
    divert: () => settleAll(rules.filter(leadsHere), 0),
    remove: () => settleAll(rules, 0),
  };
}

/** Why the node's iptables cannot be used for these families, if so. A lock that is taken does not count. */
export async function iptablesFault(versions: readonly IpVersion[], run: RunCommand): Promise<string | undefined> {
  for (const version of versions) {
    const program = programs[version];
    const shown = await run(program, ['-w', '5', '-t', 'raw', '-S', 'PREROUTING']);
    const failed = shown.code === 0 ? undefined : failure(program, shown).error;
    if (failed && failed.type !== 'iptables_lock') return failed.text;
    const restore = await run(`${program}-restore`, ['--version']);
    if (restore.code !== 0) return `${program}-restore: ${complaint(restore)}`;
  }
  return undefined;
}
