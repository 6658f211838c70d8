/** Ingresses in short form, and what becomes of requests by the plan that is made of them: for the tests of this folder. */
import { inputOf, loadObjects, serviceYaml, storeOf } from '../ingress/test-helpers.ts';
import { translateIngress } from '../ingress/translate.ts';
import { compileListener } from '../match/matcher.ts';
import { joinTarget, rewritePath } from '../match/rewrite.ts';
import type { Condition, RequestFact, Route, Template } from '../plan/plan.ts';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { nginxPrefix } from './annotations/table.ts';

type Rule = readonly [host: string, pathType: string, path: string, service: string, port?: number | string];

export interface IngressOptions {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly age?: number;
  readonly namespace?: string;
  readonly spec?: object;
  readonly class?: string;
}

/** An Ingress of class nginx; `age` is seconds after the first one could have come. */
export function nginxIngress(name: string, rules: readonly Rule[], options: IngressOptions = {}): object {
  const { annotations = {}, age, namespace = 'default', spec = {}, class: ingressClassName = 'nginx' } = options;
  const prefixed = Object.entries(annotations).map(([key, value]) => [`${nginxPrefix}${key}`, value]);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      ...{ name, namespace, uid: `${namespace}-${name}`, annotations: Object.fromEntries(prefixed) },
      ...(age !== undefined && { creationTimestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, age)).toISOString() }),
    },
    spec: {
      ingressClassName,
      ...(rules.length > 0 && {
        rules: rules.map(([host, pathType, path, service, port = 80]) => ({
          ...(host && { host }),
          http: { paths: [{ path, pathType, backend: serviceBackend(service, port) }] },
        })),
      }),
      ...spec,
    },
  };
}

export const serviceBackend = (name: string, port: number | string = 80): object => ({
  service: { name, port: typeof port === 'number' ? { number: port } : { name: port } },
});

export const services = (...names: readonly string[]): object[] =>
  loadObjects(names.map((name) => serviceYaml(name)).join(''));

export function translateNginx(objects: readonly object[], changes: Partial<TranslateInput> = {}): TranslateOutput {
  return translateIngress(inputOf(storeOf(objects as Parameters<typeof storeOf>[0]), changes));
}

export interface Asked {
  readonly output: TranslateOutput;
  readonly host: string;
  /** With its query. */
  readonly target: string;
  readonly tls?: boolean;
}

/**
 * `web /path?query`: the Service that a request reaches and what it asks there. `301 http://…` and so on for an answer that is a
 * redirect, the status alone for others.
 */
export function become({ output, host, target, tls = false }: Asked): string {
  const listener = output.listeners.find(({ port }) => port === (tls ? 443 : 80));
  if (!listener) return 'refused';
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const { route } = compileListener(listener).match({ host, path, query, method: 'GET', headers: () => undefined });
  if (!route) return '404';
  const request: Request = { host, path, query, tls, groups: groupsOf(route, path) };
  return answered(route, request) ?? forwarded(output, route, request);
}

interface Request {
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly tls: boolean;
  readonly groups: readonly (string | undefined)[];
}

/** By JavaScript's own patterns, which are an independent judge. */
function groupsOf({ match: { path } }: Route, requested: string): readonly (string | undefined)[] {
  if (path?.type !== 'regex') return [];
  return new RegExp(`^${path.value.replaceAll('(?s:', '(?:')}$`, 'is').exec(requested) ?? [];
}

function answered({ filters }: Route, request: Request): string | undefined {
  for (const filter of filters) {
    if (filter.type !== 'respond' || !filter.when.every((condition) => holds(condition, request))) continue;
    if (!filter.location) return String(filter.status);
    const location = text(filter.location, request);
    const isAbsolute = !location.startsWith('/') || filter.relative;
    return `${filter.status} ${isAbsolute ? location : `${schemeOf(request)}://${nameOf(request)}${location}`}`;
  }
  return undefined;
}

function forwarded(output: TranslateOutput, { action, filters }: Route, { path, query }: Request): string {
  if (action.type === 'respond') return String(action.status);
  if (action.type !== 'forward') return action.type;
  const [first] = action.backends;
  if (first?.invalid) return String(first.invalid.status);
  const found = output.backends.find(({ id }) => id === first?.backend);
  const rewrite = filters.find(({ type }) => type === 'rewrite');
  const now = rewrite?.type === 'rewrite' && rewrite.path ? rewritePath(rewrite.path, path, undefined) : path;
  return `${found ? found.service : 'nobody'} ${joinTarget(now, query)}`;
}

const schemeOf = ({ tls }: Request) => (tls ? 'https' : 'http');
const nameOf = ({ host }: Request) => host.toLowerCase().replace(/:\d+$/, '');
const uriOf = ({ path, query }: Request) => (query === '' ? path : `${path}?${query}`);

const facts: Readonly<Partial<Record<RequestFact, (request: Request) => string>>> = {
  scheme: schemeOf,
  host: ({ host }) => host,
  hostname: nameOf,
  method: () => 'GET',
  port: ({ tls }) => (tls ? '443' : '80'),
  query: ({ query }) => query,
  'query-mark': ({ query }) => (query === '' ? '' : '?'),
  uri: uriOf,
  'uri-without-slash': (request) => uriOf(request).replace(/\/$/, ''),
};

function text(template: Template, request: Request): string {
  const parts = template.map((part) => {
    if (typeof part === 'string') return part;
    if (part.of === 'capture') return request.groups[part.group] ?? '';
    const fact = part.of === 'fact' ? facts[part.fact] : undefined;
    if (!fact) throw new Error(`not known here: ${JSON.stringify(part)}`);
    return fact(request);
  });
  return parts.join('');
}

function holds({ value, test, not }: Condition, request: Request): boolean {
  if (test.type !== 'equals') throw new Error(`not known here: ${test.type}`);
  return (text(value, request) === test.text) !== (not === true);
}
