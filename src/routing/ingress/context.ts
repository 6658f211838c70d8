/** What every step of a translation shares: the input, the findings, and where things come from. */
import {
  type Diagnostic,
  type DiagnosticCode,
  diagnostic,
  type ObjectRef,
  type Severity,
} from '../../base/diagnostics/index.ts';
import { intern } from '../../base/intern.ts';
import { refOf } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { markOnce } from '../incremental/capture.ts';
import type { Provenance } from '../plan/plan.ts';
import type { TranslateInput } from '../translate.ts';

export interface Context {
  readonly input: TranslateInput;
  readonly findings: Diagnostic[];
  /** Records a finding about a field of an object. */
  report(code: DiagnosticCode, object: KubeObject, fieldPath: string, message: string, details?: ReportDetails): void;
  /** The same, kept once for a field: a host may be laid out anew for each of its other names. */
  reportOnce(code: DiagnosticCode, object: KubeObject, fieldPath: string, message: string): void;
  /** What a finding about a field of an object says of where it stands. */
  place(object: KubeObject, fieldPath: string): Pick<Diagnostic, 'object' | 'fieldPath' | 'position'>;
  provenance(object: KubeObject, fieldPath: string, indices?: Pick<Provenance, 'rule' | 'match'>): Provenance;
}

export interface ReportDetails {
  readonly hint?: string;
  readonly severity?: Severity;
}

export function createContext(input: TranslateInput): Context {
  const findings: Diagnostic[] = [];
  const refs = new WeakMap<KubeObject, ObjectRef>();
  function refTo(object: KubeObject): ObjectRef {
    let ref = refs.get(object);
    if (!ref) {
      ref = refOf(object);
      refs.set(object, ref);
    }
    return ref;
  }
  const place: Context['place'] = (object, fieldPath) => {
    const ref = refTo(object);
    const position = input.position(ref, fieldPath);
    return { object: ref, fieldPath, ...(position && { position }) };
  };
  return {
    input,
    findings,
    place,
    provenance: (object, fieldPath, indices) => ({
      object: refTo(object),
      ...indices,
      fieldPath: intern(fieldPath),
    }),
    report(code, object, fieldPath, message, details) {
      findings.push(diagnostic(code, { message, ...place(object, fieldPath), ...details }));
    },
    reportOnce(code, object, fieldPath, message) {
      findings.push(markOnce(diagnostic(code, { message, ...place(object, fieldPath) })));
    },
  };
}

/** `a, b and 3 more`: lists in messages stay short. */
export function shortList(names: readonly string[], limit = 5): string {
  const shown = names.slice(0, limit).join(', ');
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}
