import type { DiagnosticRule } from './types.ts';

/** FW4xxx: cluster DNS. */
export const dnsRules = {} as const satisfies Record<string, DiagnosticRule>;
