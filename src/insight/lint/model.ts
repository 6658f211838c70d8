/** Server blocks as the checks see them: zones at listeners, and plugins in the order in which they run. */
import { defaultPorts, parseKey, zonesOf } from '../../dns/corefile/keys.ts';
import type { Corefile, Directive, Line, ServerBlock } from '../../dns/corefile/types.ts';
import { pluginOrder } from '../../dns/plugins/order.ts';
import { isInZone } from '../../dns/plugins/zones.ts';

export interface ServedZone {
  /** Canonical. */
  readonly zone: string;
  readonly transport: string;
  readonly port: number;
}

export interface BlockModel {
  readonly source: ServerBlock;
  readonly zones: readonly ServedZone[];
  /** Addresses and interfaces of `bind`; empty: everywhere. */
  readonly binds: readonly string[];
  /** The block has a view, and so takes some of the queries of its zones only. */
  readonly view: boolean;
  /** Directives in the order in which their plugins run; those of one name as they are written. */
  readonly running: readonly Directive[];
}

/** The lines of one name in a directive's block. */
export function linesNamed(directive: Line, name: string): readonly Line[] {
  return (directive.block ?? []).filter((line) => line.name === name);
}

export function directivesNamed({ running }: BlockModel, name: string): readonly Directive[] {
  return running.filter((directive) => directive.name === name);
}

const rankOf = new Map(pluginOrder.map(({ name }, i) => [name, i]));

/** Place of a plugin among those that see a query. */
export const runsAt = (name: string): number => rankOf.get(name) ?? Infinity;

export function modelOf(block: ServerBlock, defaultPort: number): BlockModel {
  const zones = block.keys.flatMap(({ text }): ServedZone[] => {
    const key = parseKey(text);
    if (!key.ok) return [];
    const { transport, port } = key.value;
    const at = port ?? (transport === 'dns' ? defaultPort : defaultPorts[transport]);
    return key.value.zones.map((zone) => ({ zone, transport, port: at }));
  });
  const named = (name: string) => block.directives.filter((directive) => directive.name === name);
  return {
    ...{ source: block, zones, view: named('view').length > 0 },
    binds: named('bind').flatMap(({ args }) => args),
    running: [...block.directives].sort((a, b) => runsAt(a.name) - runsAt(b.name)),
  };
}

export const modelsOf = (corefile: Corefile, defaultPort: number): BlockModel[] =>
  corefile.blocks.map((block) => modelOf(block, defaultPort));

/** Whether some query could come to either of two blocks, going by transport, port and address alone. */
export function shareListener(a: BlockModel, b: BlockModel, at: ServedZone, other: ServedZone): boolean {
  if (at.transport !== other.transport || at.port !== other.port) return false;
  return a.binds.length === 0 || b.binds.length === 0 || a.binds.some((address) => b.binds.includes(address));
}

/** Which of a directive's words are zones. */
const zoneWords: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
  kubernetes: (args) => args,
  k8s_external: (args) => args,
  hosts: (args) => args.slice(1),
  file: (args) => args.slice(1),
  template: (args) => args.slice(2),
  forward: (args) => args.slice(0, 1),
  autopath: (args) => args.slice(0, -1),
  cache: (args) => args.filter((word, i) => i > 0 || !/^\d+$/.test(word)),
  acl: (args) => args,
  transfer: (args) => args,
};

/** Canonical zones that a directive names; undefined when it names none, or is of a plugin without zones. */
export function namedZones({ name, args }: Directive): readonly string[] | undefined {
  const words = Object.hasOwn(zoneWords, name) ? zoneWords[name]!(args) : [];
  const zones = words.flatMap((word) => {
    const found = zonesOf(word);
    return found.ok ? found.value : [];
  });
  return zones.length > 0 ? zones : undefined;
}

/** The names of the block that a directive is for: where its zones and those of the block meet. */
export function effectiveZones(directive: Directive, { zones }: BlockModel): string[] {
  const own = [...new Set(zones.map(({ zone }) => zone))];
  const named = namedZones(directive);
  if (!named) return own;
  const meet = named.flatMap((zone) => own.flatMap((block) => meeting(zone, block) ?? []));
  return [...new Set(meet)];
}

function meeting(a: string, b: string): string | undefined {
  if (isInZone(a, b)) return a;
  return isInZone(b, a) ? b : undefined;
}

/** Zones as people write them: without the last dot. */
export function zoneText(zones: readonly string[]): string {
  return zones.map((zone) => (zone === '.' ? '.' : zone.replace(/\.$/, ''))).join(', ');
}

/** `the block "." (line 3)`. */
export function blockText({ source }: BlockModel): string {
  return `the block "${source.keys.map(({ text }) => text).join(' ')}" (line ${source.position.line})`;
}
