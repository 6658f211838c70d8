/** The annotations of HTTPRoutes, GRPCRoutes and Ingresses that the data plane follows: names, values, and what is wrong with them. */
import { closestTo } from '../../base/closest.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { annotationPrefix, policyAnnotations } from '../backend-policy/annotations.ts';
import { duration, type ValueReader } from '../backend-policy/values.ts';
import {
  address,
  addressBlocks,
  bytes,
  codings,
  crowd,
  headerNames,
  mediaTypes,
  pages,
  rate,
  realm,
  retry,
  rewrite,
  secretName,
  serviceTarget,
} from './values.ts';

export { annotationPrefix } from '../backend-policy/annotations.ts';

/** By kind: why an annotation has no effect on such objects. */
type Vain = Readonly<Partial<Record<string, string>>>;

interface Annotation<T> extends ValueReader<T> {
  /** When it cannot be honoured, the object lets no request through; otherwise it is left out. */
  readonly guards: boolean;
  /** It means nothing without this one. */
  readonly of?: string;
  readonly vain: Vain;
}

const guard = <T>(reader: ValueReader<T>, of?: string, vain: Vain = {}): Annotation<T> => ({
  ...reader,
  guards: true,
  ...(of !== undefined && { of }),
  vain,
});

const shape = <T>(reader: ValueReader<T>, vain: Vain, of?: string): Annotation<T> => ({
  ...guard(reader, of, vain),
  guards: false,
});

/** Both ends of a call see to it themselves. */
const notForCalls: Vain = { GRPCRoute: 'on a GRPCRoute, whose calls have answers and compression of their own' };

const notForClients: Vain = { GRPCRoute: 'on a GRPCRoute, whose clients follow no redirects' };

const instead = (field: string): Vain => ({ HTTPRoute: `on an HTTPRoute, which has spec.rules[].${field}` });

const notRepeated: Vain = { ...instead('retry'), GRPCRoute: 'on a GRPCRoute, whose calls are not repeated' };

/** By name after the prefix. */
export const routeAnnotations = {
  'allow-from': guard(addressBlocks),
  'deny-from': guard(addressBlocks),
  'basic-auth': guard(secretName),
  'basic-auth-realm': guard(realm, 'basic-auth'),
  'external-auth': guard(serviceTarget),
  'external-auth-request-headers': guard(headerNames, 'external-auth'),
  'external-auth-response-headers': guard(headerNames, 'external-auth'),
  'external-auth-sign-in': guard(address, 'external-auth', notForClients),
  'external-auth-timeout': guard(duration(1, '1ms'), 'external-auth'),
  'rate-limit': guard(rate),
  'max-concurrent-requests': guard(crowd),
  'max-request-body': guard(bytes),
  rewrite: guard(rewrite),
  'error-pages': shape(pages, notForCalls),
  compression: shape(codings, notForCalls),
  'compression-types': shape(mediaTypes, notForCalls, 'compression'),
  'compression-min-size': shape(bytes, notForCalls, 'compression'),
  'request-timeout': shape(duration(0, '0s'), instead('timeouts.request')),
  'backend-request-timeout': shape(duration(0, '0s'), instead('timeouts.backendRequest')),
  'idle-timeout': shape(duration(0, '0s'), {}),
  retry: shape(retry, notRepeated),
};

type Annotations = typeof routeAnnotations;
export type AnnotationName = keyof Annotations;

/** What an object asks for; what it does not, or in vain, is absent. */
export type Asked = { -readonly [Name in AnnotationName]?: Annotations[Name] extends ValueReader<infer T> ? T : never };

export interface AnnotationProblem {
  readonly code: 'FW5401' | 'FW5402' | 'FW5403' | 'FW5404';
  /** After the prefix. */
  readonly name: string;
  readonly message: string;
  /** Graver than the code is as a rule: somebody relies on being guarded. */
  readonly grave?: true;
}

export interface Reading {
  readonly asked: Asked;
  readonly problems: readonly AnnotationProblem[];
}

const isKnown = (name: string): name is AnnotationName => Object.hasOwn(routeAnnotations, name);

/** Annotations under the prefix by what stands after it, sorted. */
function annotationsOf({ metadata }: KubeObject): readonly (readonly [name: string, value: string])[] {
  const found: [string, string][] = [];
  for (const key in metadata.annotations)
    if (key.startsWith(annotationPrefix))
      found.push([key.slice(annotationPrefix.length), String(metadata.annotations[key]).trim()]);
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

export function readAnnotations(object: KubeObject): Reading {
  const found = annotationsOf(object);
  const names = new Set(found.map(([name]) => name));
  const asked: Record<string, unknown> = {};
  const problems: AnnotationProblem[] = [];
  for (const [name, value] of found) {
    const problem = isKnown(name) ? read(object.kind, name, value, names, asked) : unknown(name);
    if (problem) problems.push(problem);
  }
  return { asked, problems };
}

function read(
  kind: string,
  name: AnnotationName,
  text: string,
  names: ReadonlySet<string>,
  into: Record<string, unknown>,
): AnnotationProblem | undefined {
  const { read, expected, guards, of, vain: why } = routeAnnotations[name] as Annotation<unknown>;
  if (why[kind] !== undefined) return vain(name, why[kind]);
  if (of !== undefined && !names.has(of)) return vain(name, `without ${annotationPrefix}${of}`);
  const value = read(text);
  if (value === undefined) {
    const message = `${annotationPrefix}${name} is ${JSON.stringify(shortened(text))}; it must be ${expected}`;
    return { code: guards ? 'FW5401' : 'FW5403', name, message };
  }
  into[name] = value;
  return undefined;
}

/** Values may be as long as all annotations of an object together. */
function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function vain(name: string, why: string): AnnotationProblem {
  return { code: 'FW5404', name, message: `${annotationPrefix}${name} has no effect ${why}` };
}

function unknown(name: string): AnnotationProblem {
  if (Object.hasOwn(policyAnnotations, name)) return vain(name, 'on a route: it is an annotation of Services');
  const meant = closestTo(name, Object.keys(routeAnnotations));
  const message = `there is no annotation ${annotationPrefix}${name}${meant ? `; ${annotationPrefix}${meant} may be meant` : ''}`;
  const isGuard = meant !== undefined && isKnown(meant) && routeAnnotations[meant].guards;
  return { code: 'FW5402', name, message, ...(isGuard && { grave: true }) };
}

/** For objects whose annotations are not followed: each that is known has no effect. */
export function vainAnnotations(object: KubeObject, why: string): AnnotationProblem[] {
  return annotationsOf(object).flatMap(([name]) =>
    isKnown(name) ? [{ ...vain(name, why), ...(routeAnnotations[name].guards && { grave: true as const }) }] : [],
  );
}
