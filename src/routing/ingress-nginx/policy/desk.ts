/** What every part of a location's policy works with: what is asked for, what it may look up, and where faults go. */
import { type Diagnostic, diagnostic, diagnosticRules } from '../../../base/diagnostics/index.ts';
import { refOf } from '../../../kube/resources.ts';
import type { Ingress } from '../../../kube/types/index.ts';
import { markOnce } from '../../incremental/capture.ts';
import type { BackendResolver } from '../../ingress/backends.ts';
import type { Template } from '../../plan/plan.ts';
import type { TranslateInput } from '../../translate.ts';
import { type NginxProblem, readNginxAnnotations } from '../annotations/read.ts';
import { type Asked, isNginxKey, type NginxKey, nginxPrefix, noteOf, rowOf } from '../annotations/table.ts';
import type { ObjectName } from '../annotations/values.ts';
import type { NginxConfig } from '../config/config.ts';
import { type localNames, parseTemplate } from '../variables.ts';
import type { OwnPath } from './own-host.ts';
import type { ServerPolicy } from './server.ts';

/** What a translator lends. Whatever is looked up is noted there as a thing that the result depends on. */
export interface PolicyScope {
  readonly input: Pick<TranslateInput, 'store' | 'position'>;
  readonly findings: Diagnostic[];
  readonly resolver: Pick<BackendResolver, 'findBackend' | 'findService' | 'findSecret' | 'findConfigMap' | 'use'>;
}

/** What is said of a location elsewhere than in annotations. */
export interface LocationFacts {
  /** Exact, `*.example.com` or `*`. */
  readonly hostname: string;
  /** As the rule has it; `/` where it has none. */
  readonly path: string;
  /** The path is held against requests as a pattern, with so many groups. */
  readonly isPattern: boolean;
  readonly groups: number;
  /** `rewrite-target` changes paths. */
  readonly rewrites: boolean;
  /** As the rule names them; the port by number or by name. */
  readonly service: string;
  readonly port: string;
  /** Of the oldest Ingress of the host that asks for certificates of clients. */
  readonly server?: ServerPolicy;
  /** All of the host. Absent: URLs on it lead over DNS. */
  readonly paths?: readonly OwnPath[];
}

export interface Desk {
  readonly scope: PolicyScope;
  readonly ingress: Ingress;
  readonly asked: Asked;
  readonly config: NginxConfig;
  readonly namespace: string;
  /**
   * An annotation that cannot be honoured: reported, and where it protects, the location is shut. `noted`: what the table
   * notes of it is about this fault.
   */
  miss(name: NginxKey, why: string, noted?: 'noted'): undefined;
  /** The first annotation that protects and cannot be honoured. */
  readonly missed: NginxKey | undefined;
}

export interface LocationDesk extends Desk {
  readonly facts: LocationFacts;
  /** Text of an annotation with variables; missed when it has one that is not known. */
  template(name: NginxKey, text: string): Template | undefined;
}

export function createDesk(scope: PolicyScope, ingress: Ingress, asked: Asked, config: NginxConfig): Desk {
  let missed: NginxKey | undefined;
  return {
    ...{ scope, ingress, asked, config, namespace: ingress.metadata.namespace ?? 'default' },
    get missed() {
      return missed;
    },
    miss(name, why, noted) {
      const { protects } = rowOf(name);
      const message = `${nginxPrefix}${name}: ${why}`;
      const code = protects ? 'FW5501' : 'FW5502';
      report(scope, ingress, { code, name, message, ...(noted && { noted: true }) });
      if (protects) missed ??= name;
      return undefined;
    },
  };
}

export function createLocationDesk(
  scope: PolicyScope,
  ingress: Ingress,
  asked: Asked,
  config: NginxConfig,
  facts: LocationFacts,
): LocationDesk {
  const desk = createDesk(scope, ingress, asked, config);
  const locals = localsOf(ingress, facts);
  return {
    ...{ scope, ingress, asked, config, facts, namespace: desk.namespace, miss: desk.miss },
    get missed() {
      return desk.missed;
    },
    template(name, text) {
      const read = parseTemplate(text, { locals, captures: facts.groups });
      return read.ok ? read.value : desk.miss(name, read.error);
    },
  };
}

/** Variables that ingress-nginx sets in every location. */
export function localsOf(
  { metadata }: Ingress,
  facts: LocationFacts,
): Readonly<Record<(typeof localNames)[number], Template>> {
  const { namespace = 'default', name } = metadata;
  const { service, port, path, hostname } = facts;
  return {
    namespace: [namespace],
    ingress_name: [name],
    service_name: [service],
    service_port: [port],
    location_path: [path],
    server_name: [hostname === '*' ? '_' : hostname],
    proxy_upstream_name: [`${namespace}-${service}-${port}`],
  };
}

/** Told once, however many locations come across it. */
export function report(
  { input, findings }: Pick<PolicyScope, 'input' | 'findings'>,
  ingress: Ingress,
  { code, name, message: said, grave, noted }: NginxProblem,
): void {
  const object = refOf(ingress);
  const written = writtenName(ingress, name);
  const fieldPath = `metadata.annotations["${nginxPrefix}${written}"]`;
  const message = written === name ? said : said.replace(`${nginxPrefix}${name}`, `${nginxPrefix}${written}`);
  const place = input.position(object, fieldPath);
  const severity = grave && ({ severity: 'error' } as const);
  const hint = noted && hintOf(code, name);
  const details = { ...(place && { position: place }), ...severity, ...(hint !== undefined && { hint }) };
  findings.push(markOnce(diagnostic(code, { message, object, fieldPath, ...details })));
}

/** Some annotations have two names: people find the one that stands in their manifest. */
function writtenName({ metadata: { annotations = {} } }: Ingress, name: string): string {
  if (annotations[`${nginxPrefix}${name}`]) return name;
  const isOther = (key: string) => isNginxKey(key) && rowOf(key).alias === name && annotations[`${nginxPrefix}${key}`];
  return (
    Object.keys(annotations)
      .filter((key) => key.startsWith(nginxPrefix))
      .map((key) => key.slice(nginxPrefix.length))
      .find(isOther) ?? name
  );
}

/** The general advice, and what the table notes of the annotation. */
function hintOf(code: NginxProblem['code'], name: string): string | undefined {
  const note = isNginxKey(name) ? noteOf(name) : undefined;
  return note === undefined ? undefined : `${diagnosticRules[code].hint} ${note}`;
}

/** What is wrong with the annotations of an Ingress by themselves. */
export function reportAnnotations(scope: Pick<PolicyScope, 'input' | 'findings'>, ingress: Ingress): void {
  for (const problem of readNginxAnnotations(ingress).problems) report(scope, ingress, problem);
}

/** Key of an object that an annotation names; missed when it is of a namespace that is not for this Ingress. */
export function keyIn(
  { namespace, config, miss }: Pick<Desk, 'namespace' | 'config' | 'miss'>,
  annotation: NginxKey,
  object: ObjectName,
): string | undefined {
  const of = object.namespace ?? namespace;
  if (of !== namespace && !config.allowCrossNamespaceResources)
    return miss(
      annotation,
      `${of}/${object.name} is of another namespace, which allow-cross-namespace-resources permits`,
    );
  return `${of}/${object.name}`;
}
