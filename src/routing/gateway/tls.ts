/** Certificates of HTTPS listeners: resolving certificateRefs, and choosing one by SNI. */
import { type DiagnosticCode, formatForStatus } from '../../base/diagnostics/index.ts';
import {
  certificateDiagnostic,
  coversName,
  planCertificate,
  readTlsSecret,
  type ServingCertificate,
} from '../certificates.ts';
import type { Certificate } from '../plan/plan.ts';
import type { Context, Fault } from './context.ts';
import { grantHint } from './grants.ts';
import { covers, isWildcard, normalizeHostname } from './hostnames.ts';
import { gatewayGroup } from './kinds.ts';
import type { ListenerOwner, ListenerSpec, SniCertificate } from './model.ts';

export interface ListenerCertificates {
  readonly certificates: readonly SniCertificate[];
  readonly loaded: readonly Certificate[];
  /** ResolvedRefs=False. Certificates that could be had are served all the same. */
  readonly fault?: Fault;
}

type CertificateRef = NonNullable<NonNullable<ListenerSpec['tls']>['certificateRefs']>[number];

/** Certificates of the owner's listener with this index. */
export function resolveCertificates(context: Context, owner: ListenerOwner, index: number): ListenerCertificates {
  const { object } = owner;
  const spec = object.spec.listeners[index]!;
  const tlsPath = `spec.listeners[${index}].tls`;
  const refs = spec.tls?.certificateRefs ?? [];
  if (refs.length === 0) {
    const message = `${spec.protocol === 'TLS' ? 'a TLS listener that terminates' : 'an HTTPS listener'} needs at least one certificate in tls.certificateRefs`;
    const hint = 'Add a Secret of type kubernetes.io/tls to tls.certificateRefs.';
    const fault = context.fault('FW3104', object, tlsPath, { reason: 'InvalidCertificateRef', message, hint });
    return { certificates: [], loaded: [], fault };
  }
  const loaded: ServingCertificate[] = [];
  let fault: Fault | undefined;
  refs.forEach((ref, i) => {
    const found = loadCertificate(context, owner, ref, `${tlsPath}.certificateRefs[${i}]`);
    if ('reason' in found) fault ??= found;
    else loaded.push(found);
  });
  const hostname = normalizeHostname(spec.hostname);
  if (loaded.length > 0 && hostname !== '*' && !loaded.some(({ names }) => coversName(names, hostname)))
    context.report('FW6009', object, tlsPath, `no certificate of the listener ${spec.name} covers ${hostname}`);
  return {
    certificates: chooseBySni(hostname, loaded),
    loaded: loaded.map(planCertificate),
    ...(fault && { fault }),
  };
}

/**
 * The certificate of a reference; what is wrong with the reference itself is reported as `code`. What a Gateway is
 * permitted is not permitted to its ListenerSets, nor the other way round (ListenerSet, ReferenceGrant semantics).
 */
export function loadCertificate(
  context: Context,
  { object, ref: { kind: ownKind }, namespace: own }: ListenerOwner,
  ref: CertificateRef,
  fieldPath: string,
  code: DiagnosticCode = 'FW3104',
): ServingCertificate | Fault {
  const { group = '', kind = 'Secret', name, namespace = own } = ref;
  if (group !== '' || kind !== 'Secret') {
    const message = `certificates come from Secrets, not from ${kind}${group ? `.${group}` : ''}`;
    return context.fault(code, object, fieldPath, { reason: 'InvalidCertificateRef', message });
  }
  const from = { group: gatewayGroup, kind: ownKind, namespace: own };
  const to = { group: '', kind: 'Secret', namespace, name };
  if (!context.grants.permits(from, to)) {
    const message = `no ReferenceGrant in ${namespace} permits ${ownKind}s of ${own} to use the Secret ${name}`;
    const refused = { reason: 'RefNotPermitted', message, hint: grantHint(from, to) };
    return context.fault(code === 'FW3104' ? 'FW3105' : code, object, fieldPath, refused);
  }
  const read = readTlsSecret(context.input.store, namespace, name, undefined, context.input.now);
  if (read.ok) context.turns.push(read.value.notBefore, read.value.notAfter);
  const problems = read.ok ? read.value.warnings : [read.error];
  const findings = problems.map((problem) => certificateDiagnostic(problem, context.place(object, fieldPath)));
  context.findings.push(...findings);
  if (read.ok) return read.value;
  const { message } = read.error;
  return { reason: 'InvalidCertificateRef', message, told: formatForStatus(fieldPath, message, findings[0]!.hint) };
}

/**
 * SNI entries of one listener: its hostname with the certificate that fits it best (or else the first), and every name
 * within that hostname that another of its certificates fits better: the longest matching name wins.
 */
export function chooseBySni(
  hostname: string,
  certificates: readonly Pick<ServingCertificate, 'id' | 'names'>[],
): SniCertificate[] {
  const main =
    certificates.find(({ names }) => names.includes(hostname)) ??
    certificates.find(({ names }) => coversName(names, hostname)) ??
    certificates[0];
  if (!main) return [];
  const entries = new Map([[hostname, main.id]]);
  /** As the data plane looks a name up within the hostname: equal, a star for its first label, the hostname itself. */
  const lookup = (name: string) => entries.get(name) ?? entries.get(`*${name.slice(name.indexOf('.'))}`) ?? main.id;
  for (const { id, name } of widestFirst(certificates)) {
    if (entries.has(name) || !covers(hostname, name)) continue;
    if (lookup(name) !== id) entries.set(name, id);
  }
  // A star of a listener stands for one label and more, that of a certificate for one.
  const isAnyDepth = (name: string) => name === hostname && name.startsWith('*.');
  return [...entries].map(([serverName, certificate]) => ({
    serverName,
    certificate,
    ...(isAnyDepth(serverName) && { anyDepth: true }),
  }));
}

/** What a name falls back to comes before it; of equal names the first certificate's. */
function widestFirst(
  certificates: readonly Pick<ServingCertificate, 'id' | 'names'>[],
): readonly { readonly id: string; readonly name: string }[] {
  const all = certificates.flatMap(({ id, names }) => names.map((name) => ({ id, name })));
  return [...all.filter(({ name }) => isWildcard(name)), ...all.filter(({ name }) => !isWildcard(name))];
}
