import type { DiagnosticRule } from './types.ts';

/** FW53xx: how a Service says that its endpoints are used (docs/backends.md). */
export const backendRules = {
  FW5301: {
    severity: 'error',
    title: 'An annotation of a Service has a value that cannot be used',
    hint: 'Write one of the values that the message names; until then the data plane does as if the annotation were not there. The others are in force.',
  },
  FW5302: {
    severity: 'warning',
    title: 'An annotation of a Service is not known',
    hint: 'Look its name up in docs/backends.md, or remove it.',
  },
  FW5303: {
    severity: 'warning',
    title: 'An annotation of a Service has no effect',
    hint: 'Add the annotation that the message names, or remove this one.',
  },
} as const satisfies Record<string, DiagnosticRule>;
