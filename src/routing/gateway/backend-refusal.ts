/** Why a reference to a backend leads nowhere. */
import type { DiagnosticCode } from '../../base/diagnostics/index.ts';
import type { Fault } from './context.ts';

export interface Refusal extends Fault {
  readonly code: DiagnosticCode;
  readonly hint?: string;
}

export function refuse(code: DiagnosticCode, reason: string, message: string, hint?: string): Refusal {
  return { code, reason, message, ...(hint !== undefined && { hint }) };
}
