import type { DiagnosticRule } from './types.ts';

/** FW3xxx: Gateway API. */
export const gatewayRules = {} as const satisfies Record<string, DiagnosticRule>;
