/** In what two observations of the same request differ, and those differences put in order. */
import type { Ask } from './client.ts';
import { type Seen, tellHeader } from './echo.ts';
import type { Observed } from './observe.ts';

/** One request that two fronts did not answer alike. */
export interface Disagreement {
  readonly behaviour: string;
  readonly ask: Ask;
  readonly nginx: Observed;
  readonly fairway: Observed;
  /** What differs: `status`, `header location`, `body`, `backends`, `alpha target`, `alpha header x-scheme` … */
  readonly fields: readonly string[];
}

type Headers = readonly (readonly [name: string, value: string])[];

/** Empty when they agree. */
export function differingFields(a: Observed, b: Observed): string[] {
  const fields = a.status === b.status ? [] : ['status'];
  fields.push(...differingHeaders(a.headers, b.headers).map((name) => `header ${name}`));
  if (a.body !== b.body) fields.push('body');
  if (namesOf(a).join(' ') !== namesOf(b).join(' ')) return [...fields, 'backends'];
  return [...fields, ...a.seen.flatMap((one, i) => differingSeen(one, b.seen[i]!))];
}

function differingSeen(a: Seen, b: Seen): string[] {
  const parts = (['method', 'target', 'body'] as const).filter((part) => a[part] !== b[part]);
  const headers = differingHeaders(a.headers, b.headers).map((name) => `header ${name}`);
  return [...parts, ...headers].map((field) => `${a.backend} ${field}`);
}

function differingHeaders(a: Headers, b: Headers): string[] {
  const names = new Set([...a, ...b].map(([name]) => name));
  return [...names].filter((name) => valuesOf(a, name) !== valuesOf(b, name)).sort();
}

function valuesOf(headers: Headers, wanted: string): string {
  return JSON.stringify(headers.filter(([name]) => name === wanted).map(([, value]) => value));
}

/** Disagreements of one kind, told by the shortest request among them. */
export interface Kind {
  readonly count: number;
  /** Fields of this kind. */
  readonly fields: readonly string[];
  readonly shortest: Disagreement;
}

const lengthOf = ({ ask }: Disagreement) => JSON.stringify(ask).length;
const isCourse = (field: string) => field === 'status' || field === 'backends' || field === 'header location';

/**
 * By behaviour. Where a request takes another course (status, backend, Location), by that; otherwise each field by
 * itself.
 */
export function kindsOf(disagreements: readonly Disagreement[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const each of disagreements) {
    const course = each.fields.filter(isCourse);
    for (const fields of course.length > 0 ? [course] : each.fields.map((field) => [field])) {
      const key = `${each.behaviour} ${course.length > 0 ? courseOf(each, fields) : withoutName(fields[0]!)}`;
      const known = kinds.get(key);
      const shortest = known && lengthOf(known.shortest) <= lengthOf(each) ? known.shortest : each;
      kinds.set(key, { count: (known?.count ?? 0) + 1, fields, shortest });
    }
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count);
}

/** The two statuses and the backends reached. */
function courseOf({ nginx, fairway }: Disagreement, fields: readonly string[]): string {
  return [nginx.status, ...namesOf(nginx), '|', fairway.status, ...namesOf(fairway), ...fields].join(' ');
}

/** `header x-scheme` of whatever backend; headers of the response keep `header location`. */
const withoutName = (field: string) => field.replace(/^(?!header )[a-z]+ /, 'backend ');

const namesOf = ({ seen }: Observed) => seen.map(({ backend }) => backend);

/** Some lines that tell what to look at. */
export function describeKind({ count, fields, shortest: { behaviour, ask, nginx, fairway } }: Kind): string {
  const { method = 'GET', host, target, headers = [] } = ask;
  const asked = `${method} ${host} ${target}${headers.map(([name, value]) => ` -H '${name}: ${readable(name, value)}'`).join('')}`;
  const values = fields.map(
    (field) => `    ${field}: nginx ${fieldOf(nginx, field)}, Fairway ${fieldOf(fairway, field)}`,
  );
  return [`${behaviour}: ${asked} (${count} of this kind)`, ...values].join('\n');
}

/** What a backend is told, in words. */
function readable(name: string, value: string): string {
  return name.startsWith(tellHeader('')) ? Buffer.from(value, 'base64url').toString() : value;
}

function fieldOf(observed: Observed, field: string): string {
  const parts = field.split(' ');
  if (field === 'status') return String(observed.status);
  if (field === 'body') return JSON.stringify(observed.body);
  if (field === 'backends') return JSON.stringify(observed.seen.map(({ backend, target }) => `${backend} ${target}`));
  if (parts[0] === 'header') return valuesOf(observed.headers, parts[1]!);
  const seen = observed.seen.find(({ backend }) => backend === parts[0])!;
  if (parts[1] === 'header') return valuesOf(seen.headers, parts[2]!);
  return JSON.stringify(seen[parts[1] as 'method' | 'target' | 'body']);
}
