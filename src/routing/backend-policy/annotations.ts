/** The annotations of a Service that say how its endpoints are used: names, values, and what is wrong with them. */
import type { Service } from '../../kube/types/index.ts';
import { check, duration, failures, hashSources, oneOf, type ValueReader, wholeNumber } from './values.ts';

export const annotationPrefix = 'fairway.dev/';

/** By name after the prefix. */
export const policyAnnotations = {
  balance: oneOf('round-robin', 'least-request', 'random', 'hash'),
  'hash-by': hashSources,
  'slow-start': duration(0, '0s'),
  'health-check': check,
  'health-check-interval': duration(100, '100ms'),
  'health-check-timeout': duration(1, '1ms'),
  'outlier-ejection': failures,
  'max-connections': wholeNumber(1, 1_000_000),
  'max-requests': wholeNumber(1, 1_000_000),
  'max-pending': wholeNumber(0, 1_000_000),
  'connect-timeout': duration(1, '1ms'),
  'warm-connections': wholeNumber(0, 100),
  'proxy-protocol': oneOf('v1', 'v2'),
};

type Annotations = typeof policyAnnotations;
export type AnnotationName = keyof Annotations;

/** What a Service asks for; what it does not, or in vain, is absent. */
export type Asked = { -readonly [Name in AnnotationName]?: Annotations[Name] extends ValueReader<infer T> ? T : never };

/** Annotations of Services under the prefix that mean something elsewhere. */
const elsewhere: ReadonlySet<string> = new Set(['requested-cluster-ips']);

/** Those that mean nothing without another one, and that one. */
const companions: readonly (readonly [AnnotationName, AnnotationName])[] = [
  ['health-check-interval', 'health-check'],
  ['health-check-timeout', 'health-check'],
];

export interface AnnotationProblem {
  readonly code: 'FW5301' | 'FW5302' | 'FW5303';
  /** After the prefix. */
  readonly name: string;
  readonly message: string;
}

export interface Reading {
  readonly asked: Asked;
  readonly problems: readonly AnnotationProblem[];
}

const isKnown = (name: string): name is AnnotationName => Object.hasOwn(policyAnnotations, name);

export function readAnnotations({ metadata }: Service): Reading {
  const asked: Record<string, unknown> = {};
  const problems: AnnotationProblem[] = [];
  for (const [key, value] of Object.entries(metadata.annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!key.startsWith(annotationPrefix)) continue;
    const name = key.slice(annotationPrefix.length);
    if (elsewhere.has(name)) continue;
    if (!isKnown(name)) {
      problems.push({ code: 'FW5302', name, message: `there is no annotation ${key}` });
      continue;
    }
    const { read, expected } = policyAnnotations[name];
    asked[name] = read(value.trim());
    if (asked[name] === undefined)
      problems.push({ code: 'FW5301', name, message: `${key} is ${JSON.stringify(value)}; it must be ${expected}` });
  }
  return { asked, problems: [...problems, ...withoutEffect(asked)] };
}

/** One whose value is wrong has its finding: nothing is said of what it would have given an effect. */
function withoutEffect(asked: Asked): AnnotationProblem[] {
  const problems: AnnotationProblem[] = [];
  const isThere = (name: AnnotationName) => Object.hasOwn(asked, name);
  const isInvalid = (name: AnnotationName) => isThere(name) && asked[name] === undefined;
  const vain = (name: AnnotationName, why: string) =>
    problems.push({ code: 'FW5303', name, message: `${annotationPrefix}${name} has no effect ${why}` });
  for (const [name, other] of companions)
    if (asked[name] !== undefined && !isThere(other)) vain(name, `without ${annotationPrefix}${other}`);
  if (asked['hash-by'] && asked.balance !== 'hash' && !isInvalid('balance'))
    vain('hash-by', `without ${annotationPrefix}balance: hash`);
  if (asked['slow-start'] && asked.balance === 'hash')
    vain('slow-start', 'with balance: hash, where the endpoint follows from the request');
  if (asked['max-pending'] && !isThere('max-connections') && !isThere('max-requests'))
    vain('max-pending', `without ${annotationPrefix}max-connections or ${annotationPrefix}max-requests`);
  if (asked['warm-connections'] && asked['proxy-protocol'])
    vain('warm-connections', `with ${annotationPrefix}proxy-protocol, which is told with the first request`);
  return problems;
}
