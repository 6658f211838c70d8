/**
 * Rules through nft, in a table of their own that is replaced whole in one transaction. The addresses are sets, so a
 * packet meets seven rules for each family however many addresses there are.
 */
import type { IpVersion } from '../../base/ip.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type CommandOutcome, complaint, type RunCommand } from './command.ts';
import {
  type Chain,
  comments,
  leadsHere,
  type RuleBackend,
  type RuleError,
  type RulePlace,
  type RulePorts,
  rulePlaces,
  type Table,
} from './rules.ts';
import type { LocalIp } from './settings.ts';

export interface NftablesOptions extends RulePorts {
  readonly addresses: readonly LocalIp[];
  readonly run: RunCommand;
}

export const nftTable = 'inet fairway_node_cache';

const types: Readonly<Record<IpVersion, string>> = { 4: 'ipv4_addr', 6: 'ipv6_addr' };
const protocols: Readonly<Record<IpVersion, string>> = { 4: 'ip', 6: 'ip6' };
const words = { destination: ['daddr', 'dport'], source: ['saddr', 'sport'] } as const;
const actions = { NOTRACK: 'notrack', ACCEPT: 'accept' } as const;

interface NftChain {
  readonly name: string;
  readonly table: Table;
  readonly chain: Chain;
}

const chains: readonly NftChain[] = [
  { name: 'prerouting', table: 'raw', chain: 'PREROUTING' },
  { name: 'output', table: 'raw', chain: 'OUTPUT' },
  { name: 'filter_input', table: 'filter', chain: 'INPUT' },
  { name: 'filter_output', table: 'filter', chain: 'OUTPUT' },
];

function ruleLine({ door, side, target }: RulePlace, version: IpVersion, ports: RulePorts): string {
  const [address, port] = words[side];
  const from = `${protocols[version]} ${address} @local${version}`;
  const match =
    door === 'dns' ? `meta l4proto { tcp, udp } th ${port} ${ports.dnsPort}` : `tcp ${port} ${ports.healthPort}`;
  return `${from} ${match} counter ${actions[target]} comment "${comments[target]}"`;
}

/**
 * The transaction that makes the table what it is to be. The table is added before it is deleted because deleting one
 * that is not there is an error, and `destroy` is younger than many nodes.
 */
export function nftScript(
  addresses: readonly LocalIp[],
  ports: RulePorts,
  wanted: (place: RulePlace) => boolean = () => true,
): string {
  const versions = ([4, 6] as const).filter((v) => addresses.some(({ version }) => version === v));
  const elements = (v: IpVersion) => addresses.flatMap(({ version, text }) => (version === v ? [text] : [])).sort();
  const sets = versions.map((v) => `\tset local${v} { type ${types[v]}; elements = { ${elements(v).join(', ')} }; }`);
  const chainLines = ({ name, table, chain }: NftChain): string[] => {
    const places = rulePlaces.filter((place) => place.table === table && place.chain === chain && wanted(place));
    const lines = versions.flatMap((v) => places.map((place) => `\t\t${ruleLine(place, v, ports)}`));
    const hook = `\t\ttype filter hook ${chain.toLowerCase()} priority ${table}; policy accept;`;
    return [`\tchain ${name} {`, hook, ...lines, '\t}'];
  };
  const start = [`add table ${nftTable}`, `delete table ${nftTable}`, `table ${nftTable} {`];
  return [...start, ...sets, ...chains.flatMap(chainLines), '}', ''].join('\n');
}

const countOf = (listing: string): number => listing.match(/comment "NodeLocal DNS Cache: /g)?.length ?? 0;

function failure(outcome: CommandOutcome): { readonly ok: false; readonly error: RuleError } {
  return err({ type: 'iptables', text: `nft: ${complaint(outcome)}` });
}

export function createNftables({ addresses, run, ...ports }: NftablesOptions): RuleBackend {
  const whole = nftScript(addresses, ports);
  const diverted = nftScript(addresses, ports, (place) => !leadsHere(place));
  /** What nft printed for the whole table as we made it: any difference is somebody's edit. */
  let known: string | undefined;

  /** The table without counters; undefined when there is none. */
  async function show(): Promise<Result<string | undefined, RuleError>> {
    const shown = await run('nft', ['-s', 'list', 'table', ...nftTable.split(' ')]);
    if (shown.code === 0) return ok(shown.stdout);
    return /No such file or directory/.test(shown.stderr) ? ok(undefined) : failure(shown);
  }

  /** Runs a script on a table that is there; the value: by how many rules it differed from what the script leaves. */
  async function replace(script: string, before: string): Promise<Result<number, RuleError>> {
    const done = await run('nft', ['-f', '-'], script);
    return done.code === 0 ? ok(Math.abs(countOf(script) - countOf(before))) : failure(done);
  }

  return {
    name: 'nftables',
    async ensure() {
      const before = await show();
      if (!before.ok) return before;
      if (known !== undefined && before.value === known) return ok(0);
      const replaced = await replace(whole, before.value ?? '');
      if (!replaced.ok) return replaced;
      const after = await show();
      if (!after.ok) return after;
      known = after.value;
      return ok(Math.max(1, replaced.value));
    },
    async divert() {
      const before = await show();
      return before.ok && before.value !== undefined ? replace(diverted, before.value) : ok(0);
    },
    async remove() {
      const before = await show();
      if (!before.ok) return before;
      return before.value === undefined
        ? ok(0)
        : replace(`add table ${nftTable}\ndelete table ${nftTable}\n`, before.value);
    },
  };
}

/** Why the node's nft cannot be used, if so. */
export async function nftablesFault(run: RunCommand): Promise<string | undefined> {
  const shown = await run('nft', ['list', 'tables']);
  return shown.code === 0 ? undefined : `nft: ${complaint(shown)}`;
}
