import type { DiagnosticRule } from './types.ts';

/** FW1xxx: manifests, object validation and the local cluster. */
export const manifestRules = {
  FW1001: {
    severity: 'error',
    title: 'A manifest could not be parsed',
    hint: 'Mend the syntax at the place shown; until then the last good version stays in force.',
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
  FW1004: {
    severity: 'error',
    title: 'A manifest file is too large',
    hint: 'Split the file, or raise the limit with --max-file-size.',
  },
  FW1005: {
    severity: 'error',
    title: 'A path could not be read',
    hint: 'Check that the path exists and that you may read it.',
  },
  FW1006: {
    severity: 'warning',
    title: 'A folder holds no manifests',
    hint: 'Put files ending in .yaml, .yml or .json there; an edit is picked up without a restart.',
  },
  FW1007: {
    severity: 'warning',
    title: 'An object is defined twice',
    hint: 'Keep one of the two definitions; the one read last is in force.',
  },
  FW1008: {
    severity: 'error',
    title: 'A manifest expands to too much',
    hint: 'YAML anchors that multiply are refused: write the values out, or split the file.',
  },
  FW1009: {
    severity: 'error',
    title: 'A document is not a Kubernetes object',
    hint: 'Every document needs apiVersion, kind and metadata.name.',
  },
  FW1010: {
    severity: 'error',
    title: 'A part of the front door failed',
    hint: 'This is a fault of Fairway: please report it with the message. Everything else goes on.',
  },
  FW1011: {
    severity: 'info',
    title: 'An object was accepted with a warning',
    hint: 'The Kubernetes API server would send the same warning: the object works, but part of it is deprecated or without effect.',
  },
} as const satisfies Record<string, DiagnosticRule>;
