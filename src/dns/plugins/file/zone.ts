/** A zone in memory: names by their wire form, sets of records by type, and the order that denials of existence need. */
import type { ResourceRecord } from '../../wire/message.ts';
import { keyOfName, labelsOfKey, labelText } from '../../wire/name.ts';
import { recordType } from '../../wire/numbers.ts';
import { dataText } from '../../wire/records.ts';

/** A name of a zone. One without sets is an empty non-terminal: only names below it have records. */
export interface ZoneNode {
  /** Absolute, in lower case. */
  readonly name: string;
  /** By type, RRSIG aside. */
  readonly sets: ReadonlyMap<number, readonly ResourceRecord[]>;
  /** RRSIG records by the type that they cover. */
  readonly signatures: ReadonlyMap<number, readonly ResourceRecord[]>;
}

export interface Zone {
  /** Absolute, in lower case. */
  readonly origin: string;
  /** As `Query.key`. */
  readonly key: string;
  readonly soa: ResourceRecord;
  readonly serial: number;
  readonly apex: ZoneNode;
  /** By name as `Query.key` has it. */
  readonly nodes: ReadonlyMap<string, ZoneNode>;
  /** How many records there are. */
  readonly size: number;
  /** The name with an NSEC record that is the last one before a name in canonical order; undefined in unsigned zones. */
  before(key: string): ZoneNode | undefined;
}

/** Presentation form of a key. */
export function nameOfKey(key: string): string {
  const labels = labelsOfKey(key).map((label) => `${labelText(Buffer.from(label, 'latin1'), 0, label.length)}.`);
  return labels.join('') || '.';
}

/** Offsets in a key at which the name and those above it begin, down to the zone's own; undefined outside the zone. */
export function ancestorsOf(key: string, zoneKey: string): number[] | undefined {
  const found: number[] = [];
  for (let at = 0; key.length - at >= zoneKey.length; at += key.charCodeAt(at) + 1) {
    found.push(at);
    if (key.length - at === zoneKey.length) return key.endsWith(zoneKey) ? found : undefined;
  }
  return undefined;
}

/** Order of names in a signed zone (RFC 4034 section 6.1): label by label from the right, as bytes. */
function compareLabels(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return a.length - b.length;
}

function denialOrder(nodes: ReadonlyMap<string, ZoneNode>): Zone['before'] {
  const reversed = (key: string) => labelsOfKey(key).reverse();
  const owners = [...nodes]
    .filter(([, { sets }]) => sets.has(recordType.NSEC))
    .map(([key, node]) => ({ labels: reversed(key), node }))
    .sort((a, b) => compareLabels(a.labels, b.labels));
  return (key) => {
    const labels = reversed(key);
    let [low, high] = [0, owners.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareLabels(owners[middle]!.labels, labels) < 0) low = middle + 1;
      else high = middle;
    }
    return (owners[low - 1] ?? owners.at(-1))?.node;
  };
}

export interface ZoneBuilder {
  /** Takes a record; false when its owner lies outside of the zone. */
  add(record: ResourceRecord): boolean;
  /** In steps: the zone, or why it is none; `warnings` are about what is in it. */
  finish(): Generator<void, { readonly zone?: Zone; readonly error?: string; readonly warnings: readonly string[] }>;
}

type Sets = Map<number, ResourceRecord[]>;

/** A name while the zone is read. */
interface OpenNode extends ZoneNode {
  readonly sets: Sets;
  signatures: Sets;
}

/** What most names have; never written to. */
const noSignatures: Sets = new Map();

/** Names after which other work may be done. */
const stepSize = 1000;

export function createZoneBuilder(origin: string): ZoneBuilder {
  const zoneKey = keyOfName(origin) ?? '\0';
  const nodes = new Map<string, OpenNode>();
  /** The SOA record of another name, for files whose origin was not said. */
  let strayAuthority: ResourceRecord | undefined;

  function nodeAt(key: string): OpenNode {
    const known = nodes.get(key);
    if (known) return known;
    const node: OpenNode = { name: nameOfKey(key), sets: new Map(), signatures: noSignatures };
    nodes.set(key, node);
    if (key !== zoneKey) nodeAt(key.slice(key.charCodeAt(0) + 1));
    return node;
  }

  function add(record: ResourceRecord): boolean {
    const key = keyOfName(record.name) ?? '\0';
    if (!ancestorsOf(key, zoneKey)) return false;
    if (record.type === recordType.SOA && key !== zoneKey) strayAuthority ??= record;
    const node = nodeAt(key);
    const signs = record.type === recordType.RRSIG && record.data.kind === 'opaque';
    const type = signs ? (record.data.bytes[0]! << 8) | record.data.bytes[1]! : record.type;
    if (signs && node.signatures === noSignatures) node.signatures = new Map();
    const sets = signs ? node.signatures : node.sets;
    const set = sets.get(type);
    const kept = { ...record, name: node.name };
    if (set) set.push(kept);
    else sets.set(type, [kept]);
    return true;
  }

  /** Each record once; returns how many there are. */
  function dropDuplicates({ sets, signatures }: OpenNode): number {
    let size = 0;
    for (const map of [sets, signatures]) {
      for (const [type, set] of map) {
        const unique =
          set.length < 2 ? set : [...new Map(set.map((record) => [dataText(record.data), record])).values()];
        map.set(type, unique);
        size += unique.length;
      }
    }
    return size;
  }

  function warningsOf(node: ZoneNode): string[] {
    const warnings: string[] = [];
    const { CNAME, DNAME, NSEC } = recordType;
    const others = [...node.sets.keys()].filter((type) => type !== CNAME && type !== NSEC);
    if (node.sets.has(CNAME) && others.length > 0)
      warnings.push(`${node.name} has a CNAME and other records, which are hidden by it`);
    for (const type of [CNAME, DNAME])
      if ((node.sets.get(type)?.length ?? 0) > 1)
        warnings.push(`${node.name} has more than one alias; the first one counts`);
    return warnings;
  }

  return {
    add,
    *finish() {
      const apex = nodeAt(zoneKey);
      let size = 0;
      const warnings: string[] = [];
      for (const node of nodes.values()) {
        size += dropDuplicates(node);
        if (warnings.length < 10) warnings.push(...warningsOf(node));
        if (size % stepSize === 0) yield;
      }
      const own = apex.sets.get(recordType.SOA) ?? [];
      if (own.length > 1) return { error: `more than one SOA record for ${origin}`, warnings };
      const soa = own[0] ?? strayAuthority;
      if (soa?.data.kind !== 'soa') return { error: `no SOA record for origin ${origin}`, warnings };
      if (!own[0])
        warnings.push(`the SOA record is that of ${soa.name}, not of ${origin}; name the zone behind the file`);
      const { serial } = soa.data;
      return { warnings, zone: { origin, key: zoneKey, soa, serial, apex, nodes, size, before: denialOrder(nodes) } };
    },
  };
}
