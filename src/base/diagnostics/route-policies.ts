import type { DiagnosticRule } from './types.ts';

/** FW54xx: what annotations of HTTPRoutes, GRPCRoutes and Ingresses ask of the data plane (docs/policies.md). */
export const routePolicyRules = {
  FW5401: {
    severity: 'error',
    title: 'An annotation that guards a route cannot be honoured; its requests are answered with an error',
    hint: 'Mend what the message names: letting requests pass unguarded would be worse than refusing them. Other routes are not affected.',
  },
  FW5402: {
    severity: 'warning',
    title: 'An annotation of a route is not known',
    hint: 'Look its name up in docs/policies.md, or remove it; until then it does nothing.',
  },
  FW5403: {
    severity: 'error',
    title: 'An annotation of a route cannot be honoured and is left out',
    hint: 'Mend what the message names; until then the data plane does as if the annotation were not there. The others are in force.',
  },
  FW5404: {
    severity: 'warning',
    title: 'An annotation of a route has no effect',
    hint: 'Use what the message names instead, or remove the annotation.',
  },
  FW5405: {
    severity: 'warning',
    title: 'A line of a Secret with passwords cannot be used; its user cannot log in',
    hint: 'Write the line with `htpasswd -B`; the other users can log in.',
  },
} as const satisfies Record<string, DiagnosticRule>;
