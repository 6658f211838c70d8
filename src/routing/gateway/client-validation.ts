/** Gateway spec.tls: certificates that clients must show, and the one that is shown to backends. */
import type { Gateway } from '../../kube/types/index.ts';
import { readCaBundle } from '../ca-bundle.ts';
import { planCertificate } from '../certificates.ts';
import type { Certificate, ClientValidation } from '../plan/plan.ts';
import { type Context, type Fault, tell, toldOf } from './context.ts';
import { grantHint } from './grants.ts';
import { gatewayGroup } from './kinds.ts';
import { ownerOfListeners } from './model.ts';
import { loadCertificate } from './tls.ts';

type Frontend = NonNullable<NonNullable<Gateway['spec']['tls']>['frontend']>;
type Validation = NonNullable<Frontend['default']['validation']>;
type CaRef = Validation['caCertificateRefs'][number];

export interface FrontendTls {
  readonly validation?: ClientValidation;
  /** ResolvedRefs=False: some of the bundles cannot be had. */
  readonly resolvedRefs?: Fault;
  /** Accepted=False: none of them can, so nobody could be let in. */
  readonly accepted?: Fault;
}

/** Validation of clients for the HTTPS listeners of one port: the port's own, or else the default. */
export function resolveFrontend(context: Context, gateway: Gateway, port: number): FrontendTls {
  const frontend = gateway.spec.tls?.frontend;
  const index = frontend?.perPort?.findIndex((entry) => entry.port === port) ?? -1;
  const own = index >= 0;
  const validation = own ? frontend!.perPort![index]!.tls.validation : frontend?.default?.validation;
  if (!validation) return {};
  const fieldPath = `spec.tls.frontend.${own ? `perPort[${index}].tls` : 'default'}.validation`;
  const bundles: string[] = [];
  const faults: Fault[] = [];
  validation.caCertificateRefs.forEach((ref, i) => {
    const found = readBundle(context, gateway, ref, `${fieldPath}.caCertificateRefs[${i}]`);
    if (typeof found === 'string') bundles.push(found);
    else faults.push(found);
  });
  const [first] = faults;
  const resolvedRefs = first && joinFaults(first.reason, faults);
  if (bundles.length === 0) {
    const nothing = { reason: 'NoValidCACertificate', message: 'no CA certificate is named' };
    const accepted = resolvedRefs
      ? { ...resolvedRefs, reason: nothing.reason }
      : tell('FW3109', `${fieldPath}.caCertificateRefs`, nothing);
    return { accepted, ...(resolvedRefs && { resolvedRefs }) };
  }
  const mode = isInsecure(validation) ? 'allow-insecure' : 'require';
  return { validation: { ca: bundles.join(''), mode }, ...(resolvedRefs && { resolvedRefs }) };
}

function joinFaults(reason: string, faults: readonly Fault[]): Fault {
  return { reason, message: faults.map(({ message }) => message).join('; '), told: faults.map(toldOf).join('; ') };
}

function readBundle(context: Context, gateway: Gateway, ref: CaRef, fieldPath: string): string | Fault {
  const own = gateway.metadata.namespace ?? 'default';
  const { group, kind, name, namespace = own } = ref;
  const from = { group: gatewayGroup, kind: 'Gateway', namespace: own };
  const to = { group, kind, namespace, name };
  if (!context.grants.permits(from, to)) {
    const message = `no ReferenceGrant in ${namespace} permits Gateways of ${own} to use the ${kind} ${name}`;
    const refused = { reason: 'RefNotPermitted', message, hint: grantHint(from, to) };
    return context.faultOnce('FW3109', gateway, fieldPath, refused);
  }
  const read = readCaBundle(context.input.store, namespace, ref);
  if (read.ok) return read.value;
  const { message, problem } = read.error;
  const reason = problem === 'kind' ? 'InvalidCACertificateKind' : 'InvalidCACertificateRef';
  return context.faultOnce('FW3109', gateway, fieldPath, { reason, message });
}

const isInsecure = ({ mode }: Validation) => mode === 'AllowInsecureFallback';

/** The fields that let clients in without a valid certificate. */
export function insecureFallbacks({ spec }: Gateway): string[] {
  const { default: general, perPort = [] } = spec.tls?.frontend ?? {};
  const found = general?.validation && isInsecure(general.validation) ? ['spec.tls.frontend.default'] : [];
  perPort.forEach(({ tls }, i) => {
    if (tls.validation && isInsecure(tls.validation)) found.push(`spec.tls.frontend.perPort[${i}].tls`);
  });
  return found;
}

/** The certificate for backends; undefined when the Gateway names none. */
export function resolveBackendCertificate(context: Context, gateway: Gateway): Certificate | Fault | undefined {
  const ref = gateway.spec.tls?.backend?.clientCertificateRef;
  if (!ref) return undefined;
  const found = loadCertificate(
    context,
    ownerOfListeners(gateway),
    ref,
    'spec.tls.backend.clientCertificateRef',
    'FW3410',
  );
  if ('id' in found) return planCertificate(found);
  return found.reason === 'RefNotPermitted' ? found : { ...found, reason: 'InvalidClientCertificateRef' };
}
