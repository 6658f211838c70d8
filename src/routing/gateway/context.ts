/** What every step of a translation shares: the input, the findings, permissions between namespaces. */
import {
  type Diagnostic,
  type DiagnosticCode,
  diagnostic,
  diagnosticRules,
  formatForStatus,
  type ObjectRef,
} from '../../base/diagnostics/index.ts';
import { intern } from '../../base/intern.ts';
import { refOf } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { markOnce } from '../incremental/capture.ts';
import type { Provenance } from '../plan/plan.ts';
import type { TranslateInput } from '../translate.ts';
import { createGrants, type Grants } from './grants.ts';

export interface Context {
  readonly input: TranslateInput;
  readonly grants: Grants;
  readonly findings: Diagnostic[];
  /**
   * When something that was found would be found otherwise though no object has changed: the validity of certificates
   * begins or ends. Milliseconds since the epoch.
   */
  readonly turns: number[];
  /** Records a finding about a field of an object. */
  report(code: DiagnosticCode, object: KubeObject, fieldPath: string, message: string, hint?: string): void;
  /** The same, to be told once per object and field: for findings that several references come across. */
  reportOnce(code: DiagnosticCode, object: KubeObject, fieldPath: string, message: string, hint?: string): void;
  /** Records a finding that is the reason for a condition. */
  fault(code: DiagnosticCode, object: KubeObject, fieldPath: string, fault: HintedFault): Fault;
  /** The same, to be told once per object and field. */
  faultOnce(code: DiagnosticCode, object: KubeObject, fieldPath: string, fault: HintedFault): Fault;
  /** What a finding about a field of an object says of where it stands. */
  place(object: KubeObject, fieldPath: string): FindingPlace;
  provenance(object: KubeObject, fieldPath?: string, indices?: { rule?: number; match?: number }): Provenance;
}

export type FindingPlace = Pick<Diagnostic, 'object' | 'fieldPath' | 'position'>;

/** Why something is not as asked: reason and message of a condition. */
export interface Fault {
  readonly reason: string;
  readonly message: string;
  /** The message with its field, and the change that would mend it; for the condition of the object at fault. */
  readonly told?: string;
}

/** A fault that is reported as well, with what would mend it where the rule of the code does not say. */
export interface HintedFault extends Fault {
  readonly hint?: string | undefined;
}

/** The message of a fault in a condition. */
export function toldOf({ told, message }: Fault): string {
  return told ?? message;
}

/** The fault of a field, for where it is one of several. */
export function faultAt(field: string, { reason, message, told }: Fault): Fault {
  return { reason, message: `${field}: ${message}`, ...(told !== undefined && { told }) };
}

/** A fault as it is told in a condition. */
export function tell(code: DiagnosticCode, fieldPath: string, { reason, message, hint }: HintedFault): Fault {
  return { reason, message, told: formatForStatus(fieldPath, message, hint ?? diagnosticRules[code].hint) };
}

export function createContext(input: TranslateInput): Context {
  const findings: Diagnostic[] = [];
  const refs = new WeakMap<KubeObject, ObjectRef>();
  function ref(object: KubeObject): ObjectRef {
    const known = refs.get(object);
    if (known) return known;
    const made = refOf(object);
    refs.set(object, made);
    return made;
  }
  const place: Context['place'] = (object, fieldPath) => {
    const position = input.position(ref(object), fieldPath);
    return { object: ref(object), fieldPath, ...(position && { position }) };
  };
  const finding: (...of: Parameters<Context['report']>) => Diagnostic = (code, object, fieldPath, message, hint) =>
    diagnostic(code, { message, ...place(object, fieldPath), ...(hint !== undefined && { hint }) });
  return {
    input,
    findings,
    turns: [],
    grants: createGrants(input.store),
    place,
    report: (...of) => void findings.push(finding(...of)),
    reportOnce: (...of) => void findings.push(markOnce(finding(...of))),
    fault(code, object, fieldPath, fault) {
      findings.push(finding(code, object, fieldPath, fault.message, fault.hint));
      return tell(code, fieldPath, fault);
    },
    faultOnce(code, object, fieldPath, fault) {
      findings.push(markOnce(finding(code, object, fieldPath, fault.message, fault.hint)));
      return tell(code, fieldPath, fault);
    },
    provenance(object, fieldPath, indices) {
      return { object: ref(object), ...indices, ...(fieldPath !== undefined && { fieldPath: intern(fieldPath) }) };
    },
  };
}

/** `a, b, c and 4 more`: lists in messages stay short. */
export function someOf(items: readonly string[], most = 5, separator = ', '): string {
  const shown = items.slice(0, most).join(separator);
  return items.length <= most ? shown : `${shown} and ${items.length - most} more`;
}

/** Several messages as one: at most ten, with semicolons between them. */
export function joinMessages(messages: readonly string[]): string {
  return someOf(messages, 10, '; ');
}

/** `listener a`, `listeners a, b`: names with their noun. */
export function listenersNamed(names: readonly string[]): string {
  return `${names.length === 1 ? 'listener' : 'listeners'} ${someOf(names)}`;
}

/** Oldest first, then by namespace and name: the order of precedence between objects of the Gateway API. */
export function compareAge(a: KubeObject, b: KubeObject): number {
  // An object without a time has not been through an API server: it counts as the newest.
  const [left, right] = [a.metadata.creationTimestamp ?? '~', b.metadata.creationTimestamp ?? '~'];
  if (left !== right) return left < right ? -1 : 1;
  return compareNames(a, b);
}

export function compareNames(a: KubeObject, b: KubeObject): number {
  const [left, right] = [nameOf(a), nameOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** By namespace and name; for long lists, whose names are put together once. */
export function sortByName<T extends KubeObject>(objects: readonly T[]): T[] {
  const named = objects.map((object) => ({ object, name: nameOf(object) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)).map(({ object }) => object);
}

function nameOf({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}
