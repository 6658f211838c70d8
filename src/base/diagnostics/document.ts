/** The registry as a page: docs/diagnostics.md. */
import { type DiagnosticRule, diagnosticRules } from './index.ts';

const ranges: readonly [prefix: string, title: string][] = [
  ['FW1', 'Manifests, object validation, the local cluster'],
  ['FW2', 'Ingress'],
  ['FW3', 'Gateway API'],
  ['FW4', 'Cluster DNS'],
  ['FW5', 'Data plane: listeners, binding, traffic'],
  ['FW6', 'Certificates'],
];

function entry([code, { severity, title, hint }]: [string, DiagnosticRule]): string {
  return `### ${code}\n\n**${title}** (${severity}). ${hint}\n`;
}

export function diagnosticsDocument(): string {
  const rules = Object.entries(diagnosticRules).sort(([a], [b]) => (a < b ? -1 : 1)) as [string, DiagnosticRule][];
  const parts = ranges.map(([prefix, title]) => {
    const own = rules.filter(([code]) => code.startsWith(prefix));
    return own.length > 0 ? `## ${prefix}xxx: ${title}\n\n${own.map(entry).join('\n')}` : '';
  });
  return `# Diagnostics\n\nEvery finding of Fairway has a stable code. This page is generated from the registry in \`src/base/diagnostics\` by\n\`npm run docs\`; codes are retired, never reused.\n\n${parts.filter(Boolean).join('\n')}`;
}
