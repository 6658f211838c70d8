/** Whether Ingresses may have snippets: ingress-nginx asks for two keys of its ConfigMap. */
import type { NginxConfig } from '../config/config.ts';

/** Why they may not, in a clause for people. */
export function snippetsForbidden({
  allowSnippetAnnotations,
  annotationsRiskLevel,
}: Pick<NginxConfig, 'allowSnippetAnnotations' | 'annotationsRiskLevel'>): string | undefined {
  if (!allowSnippetAnnotations) return 'allow-snippet-annotations is not set in the ConfigMap';
  if (annotationsRiskLevel === 'Critical') return undefined;
  return `annotations-risk-level is ${annotationsRiskLevel} in the ConfigMap, and snippets need Critical`;
}
