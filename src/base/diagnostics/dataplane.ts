import type { DiagnosticRule } from './types.ts';

/** FW5xxx: the data plane: listeners, binding, traffic. */
export const dataplaneRules = {} as const satisfies Record<string, DiagnosticRule>;
