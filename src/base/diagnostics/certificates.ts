import type { DiagnosticRule } from './types.ts';

/** FW6xxx: certificates and Secrets that hold them. */
export const certificateRules = {} as const satisfies Record<string, DiagnosticRule>;
