/** What every finding of Fairway looks like, whoever found it: DESIGN of diagnostics in docs/architecture.md. */

export type Severity = 'error' | 'warning' | 'info';

/** Names one Kubernetes object. Cluster-scoped objects have no namespace. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** A place in a file. Line and column count from 1, as editors do. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One row of the registry: a stable code with what is always true of it. Codes are retired, never reused. */
export interface DiagnosticRule {
  readonly severity: Severity;
  /** One line, without the particulars of a case. Shown in docs/diagnostics.md. */
  readonly title: string;
  /** What would mend it, in general. A case may give a better one. */
  readonly hint: string;
}

/** A finding. Plain data: printed, sent as JSON, compared by tests. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly object?: ObjectRef;
  /** JSON path of the field from the object's root, as kubectl writes it: `spec.rules[0].host`. */
  readonly fieldPath?: string;
  readonly position?: Position;
  readonly hint: string;
  readonly docs: string;
}
