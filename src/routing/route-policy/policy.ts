/**
 * What annotations of an HTTPRoute, GRPCRoute or Ingress ask for, to be done for every rule of it. A guard that cannot be had shuts
 * the object, and no other; what only shapes traffic is left out then. Both translators ask here.
 */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import type { KubeObject, Secret } from '../../kube/types/index.ts';
import { markOnce } from '../incremental/capture.ts';
import type { BackendId, Filter, Route } from '../plan/plan.ts';
import type { TranslateInput } from '../translate.ts';
import {
  type AnnotationName,
  type AnnotationProblem,
  annotationPrefix,
  type Reading,
  readAnnotations,
  routeAnnotations,
  vainAnnotations,
} from './annotations.ts';
import { filtersOf, type Referred, retryOf, timeoutsOf } from './filters.ts';
import { usersKey, usersOf } from './htpasswd.ts';
import type { ServiceTarget } from './values.ts';

/** Reason and message of a condition. */
export interface PolicyFault {
  readonly reason: string;
  readonly message: string;
}

/** What a translator lends. What is asked for is noted there as a thing that the result depends on. */
export interface PolicyScope {
  readonly input: Pick<TranslateInput, 'store' | 'position'>;
  readonly findings: Diagnostic[];
  /** The backend of a Service of the object's namespace, or why there is none; reports nothing about the object. */
  findBackend(service: string, port: number): { readonly id: BackendId } | PolicyFault;
  /** `key`: `namespace/name`. */
  findSecret(key: string): Secret | undefined;
}

export interface RoutePolicy {
  /** To go before the filters of a rule. */
  readonly filters: readonly Filter[];
  readonly timeouts?: NonNullable<Route['timeouts']>;
  readonly retry?: NonNullable<Route['retry']>;
  /** Set: no rule of the object lets a request through, for this reason. Clients get to see it: it names no object. */
  readonly refusal?: string;
  /** A guard has a value that is none. */
  readonly valueFault?: PolicyFault;
  /** What is referred to and not there. */
  readonly refFaults: readonly PolicyFault[];
}

export const noPolicy: RoutePolicy = { filters: [], refFaults: [] };

/**
 * Whose annotations an object goes by. `ingress-nginx`: not by these; they are reported to have no effect, as what their
 * author relies on is not done.
 */
export type Dialect = 'fairway' | 'ingress-nginx';

const dialects: Readonly<Record<Dialect, (scope: PolicyScope, object: KubeObject) => RoutePolicy>> = {
  fairway: ownPolicy,
  'ingress-nginx': (scope, object) =>
    withoutPolicy(scope, object, `on an ${object.kind} of the class of ingress-nginx`),
};

/** Reports what is wrong with the annotations, and yields what is right. */
export function routePolicy(scope: PolicyScope, object: KubeObject, dialect: Dialect): RoutePolicy {
  return dialects[dialect](scope, object);
}

/** For kinds whose annotations are not followed. `why`: `on a TCPRoute`. */
export function withoutPolicy(
  scope: Pick<PolicyScope, 'input' | 'findings'>,
  object: KubeObject,
  why: string,
): RoutePolicy {
  for (const problem of vainAnnotations(object, why)) report(scope, object, problem);
  return noPolicy;
}

/** Objects are not changed but replaced. */
const readings = new WeakMap<KubeObject, Reading | undefined>();

/** Undefined: nothing is asked for, and nothing wrong. */
function readingOf(object: KubeObject): Reading | undefined {
  if (readings.has(object)) return readings.get(object);
  const reading = readAnnotations(object);
  const isEmpty = reading.problems.length === 0 && Object.keys(reading.asked).length === 0;
  readings.set(object, isEmpty ? undefined : reading);
  return isEmpty ? undefined : reading;
}

function ownPolicy(scope: PolicyScope, object: KubeObject): RoutePolicy {
  const reading = readingOf(object);
  if (!reading) return noPolicy;
  const { asked, problems } = reading;
  for (const problem of problems) report(scope, object, problem);
  const shut = problems.find(({ code }) => code === 'FW5401');
  const references = createReferences(scope, object);
  const referred = refer(references, scope, object, reading);
  const timeouts = timeoutsOf(asked);
  const retry = retryOf(asked);
  const culprit = shut?.name ?? references.missed;
  return {
    filters: filtersOf(asked, referred, `${object.kind}/${keyOf(object)}`),
    ...(timeouts && { timeouts }),
    ...(retry && { retry }),
    ...(culprit !== undefined && { refusal: `the annotation ${annotationPrefix}${culprit} cannot be honoured` }),
    ...(shut && { valueFault: { reason: 'UnsupportedValue', message: shut.message } }),
    refFaults: references.faults,
  };
}

function refer(references: References, scope: PolicyScope, object: KubeObject, { asked }: Reading): Referred {
  const { 'basic-auth': secret, 'external-auth': auth, 'error-pages': pages } = asked;
  const users = secret === undefined ? undefined : findUsers(references, scope, object, secret);
  const authService = auth && findService(references, scope, 'external-auth', auth);
  const pagesService = pages && findService(references, scope, 'error-pages', pages);
  return {
    ...(users && { users }),
    ...(authService !== undefined && { authService }),
    ...(pagesService !== undefined && { pagesService }),
  };
}

/** Collects what annotations refer to in vain. */
interface References {
  readonly faults: PolicyFault[];
  /** The first guard among them. */
  missed: AnnotationName | undefined;
  miss(name: AnnotationName, fault: PolicyFault): void;
}

function createReferences(scope: PolicyScope, object: KubeObject): References {
  const references: References = {
    faults: [],
    missed: undefined,
    miss(name, { reason, message: why }) {
      const { guards } = routeAnnotations[name];
      const message = `${annotationPrefix}${name}: ${why}`;
      report(scope, object, { code: guards ? 'FW5401' : 'FW5403', name, message });
      references.faults.push({ reason, message });
      if (guards) references.missed ??= name;
    },
  };
  return references;
}

function findUsers(references: References, scope: PolicyScope, { metadata }: KubeObject, name: string) {
  const key = `${metadata.namespace ?? 'default'}/${name}`;
  const secret = scope.findSecret(key);
  const miss = (reason: string, what: string) =>
    void references.miss('basic-auth', { reason, message: `the Secret ${key} ${what}` });
  if (!secret) return miss('SecretNotFound', 'does not exist');
  const reading = usersOf(secret);
  if (typeof reading === 'string') return miss('InvalidSecret', reading);
  if (reading.problems.length > 0) reportLines(scope, secret, reading.problems);
  return reading.users;
}

/** About the Secret, told once however many routes name it. */
function reportLines({ input, findings }: PolicyScope, secret: Secret, problems: readonly string[]): void {
  const object = refOf(secret);
  const fieldPath = `data.${usersKey}`;
  const place = input.position(object, fieldPath);
  const more = problems.length > 5 ? ` and ${problems.length - 5} more` : '';
  const message = `${problems.slice(0, 5).join('; ')}${more}`;
  findings.push(markOnce(diagnostic('FW5405', { message, object, fieldPath, ...(place && { position: place }) })));
}

function findService(
  references: References,
  scope: PolicyScope,
  name: 'external-auth' | 'error-pages',
  { service, port }: ServiceTarget,
): BackendId | undefined {
  const found = scope.findBackend(service, port);
  if ('id' in found) return found.id;
  references.miss(name, found);
  return undefined;
}

/** Told once, however many rules come across it. */
function report(
  { input, findings }: Pick<PolicyScope, 'input' | 'findings'>,
  of: KubeObject,
  { code, name, message, grave }: Pick<AnnotationProblem, 'code' | 'name' | 'message' | 'grave'>,
): void {
  const object = refOf(of);
  const fieldPath = `metadata.annotations["${annotationPrefix}${name}"]`;
  const place = input.position(object, fieldPath);
  const severity = grave && ({ severity: 'error' } as const);
  findings.push(
    markOnce(diagnostic(code, { message, object, fieldPath, ...(place && { position: place }), ...severity })),
  );
}

/** For an annotation that one of the rules has something of its own for. */
export function reportOverruled(
  scope: Pick<PolicyScope, 'input' | 'findings'>,
  object: KubeObject,
  name: AnnotationName,
  why: string,
): void {
  report(scope, object, { code: 'FW5404', name, message: `${annotationPrefix}${name} has no effect ${why}` });
}
