/** What an Ingress says in annotations of ingress-nginx, and what is wrong with that. */
import { closestTo } from '../../../base/closest.ts';
import type { Ingress } from '../../../kube/types/index.ts';
import { legacyAdvice } from './legacy.ts';
import { type Asked, isNginxKey, type NginxKey, nginxAnnotations, nginxPrefix, rowOf } from './table.ts';

/**
 * `FW5501`: it protects and cannot be honoured, so the locations answer 503. `FW5502`: its value is none, and the default
 * holds. `FW5503`: it cannot be had. `FW5504`: there is nothing that it could change. `FW5505`: it is not known.
 * `FW5506`: it means nothing without another one. `FW5508`: it holds over TLS only, and requests come without.
 */
export interface NginxProblem {
  readonly code: 'FW5501' | 'FW5502' | 'FW5503' | 'FW5504' | 'FW5505' | 'FW5506' | 'FW5508';
  /** After the prefix. */
  readonly name: string;
  readonly message: string;
  /** What the table notes of the annotation says what is wrong, or what to use instead. */
  readonly noted?: true;
  /** Graver than the code is as a rule: somebody relies on being protected. */
  readonly grave?: true;
}

export interface NginxReading {
  readonly asked: Asked;
  readonly problems: readonly NginxProblem[];
  /** Annotations that protect and have a value that is none, by the names that stand there: locations that need them are to be shut. */
  readonly broken: readonly NginxKey[];
}

/** Objects are not changed but replaced. */
const readings = new WeakMap<Ingress, NginxReading>();

export function readNginxAnnotations(ingress: Ingress): NginxReading {
  let reading = readings.get(ingress);
  if (!reading) {
    reading = readAll(ingress);
    readings.set(ingress, reading);
  }
  return reading;
}

interface Findings {
  readonly asked: Record<string, unknown>;
  readonly problems: NginxProblem[];
  readonly broken: NginxKey[];
  /** Names with a value. */
  readonly present: ReadonlySet<string>;
}

function readAll({ metadata }: Ingress): NginxReading {
  const values = valuesOf(metadata.annotations ?? {});
  const present = new Set([...values].filter(([, text]) => text !== '').map(([name]) => name));
  const findings: Findings = { asked: {}, problems: [], broken: [], present };
  for (const [name, text] of values) {
    if (isNginxKey(name)) readOne(findings, name, text);
    else findings.problems.push(unknown(name));
  }
  const { asked, problems, broken } = findings;
  return { asked, problems, broken };
}

/** By name after the prefix, sorted; each line without the white space around it. */
function valuesOf(annotations: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const found: [string, string][] = [];
  for (const key of Object.keys(annotations)) {
    if (!key.startsWith(nginxPrefix)) continue;
    const lines = String(annotations[key]).split('\n');
    found.push([
      key.slice(nginxPrefix.length),
      lines
        .map((line) => line.trim())
        .join('\n')
        .trim(),
    ]);
  }
  return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readOne(findings: Findings, name: NginxKey, text: string): void {
  const { read, expected, verdict, protects, alias, note, of, emptyIsWrong } = rowOf(name);
  const { asked, problems, broken, present } = findings;
  // The other name counts where that has a value.
  if (alias !== undefined && present.has(alias)) return;
  if (text === '' && (!emptyIsWrong || hasOtherName(name, present))) return;
  if (of && !of.some((other) => isThere(other, present))) {
    problems.push({ code: 'FW5506', name, message: withoutEffect(name, of), ...(protects && { grave: true }) });
    return;
  }
  const target = (alias ?? name) as NginxKey;
  const value = text === '' ? undefined : read(text);
  if (value === undefined) {
    const message = `${nginxPrefix}${name} is ${JSON.stringify(shortened(text))}; it must be ${expected}`;
    problems.push({ code: protects ? 'FW5501' : 'FW5502', name, message });
    if (protects) broken.push(name);
    return;
  }
  asked[target] = value;
  // What is switched off asks for nothing.
  if (value === false || (verdict !== 'ignored' && (verdict !== 'refused' || protects))) return;
  const message = `${nginxPrefix}${name} is not followed: ${note}`;
  problems.push({ code: verdict === 'ignored' ? 'FW5504' : 'FW5503', name, message });
}

const isThere = (name: string, present: ReadonlySet<string>) =>
  present.has(name) || Object.entries(nginxAnnotations).some(([key, row]) => aliasOf(row) === name && present.has(key));

const aliasOf = (row: object): unknown => ('alias' in row ? row.alias : undefined);

/** An annotation without a value whose alias has one. */
const hasOtherName = (name: NginxKey, present: ReadonlySet<string>) => isThere(name, present);

function withoutEffect(name: string, of: readonly string[]): string {
  return `${nginxPrefix}${name} has no effect without ${of.map((other) => `${nginxPrefix}${other}`).join(' or ')}`;
}

/** Values may be as long as all annotations of an object together. */
const shortened = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

function unknown(name: string): NginxProblem {
  const full = `${nginxPrefix}${name}`;
  const advice = legacyAdvice(name);
  if (advice !== undefined)
    return { code: 'FW5503', name, message: `${full} is no annotation of ingress-nginx any more: ${advice}` };
  const meant = closestTo(name, Object.keys(nginxAnnotations));
  const message = `there is no annotation ${full}${meant ? `; ${nginxPrefix}${meant} may be meant` : ''}`;
  const isGuard = meant !== undefined && isNginxKey(meant) && rowOf(meant).protects;
  return { code: 'FW5505', name, message, ...(isGuard && { grave: true }) };
}
