/** Ingress and IngressClass (networking.k8s.io/v1). */
import { isIP } from 'node:net';
import {
  checkDns1035Label,
  checkDns1123Label,
  checkDns1123Subdomain,
  checkWildcardSubdomain,
} from '../../../base/names.ts';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressRule,
  Unstructured,
} from '../../types/index.ts';
import { type FaultList, forbidden, invalid, notSupported, report, required, tooLong } from '../fields.ts';
import { checkPathSegment } from '../names.ts';
import { checkPort, checkPortName, reportIf, reportImmutable } from './checks.ts';
import { type Change, type CoreKind, int32, list, object, text, texts } from './kind.ts';

const backend = object({
  service: object({ name: text, port: object({ name: text, number: int32 }) }),
  resource: object({ apiGroup: text, kind: text, name: text }),
});

const shape = object(
  {
    spec: object({
      ingressClassName: text,
      defaultBackend: backend,
      rules: list(
        object({ host: text, http: object({ paths: list(object({ path: text, pathType: text, backend })) }) }),
      ),
      tls: list(object({ hosts: texts, secretName: text })),
    }),
  },
  ['spec'],
);

/** The class annotation from before IngressClass. */
const classAnnotation = 'kubernetes.io/ingress.class';

function validate(given: Unstructured, { operation }: Change, faults: FaultList): void {
  const { spec, metadata } = given as unknown as Ingress;
  const { rules = [], tls = [], defaultBackend, ingressClassName } = spec;
  if (rules.length === 0 && !defaultBackend)
    report(faults, invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified'));
  if (defaultBackend) validateBackend(defaultBackend, 'spec.defaultBackend', faults);
  rules.forEach((rule, i) => {
    validateRule(rule, `spec.rules[${i}]`, faults);
  });
  tls.forEach(({ hosts = [], secretName }, i) => {
    hosts.forEach((host, at) => {
      reportIf(faults, `spec.tls[${i}].hosts[${at}]`, host, checkHost(host));
    });
    if (secretName) reportIf(faults, `spec.tls[${i}].secretName`, secretName, checkDns1123Subdomain(secretName));
  });
  if (ingressClassName !== undefined)
    reportIf(faults, 'spec.ingressClassName', ingressClassName, checkDns1123Subdomain(ingressClassName));
  const annotated = metadata.annotations?.[classAnnotation];
  if (
    operation === 'create' &&
    annotated !== undefined &&
    ingressClassName !== undefined &&
    annotated !== ingressClassName
  )
    report(
      faults,
      invalid(
        `metadata.annotations[${classAnnotation}]`,
        annotated,
        'must match `ingressClassName` when both are specified',
      ),
    );
}

function checkHost(host: string): string | undefined {
  return host.includes('*') ? checkWildcardSubdomain(host) : checkDns1123Subdomain(host);
}

function validateRule({ host, http }: IngressRule, path: string, faults: FaultList): void {
  if (host && isIP(host) > 0) report(faults, invalid(`${path}.host`, host, 'must be a DNS name, not an IP address'));
  if (host) reportIf(faults, `${path}.host`, host, checkHost(host));
  if (!http) return;
  if (!http.paths?.length) report(faults, required(`${path}.http.paths`));
  http.paths?.forEach((each, i) => {
    validatePath(each, `${path}.http.paths[${i}]`, faults);
  });
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badSuffixes = ['/..', '/.'];

function validatePath({ path = '', pathType, backend: target }: HTTPIngressPath, at: string, faults: FaultList): void {
  if (pathType === undefined) {
    report(faults, required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  if (!pathTypes.includes(pathType)) report(faults, notSupported(`${at}.pathType`, pathType, pathTypes));
  const free = pathType === 'ImplementationSpecific';
  if (!path.startsWith('/') && !(free && path === ''))
    report(faults, invalid(`${at}.path`, path, 'must be an absolute path'));
  if (!free) {
    for (const bad of badSequences)
      if (path.includes(bad)) report(faults, invalid(`${at}.path`, path, `must not contain '${bad}'`));
    for (const bad of badSuffixes)
      if (path.endsWith(bad)) report(faults, invalid(`${at}.path`, path, `cannot end with '${bad}'`));
  }
  validateBackend(target ?? {}, `${at}.backend`, faults);
}

function validateBackend({ service, resource }: IngressBackend, path: string, faults: FaultList): void {
  if (service && resource) {
    report(faults, invalid(path, '', 'cannot set both resource and service backends'));
    return;
  }
  if (resource) {
    validateResource(resource, `${path}.resource`, faults);
    return;
  }
  if (!service) {
    report(faults, invalid(path, '', 'resource or service backend is required'));
    return;
  }
  if (!service.name) report(faults, required(`${path}.service.name`));
  else reportIf(faults, `${path}.service.name`, service.name, checkDns1035Label(service.name));
  const { name, number } = service.port ?? {};
  if (name && number) report(faults, invalid(path, '', 'cannot set both port name & port number'));
  else if (name) reportIf(faults, `${path}.service.port.name`, name, checkPortName(name));
  else if (number) reportIf(faults, `${path}.service.port.number`, number, checkPort(number));
  else report(faults, required(path, 'port name or number is required'));
}

function validateResource(
  { apiGroup, kind, name }: NonNullable<IngressBackend['resource']>,
  path: string,
  faults: FaultList,
): void {
  if (apiGroup) reportIf(faults, `${path}.apiGroup`, apiGroup, checkDns1123Subdomain(apiGroup));
  for (const [field, value] of Object.entries({ kind, name })) {
    if (!value) report(faults, required(`${path}.${field}`, `${field} is required`));
    else reportIf(faults, `${path}.${field}`, value, checkPathSegment(value));
  }
}

export const ingress: CoreKind = { shape, validate };

const classShape = object({
  spec: object({
    controller: text,
    parameters: object({ apiGroup: text, kind: text, name: text, scope: text, namespace: text }),
  }),
});

type Parameters = NonNullable<NonNullable<IngressClass['spec']>['parameters']>;

const CONTROLLER_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** `acme.io/name`: who answers for the class. */
function checkController(controller: string): string | undefined {
  const help = 'must be a domain-prefixed path (such as "acme.io/foo")';
  const slash = controller.indexOf('/');
  if (slash < 0 || slash === controller.length - 1) return help;
  const fault = checkDns1123Subdomain(controller.slice(0, slash));
  if (fault) return `prefix part ${fault}`;
  return CONTROLLER_PATH.test(controller.slice(slash + 1)) ? undefined : help;
}

function withScope(given: Unstructured): Unstructured {
  const { spec } = given as unknown as IngressClass;
  if (!spec?.parameters || spec.parameters.scope) return given;
  return { ...given, spec: { ...spec, parameters: { ...spec.parameters, scope: 'Cluster' } } };
}

function validateClass(given: Unstructured, { previous }: Change, faults: FaultList): void {
  const { controller = '', parameters } = (given as unknown as IngressClass).spec ?? {};
  if (!controller) report(faults, required('spec.controller'));
  else if (controller.length > 250) report(faults, tooLong('spec.controller', 250));
  else reportIf(faults, 'spec.controller', controller, checkController(controller));
  if (parameters) validateParameters(parameters, faults);
  const before = (previous as unknown as IngressClass | undefined)?.spec;
  if (before?.controller && before.controller !== controller) reportImmutable(faults, 'spec.controller', controller);
}

function validateParameters(parameters: Parameters, faults: FaultList): void {
  const path = 'spec.parameters';
  validateResource(parameters, path, faults);
  const { scope, namespace } = parameters;
  if (scope !== 'Cluster' && scope !== 'Namespace') {
    report(faults, notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace']));
    return;
  }
  if (scope === 'Namespace' && !namespace) {
    report(faults, required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    return;
  }
  if (scope === 'Cluster' && namespace) {
    report(faults, forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
    return;
  }
  if (namespace) reportIf(faults, `${path}.namespace`, namespace, checkDns1123Label(namespace));
}

export const ingressClass: CoreKind = { shape: classShape, defaults: withScope, validate: validateClass };
