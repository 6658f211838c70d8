/**
 * The one registry of diagnostic codes. Each range has a file of its own; docs/diagnostics.md is generated from this
 * table and a test keeps both equal.
 */
import { backendRules } from './backends.ts';
import { certificateRules } from './certificates.ts';
import { clusterRules } from './cluster.ts';
import { controllerRules } from './controller.ts';
import { corefileRules } from './corefile.ts';
import { dataplaneRules } from './dataplane.ts';
import { dnsRules } from './dns.ts';
import { gatewayRules } from './gateway.ts';
import { ingressRules } from './ingress.ts';
import { ingressNginxRules } from './ingress-nginx.ts';
import { manifestRules } from './manifests.ts';
import { routePolicyRules } from './route-policies.ts';
import type { Diagnostic, DiagnosticRule, ObjectRef, Position, Severity } from './types.ts';

export type { Diagnostic, DiagnosticRule, ObjectRef, Position, Severity } from './types.ts';

export const diagnosticRules = {
  ...manifestRules,
  ...clusterRules,
  ...controllerRules,
  ...ingressRules,
  ...ingressNginxRules,
  ...gatewayRules,
  ...dnsRules,
  ...corefileRules,
  ...dataplaneRules,
  ...backendRules,
  ...routePolicyRules,
  ...certificateRules,
} as const;

export type DiagnosticCode = keyof typeof diagnosticRules;

export interface DiagnosticDetails {
  message: string;
  object?: ObjectRef;
  fieldPath?: string;
  position?: Position;
  /** Replaces the rule's general hint where the case knows better. */
  hint?: string;
  /** Replaces the rule's severity, for a rule that is graver in some cases. */
  severity?: Severity;
}

/** Makes a finding of a registered code; severity, hint and documentation address come from the registry. */
export function diagnostic(code: DiagnosticCode, details: DiagnosticDetails): Diagnostic {
  const rule: DiagnosticRule = diagnosticRules[code];
  return {
    code,
    severity: details.severity ?? rule.severity,
    message: details.message,
    ...(details.object && { object: details.object }),
    ...(details.fieldPath !== undefined && { fieldPath: details.fieldPath }),
    ...(details.position && { position: details.position }),
    hint: details.hint ?? rule.hint,
    docs: `docs/diagnostics.md#${code.toLowerCase()}`,
  };
}

/** `Kind namespace/name`, or `Kind name` for cluster-scoped objects. */
export function formatRef(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
}

/**
 * `spec.ports[0].port: message; fix: what would mend it`: the line for a condition, whose object is known and whose
 * fields have no place in a file. Of a hint with something to paste, what stands before it.
 */
export function formatForStatus(fieldPath: string, message: string, hint: string): string {
  const [fix] = hint.split('\n', 1);
  return `${fieldPath}: ${message}; fix: ${fix!.replace(/[.:]$/, '')}`;
}

/** One line for people: `file:3:5: error FW1003 Service shop/web: spec.ports[0].port: message`. */
export function formatDiagnostic(d: Diagnostic): string {
  const place = d.position ? `${d.position.file}:${d.position.line}:${d.position.column}: ` : '';
  const object = d.object ? ` ${formatRef(d.object)}:` : '';
  const field = d.fieldPath ? ` ${d.fieldPath}:` : '';
  return `${place}${d.severity} ${d.code}${object}${field} ${d.message}`;
}
