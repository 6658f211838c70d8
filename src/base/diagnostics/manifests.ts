import type { DiagnosticRule } from './types.ts';

/** FW1xxx: manifests, object validation and the local cluster. */
export const manifestRules = {
  FW1001: {
    severity: 'error',
    title: 'A manifest could not be parsed',
    hint: 'Mend the syntax at the place shown; the last good version stays in force.',
  },
  FW1002: {
    severity: 'info',
    title: 'A kind that Fairway does not know was skipped',
    hint: 'Nothing to do, unless you expected it to matter: add its CustomResourceDefinition to have it stored.',
  },
  FW1003: {
    severity: 'error',
    title: 'An object is invalid and was refused',
    hint: 'Change the field named; the Kubernetes API server would refuse it for the same reason.',
  },
} as const satisfies Record<string, DiagnosticRule>;
