/** What becomes of an estate of ingress-nginx: in one line for each annotation, and in numbers. */
import { type Diagnostic, diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Ingress } from '../../kube/types/index.ts';
import { readNginxAnnotations } from '../../routing/ingress-nginx/annotations/read.ts';
import {
  isNginxKey,
  type NginxKey,
  nginxPrefix,
  noteOf,
  rowOf,
} from '../../routing/ingress-nginx/annotations/table.ts';
import { type Location, locationsOf, nginxIngresses } from '../ingress-nginx/estate.ts';
import type { World } from '../world.ts';

/** How many Ingresses have an annotation, by its name after the prefix; the most frequent first. */
export type KeyCounts = Readonly<Record<string, number>>;

/** Every Ingress is counted once, by the gravest of what can be said of it. */
export interface EstateSummary {
  readonly ingresses: number;
  readonly asTheyAre: number;
  /** All annotations are followed, some with a difference that is stated. */
  readonly withDifferences: number;
  readonly differences: KeyCounts;
  /** Some annotations that nobody is protected by are left out: refused, unknown, without a valid value. */
  readonly withoutSome: number;
  readonly leftOut: KeyCounts;
  /** Of Ingresses with a location that is shut. */
  readonly withShutLocations: number;
  readonly locations: number;
  readonly shut: readonly Location[];
}

const namesOf = ({ metadata }: Ingress): NginxKey[] =>
  Object.keys(metadata.annotations ?? {})
    .filter((name) => name.startsWith(nginxPrefix))
    .map((name) => name.slice(nginxPrefix.length))
    .filter(isNginxKey)
    .sort();

/** Annotations that are followed with a difference. What is switched off has none, and what the difference is not about. */
function differing(ingress: Ingress): NginxKey[] {
  const { asked } = readNginxAnnotations(ingress);
  return namesOf(ingress).filter((name) => {
    const { verdict, alias, concerns } = rowOf(name);
    const value = asked[(alias ?? name) as NginxKey];
    if (verdict !== 'differs' || value === undefined || value === false) return false;
    return concerns?.(value) ?? true;
  });
}

/** Findings that a front door has no need to tell: what is not the same as in ingress-nginx. */
export function differenceFindings(world: World): Diagnostic[] {
  return nginxIngresses(world).flatMap((ingress) => {
    const object = refOf(ingress);
    return differing(ingress).map((name) => {
      const fieldPath = `metadata.annotations["${nginxPrefix}${name}"]`;
      const position = world.position(object, fieldPath);
      const message = `${nginxPrefix}${name} is followed, with a difference: ${noteOf(name)?.replace(/\.$/, '')}`;
      return diagnostic('FW5507', { message, object, fieldPath, ...(position && { position }) });
    });
  });
}

/** Codes of annotations that are left out while the location is served. */
const leaving: ReadonlySet<string> = new Set(['FW5502', 'FW5503', 'FW5505', 'FW5506']);

/** Names of annotations that are left out, by the Ingress that has them. */
function leftOutBy({ diagnostics }: World, ingresses: readonly Ingress[]): ReadonlyMap<string, ReadonlySet<string>> {
  const followed = new Map(
    ingresses.map((one) => [formatRef(refOf(one)), new Set(Object.keys(readNginxAnnotations(one).asked))]),
  );
  const found = new Map<string, Set<string>>();
  for (const { code, object, fieldPath = '' } of diagnostics) {
    const [, name] = /^metadata\.annotations\["[^"/]*\/([^"]+)"\]$/.exec(fieldPath) ?? [];
    if (!leaving.has(code) || !object || name === undefined) continue;
    const owner = formatRef(object);
    // Without another one, some do less than they say.
    if (code === 'FW5506' && followed.get(owner)?.has(name)) continue;
    found.set(owner, (found.get(owner) ?? new Set()).add(name));
  }
  return found;
}

function countsOf(names: readonly string[]): KeyCounts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** Undefined where there is no Ingress of ingress-nginx. */
export function estateSummary(world: World): EstateSummary | undefined {
  const ingresses = nginxIngresses(world);
  if (ingresses.length === 0) return undefined;
  const locations = locationsOf(world);
  const shut = locations.filter((location) => location.shut !== null);
  const closed = new Set(shut.map(({ owner }) => owner));
  const leftOut = leftOutBy(world, ingresses);
  const told = ingresses.map((ingress) => {
    const owner = formatRef(refOf(ingress));
    return { isShut: closed.has(owner), without: [...(leftOut.get(owner) ?? [])], differing: differing(ingress) };
  });
  const open = told.filter(({ isShut }) => !isShut);
  const whole = open.filter(({ without }) => without.length === 0);
  const asTheyAre = whole.filter((each) => each.differing.length === 0).length;
  return {
    ingresses: ingresses.length,
    asTheyAre,
    withDifferences: whole.length - asTheyAre,
    differences: countsOf(told.flatMap((each) => each.differing)),
    withoutSome: open.length - whole.length,
    leftOut: countsOf(told.flatMap(({ without }) => without)),
    withShutLocations: told.length - open.length,
    locations: locations.length,
    shut,
  };
}

const counted = (counts: KeyCounts): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} (${count})`)
    .join(', ');

const withNames = (text: string, counts: KeyCounts): string => {
  const names = counted(counts);
  return names === '' ? text : `${text}: ${names}`;
};

export function renderEstate(summary: EstateSummary): string {
  const { ingresses, asTheyAre, withDifferences, withoutSome, withShutLocations, locations, shut } = summary;
  const width = String(ingresses).length;
  const row = (count: number, text: string) => `  ${String(count).padStart(width)} ${text}`;
  return [
    `Ingresses of ingress-nginx: ${ingresses}`,
    row(asTheyAre, 'run as they are'),
    row(withDifferences, withNames('run with a stated difference', summary.differences)),
    row(withoutSome, withNames('run without some annotation', summary.leftOut)),
    row(withShutLocations, `with locations that answer 503, ${shut.length} of ${locations} in all`),
    ...shut.map(({ hostname, path, owner, shut: why }) => `    ${hostname}${path} of ${owner}: ${why}`),
  ].join('\n');
}
