/**
 * What an authoritative server answers from a zone: the algorithm of RFC 1034 section 4.3.2 with wildcards (RFC 4592),
 * DNAME (RFC 6672) and the records of a signed zone (RFC 4035 section 3.1); pure functions of the zone.
 */
import type { ResourceRecord } from '../../wire/message.ts';
import { keyOfName, maxNameLength, readName } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { targetRecord } from '../../wire/records.ts';
import { ancestorsOf, nameOfKey, type Zone, type ZoneNode } from './zone.ts';

export interface Asked {
  /** As `Query.key`. */
  readonly key: string;
  /** The same in presentation form, in the case that the client chose. */
  readonly name: string;
  readonly type: number;
  /** Adds what proves the answer (the DO bit). */
  readonly dnssec: boolean;
  /** For type ANY: all sets instead of one (RFC 8482 section 4.1). */
  readonly whole: boolean;
}

export interface LookedUp {
  readonly rcode: number;
  /** False in referrals. */
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  /** The answers are aliases that lead out of the zone, to this absolute name. */
  readonly continueAt?: string;
  /** No name like this has records of its own: not even the type makes a difference. */
  readonly missing: boolean;
  /** The same for all who ask for this very name: not made from a wildcard, nor for a name that does not exist. */
  readonly lasting: boolean;
}

/** Most aliases that are followed for one answer. */
const maxAliases = 10;

const { A, AAAA, CNAME, DNAME, DS, MX, NS, NSEC, SOA, SRV, SVCB, HTTPS, RRSIG, ANY } = recordType;
/** Types that a name with a CNAME may have, so that asking for them asks the name itself. */
const besideAlias: ReadonlySet<number> = new Set([CNAME, NSEC, RRSIG, ANY]);
const wildcardLabel = '\x01*';

/** What there is at, or instead of, a name. */
type Spot =
  | { readonly kind: 'node'; readonly node: ZoneNode }
  /** The zone ends here: the name belongs to other servers. */
  | { readonly kind: 'cut'; readonly node: ZoneNode }
  /** The name lies below a DNAME, whose name begins at `at` in the key. */
  | { readonly kind: 'moved'; readonly node: ZoneNode; readonly at: number }
  | { readonly kind: 'wildcard'; readonly node: ZoneNode; readonly encloser: string }
  | { readonly kind: 'nothing'; readonly encloser: string };

function locate(zone: Zone, key: string, type: number): Spot {
  const offsets = ancestorsOf(key, zone.key) ?? [];
  for (let i = offsets.length - 1; i >= 0; i--) {
    const at = offsets[i]!;
    const node = zone.nodes.get(at === 0 ? key : key.slice(at));
    if (!node) {
      const encloser = key.slice(offsets[i + 1]!);
      const wildcard = zone.nodes.get(wildcardLabel + encloser);
      return wildcard ? { kind: 'wildcard', node: wildcard, encloser } : { kind: 'nothing', encloser };
    }
    if (node !== zone.apex && node.sets.has(NS) && !(at === 0 && type === DS)) return { kind: 'cut', node };
    if (at > 0 && node.sets.has(DNAME)) return { kind: 'moved', node, at };
    if (at === 0) return { kind: 'node', node };
  }
  return { kind: 'node', node: zone.apex };
}

/** The wildcard that a name is answered from; undefined when it is there itself, or nothing is. */
export function wildcardOf(zone: Zone, key: string, type: number): string | undefined {
  const spot = locate(zone, key, type);
  return spot.kind === 'wildcard' ? spot.node.name : undefined;
}

/** The name that a record points to, for those whose addresses are worth adding. */
function targetOf({ name, type, data }: ResourceRecord): string | undefined {
  if (type === NS && data.kind === 'name') return data.target;
  if (type === MX && data.kind === 'mx') return data.exchange;
  if (type === SRV && data.kind === 'srv') return data.target;
  if ((type !== SVCB && type !== HTTPS) || data.kind !== 'opaque') return undefined;
  const target = readName(data.bytes, 2)?.name;
  // In service mode the root stands for the owner (RFC 9460 section 2.5.2).
  return target === '.' ? name : target;
}

/** The parts of one answer while it is put together. */
interface Draft {
  readonly zone: Zone;
  readonly asked: Asked;
  readonly answers: ResourceRecord[];
  readonly proofs: Set<ZoneNode>;
  /** Where the search is, after aliases. */
  key: string;
  owner: string;
  lasting: boolean;
}

const signaturesOf = ({ asked }: Draft, node: ZoneNode, type: number): readonly ResourceRecord[] =>
  asked.dnssec ? (node.signatures.get(type) ?? []) : [];

const withSignatures = (draft: Draft, node: ZoneNode, type: number): ResourceRecord[] => [
  ...(node.sets.get(type) ?? []),
  ...signaturesOf(draft, node, type),
];

/** Records of a wildcard under the name that was asked for. */
function renamed(records: readonly ResourceRecord[], owner: string): readonly ResourceRecord[] {
  return records[0]?.name === owner ? records : records.map((record) => ({ ...record, name: owner }));
}

/** Remembers the NSEC records that say what is not there. */
function deny(draft: Draft, ...keys: readonly string[]): void {
  if (!draft.asked.dnssec) return;
  for (const key of keys) {
    const node = draft.zone.before(key);
    if (node) draft.proofs.add(node);
  }
}

const proofsOf = (draft: Draft) => [...draft.proofs].flatMap((node) => withSignatures(draft, node, NSEC));

/** Addresses of the names that records point to, as far as the zone has them. */
function addressesFor(draft: Draft, records: readonly ResourceRecord[]): ResourceRecord[] {
  const nodes = new Set<ZoneNode>();
  for (const record of records) {
    const target = targetOf(record);
    const node = target === undefined ? undefined : draft.zone.nodes.get(keyOfName(target) ?? '');
    if (node) nodes.add(node);
  }
  const own = new Set(records);
  const found = [...nodes].flatMap((node) => [A, AAAA].flatMap((type) => withSignatures(draft, node, type)));
  return found.filter((record) => !own.has(record));
}

function negative(draft: Draft, code: number, missing: boolean): LookedUp {
  const { zone, answers } = draft;
  const { soa } = zone;
  // How long it may be believed that something is not there (RFC 2308 section 3).
  const ttl = soa.data.kind === 'soa' ? Math.min(soa.ttl, soa.data.minimum) : soa.ttl;
  // Of the types that a name has not, only those that everybody asks for: the others could be made up without end.
  const lasting = draft.lasting && !missing && (draft.asked.type === A || draft.asked.type === AAAA);
  const authority = zone.apex.sets.has(SOA) ? withSignatures(draft, zone.apex, SOA) : [soa];
  return {
    ...{ rcode: code, authoritative: true, answers, additional: [], missing, lasting },
    authority: [...authority.map((record) => ({ ...record, ttl })), ...proofsOf(draft)],
  };
}

function positive(draft: Draft, code: number = rcode.NOERROR, rest: Partial<LookedUp> = {}): LookedUp {
  const { zone, answers } = draft;
  const names = answers.some(({ type, name }) => type === NS && name === zone.origin);
  const servers = names ? [] : withSignatures(draft, zone.apex, NS);
  return {
    ...{ rcode: code, authoritative: true, answers, missing: false, lasting: draft.lasting },
    authority: [...servers, ...proofsOf(draft)],
    additional: addressesFor(draft, answers),
    ...rest,
  };
}

/** Who serves the names below a cut; the addresses of those servers are glue. */
function referral(draft: Draft, node: ZoneNode): LookedUp {
  const { answers, asked } = draft;
  const servers = node.sets.get(NS) ?? [];
  const secure = node.sets.has(DS) ? DS : NSEC;
  return {
    // Of an alias that leads below a cut this server is the authority.
    ...{ rcode: rcode.NOERROR, authoritative: answers.length > 0, answers, missing: false, lasting: false },
    authority: [...servers, ...(asked.dnssec ? withSignatures(draft, node, secure) : [])],
    additional: addressesFor(draft, servers),
  };
}

/** Goes on at the target of an alias; a result ends the search. */
function follow(draft: Draft, target: string, visited: Set<string>): LookedUp | undefined {
  const key = keyOfName(target);
  if (key === undefined || visited.has(key) || visited.size > maxAliases)
    return positive(draft, rcode.NOERROR, { lasting: false });
  if (!ancestorsOf(key, draft.zone.key)) return positive(draft, rcode.NOERROR, { continueAt: target, lasting: false });
  visited.add(key);
  draft.key = key;
  draft.owner = nameOfKey(key);
  return undefined;
}

/** Below a DNAME: the same name elsewhere (RFC 6672 section 3.2). */
function move(
  draft: Draft,
  { node, at }: Extract<Spot, { kind: 'moved' }>,
  visited: Set<string>,
): LookedUp | undefined {
  const record = node.sets.get(DNAME)![0]!;
  draft.answers.push(...withSignatures(draft, node, DNAME));
  draft.lasting = false;
  const end = record.data.kind === 'opaque' ? keyOfName(readName(record.data.bytes, 0)?.name ?? '') : undefined;
  const key = draft.key.slice(0, at) + (end ?? '');
  if (end === undefined || key.length > maxNameLength) return positive(draft, rcode.YXDOMAIN);
  const target = nameOfKey(key);
  draft.answers.push(targetRecord(draft.owner, CNAME, record.ttl, target));
  const asksAlias = draft.asked.type === CNAME || draft.asked.type === ANY;
  return asksAlias ? positive(draft) : follow(draft, target, visited);
}

function wantedSets(draft: Draft, node: ZoneNode): readonly ResourceRecord[] {
  const { type, whole } = draft.asked;
  if (type === RRSIG) return [...node.signatures.values()].flat();
  if (type !== ANY) return node.sets.has(type) ? withSignatures(draft, node, type) : [];
  const types = [...node.sets.keys()];
  return (whole ? types : types.slice(0, 1)).flatMap((each) => withSignatures(draft, node, each));
}

/** The records of a name that exists, by itself or by a wildcard. */
function answerAt(draft: Draft, node: ZoneNode, owner: string, visited: Set<string>): LookedUp | undefined {
  const alias = besideAlias.has(draft.asked.type) ? undefined : node.sets.get(CNAME)?.[0];
  if (alias?.data.kind === 'name') {
    draft.answers.push(...renamed([alias, ...signaturesOf(draft, node, CNAME)], owner));
    return follow(draft, alias.data.target, visited);
  }
  const records = wantedSets(draft, node);
  if (records.length === 0) return undefinedType(draft, node);
  draft.answers.push(...renamed(records, owner));
  return positive(draft);
}

/** The name exists, the type does not. */
function undefinedType(draft: Draft, node: ZoneNode): LookedUp {
  if (draft.asked.dnssec && node.sets.has(NSEC)) draft.proofs.add(node);
  else deny(draft, keyOfName(node.name) ?? '');
  return negative(draft, rcode.NOERROR, node.sets.size === 0);
}

function step(draft: Draft, visited: Set<string>): LookedUp | undefined {
  const spot = locate(draft.zone, draft.key, draft.asked.type);
  if (spot.kind === 'node') return answerAt(draft, spot.node, spot.node.name, visited);
  if (spot.kind === 'cut') return referral(draft, spot.node);
  if (spot.kind === 'moved') return move(draft, spot, visited);
  draft.lasting = false;
  deny(draft, draft.key);
  if (spot.kind === 'wildcard') return answerAt(draft, spot.node, draft.owner, visited);
  deny(draft, wildcardLabel + spot.encloser);
  return negative(draft, rcode.NXDOMAIN, true);
}

/** Looks up a name that is in the zone. */
export function lookUp(zone: Zone, asked: Asked): LookedUp {
  const draft: Draft = {
    ...{ zone, asked, answers: [], proofs: new Set<ZoneNode>() },
    ...{ key: asked.key, owner: asked.name, lasting: true },
  };
  const visited = new Set([asked.key]);
  for (;;) {
    const found = step(draft, visited);
    if (found) return found;
  }
}
