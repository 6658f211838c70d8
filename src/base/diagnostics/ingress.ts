import type { DiagnosticRule } from './types.ts';

/** FW2xxx: Ingress. */
export const ingressRules = {} as const satisfies Record<string, DiagnosticRule>;
