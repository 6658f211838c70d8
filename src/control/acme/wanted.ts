/**
 * Which certificates objects ask for: TLS sections of Ingresses, and listeners of Gateways and ListenerSets that
 * terminate TLS, whose annotations name an issuer. One certificate for each Secret, with the names of all that share it.
 */
import { type Diagnostic, type DiagnosticCode, diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Gateway, Ingress, KubeObject, ListenerSet } from '../../kube/types/index.ts';
import type { Provenance } from '../../routing/plan/plan.ts';
import type { TranslateInput } from '../../routing/translate.ts';
import { type Issuer, solverFor } from './issuers.ts';
import { asking } from './names.ts';

export interface WantedCertificate {
  /** `namespace/name` of its Secret. */
  readonly key: string;
  readonly namespace: string;
  readonly secretName: string;
  /** Lower case, each once, sorted; wildcards with `*.`. */
  readonly names: readonly string[];
  readonly issuer: Issuer;
  /** The fields that name the Secret. */
  readonly sources: readonly [Provenance, ...Provenance[]];
}

export interface WantedInput {
  /** Those that are served. */
  readonly ingresses: readonly Ingress[];
  readonly gateways: readonly (Gateway | ListenerSet)[];
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly position: TranslateInput['position'];
}

export interface Wanted {
  readonly certificates: readonly WantedCertificate[];
  readonly findings: readonly Diagnostic[];
}

/** What one field of an object asks for. */
interface Request {
  readonly object: KubeObject;
  /** Of the field that names the Secret. */
  readonly fieldPath: string;
  readonly secretName: string;
  readonly hosts: readonly string[];
}

interface Draft {
  readonly issuer: Issuer;
  readonly names: Set<string>;
  readonly sources: Provenance[];
  readonly first: KubeObject;
}

/** Let's Encrypt's bound, and that of most others. */
const maxNames = 100;
/** Such as names of certificates have (RFC 5280, RFC 6125 6.4.3), internationalised ones in their A-label form. */
const namePattern = /^(?=.{1,253}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Annotations of cert-manager that change nothing here, though whoever wrote them may think so. */
const vain = [
  ...['common-name', 'duration', 'renew-before', 'renew-before-percentage', 'usages', 'email-sans', 'ip-sans'],
  ...['uri-sans', 'alt-names', 'private-key-algorithm', 'private-key-encoding', 'private-key-size'],
  ...['private-key-rotation-policy', 'secret-template', 'subject-organizations'],
].map((name) => `cert-manager.io/${name}`);

export function wantedCertificates(input: WantedInput): Wanted {
  const findings: Diagnostic[] = [];
  const drafts = new Map<string, Draft>();
  const report = (code: DiagnosticCode, object: KubeObject, fieldPath: string, message: string) =>
    findings.push(diagnostic(code, { message, ...placeOf(input, object, fieldPath) }));
  const objects = [...input.ingresses, ...input.gateways].filter(({ metadata }) => isAsking(metadata.annotations));
  for (const object of objects.sort(compareAge)) {
    const issuer = issuerOf(object, input.issuers, report);
    if (!issuer) continue;
    reportVain(object, report);
    for (const request of requestsOf(object)) add(request, issuer);
  }

  function add({ object, fieldPath, secretName, hosts }: Request, issuer: Issuer): void {
    const key = `${object.metadata.namespace ?? 'default'}/${secretName}`;
    const draft = drafts.get(key);
    if (draft && draft.issuer !== issuer) {
      const message = `Secret ${key} is issued by ${draft.issuer.name}, as ${formatRef(refOf(draft.first))} wants, and not by ${issuer.name}`;
      report('FW6026', object, fieldPath, message);
      return;
    }
    const names = hosts.map((host) => host.toLowerCase());
    const faults = names.flatMap((name) => whyImpossible(name, issuer) ?? []);
    for (const fault of faults) report('FW6025', object, fieldPath, fault);
    const usable = names.filter((name) => whyImpossible(name, issuer) === undefined);
    if (usable.length === 0) return;
    const target = draft ?? { issuer, names: new Set(), sources: [], first: object };
    drafts.set(key, target);
    for (const name of usable) target.names.add(name);
    target.sources.push(placeOf(input, object, fieldPath));
  }

  const certificates = [...drafts].flatMap(([key, draft]) => finish(key, draft, report) ?? []);
  return { certificates, findings };
}

const isAsking = (annotations: Readonly<Record<string, string>> = {}): boolean =>
  annotations[asking.issuer] !== undefined ||
  annotations[asking.clusterIssuer] !== undefined ||
  annotations[asking.tlsAcme] === 'true';

type Report = (code: DiagnosticCode, object: KubeObject, fieldPath: string, message: string) => void;

/** Undefined when it is not for us, which is told of. */
function issuerOf(object: KubeObject, issuers: ReadonlyMap<string, Issuer>, report: Report): Issuer | undefined {
  const { annotations = {}, namespace = 'default' } = object.metadata;
  const annotation = [asking.issuer, asking.clusterIssuer].find((each) => annotations[each] !== undefined);
  const field = `metadata.annotations["${annotation ?? asking.tlsAcme}"]`;
  const group = annotations[asking.issuerGroup] ?? 'cert-manager.io';
  const name = annotation === undefined ? undefined : annotations[annotation]!;
  const issuer = name === undefined ? defaultIssuer(issuers) : issuers.get(name);
  if (!issuer || group !== 'cert-manager.io') {
    const what = name === undefined ? 'there is no default issuer' : `there is no issuer ${name}`;
    const known = [...issuers.keys()].join(', ');
    const message = group === 'cert-manager.io' ? `${what} among ours (${known})` : `issuers of ${group} are not ours`;
    report('FW6021', object, field, message);
    return undefined;
  }
  if (issuer.namespaces.length === 0 || issuer.namespaces.includes(namespace)) return issuer;
  report('FW6025', object, field, `the issuer ${issuer.name} is not for objects of the namespace ${namespace}`);
  return undefined;
}

/** The one that is marked, or the only one. */
function defaultIssuer(issuers: ReadonlyMap<string, Issuer>): Issuer | undefined {
  const all = [...issuers.values()];
  return all.find(({ isDefault }) => isDefault) ?? (all.length === 1 ? all[0] : undefined);
}

function reportVain(object: KubeObject, report: Report): void {
  for (const name of vain)
    if (object.metadata.annotations?.[name] !== undefined)
      report('FW6027', object, `metadata.annotations["${name}"]`, `${name} changes nothing`);
}

function requestsOf(object: KubeObject): readonly Request[] {
  return object.kind === 'Ingress' ? sectionsOf(object as Ingress) : listenersOf(object as Gateway | ListenerSet);
}

/** As cert-manager: sections without hosts or without a Secret ask for nothing. */
function sectionsOf(object: Ingress): Request[] {
  return (object.spec.tls ?? []).flatMap(({ secretName, hosts = [] }, index) =>
    secretName && hosts.length > 0 ? [{ object, fieldPath: `spec.tls[${index}].secretName`, secretName, hosts }] : [],
  );
}

/** As cert-manager: listeners without a hostname, that pass TLS through, or with a Secret elsewhere ask for nothing. */
function listenersOf(object: Gateway | ListenerSet): Request[] {
  const own = object.metadata.namespace;
  return object.spec.listeners.flatMap(({ hostname, tls }, index) => {
    if (!hostname || !tls || (tls.mode ?? 'Terminate') !== 'Terminate') return [];
    return (tls.certificateRefs ?? []).flatMap(({ group = '', kind = 'Secret', name, namespace = own }, i) =>
      group === '' && kind === 'Secret' && namespace === own
        ? [
            {
              object,
              fieldPath: `spec.listeners[${index}].tls.certificateRefs[${i}]`,
              secretName: name,
              hosts: [hostname],
            },
          ]
        : [],
    );
  });
}

function whyImpossible(name: string, issuer: Issuer): string | undefined {
  if (!namePattern.test(name)) return `${name} is no name that a certificate can be for`;
  if (solverFor(issuer, name)) return undefined;
  const why = name.startsWith('*.') ? 'by DNS-01, which wildcards need' : 'for it';
  return `${name}: the issuer ${issuer.name} has no solver ${why}`;
}

function finish(key: string, draft: Draft, report: Report): WantedCertificate | undefined {
  const { issuer, names, sources, first } = draft;
  const [source, ...others] = sources;
  if (names.size > maxNames) {
    const message = `the certificate of Secret ${key} would be for ${names.size} names; ${maxNames} at most`;
    report('FW6025', first, source!.fieldPath ?? '', message);
    return undefined;
  }
  const slash = key.indexOf('/');
  return {
    ...{ key, issuer, namespace: key.slice(0, slash), secretName: key.slice(slash + 1) },
    ...{ names: [...names].sort(), sources: [source!, ...others] },
  };
}

function placeOf({ position }: WantedInput, object: KubeObject, fieldPath: string): Provenance {
  const ref = refOf(object);
  const at = position(ref, fieldPath);
  return { object: ref, fieldPath, ...(at && { position: at }) };
}

function compareAge(a: KubeObject, b: KubeObject): number {
  const rank = ({ metadata: { creationTimestamp = '~', namespace, name }, kind }: KubeObject) =>
    `${creationTimestamp} ${namespace}/${name} ${kind}`;
  return rank(a) < rank(b) ? -1 : 1;
}
