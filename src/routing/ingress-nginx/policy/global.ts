/** What the ConfigMap asks of every location: who is blocked, compression, logs, and what it forbids annotations. */
import type { Condition, Filter } from '../../plan/plan.ts';
import { type NginxKey, nginxPrefix } from '../annotations/table.ts';
import { type Desk, report } from './desk.ts';

/** `block-user-agents`, `block-referers`: before locations are looked for. */
export function blocked({ config }: Desk): readonly Filter[] {
  return [...blockedBy('user-agent', config.blockUserAgents), ...blockedBy('referer', config.blockReferers)];
}

/** Values as a map of nginx has them: text without regard to case, or a pattern behind `~` or `~*`. */
function blockedBy(name: string, values: readonly string[]): readonly Filter[] {
  const reason = `the value of ${name} is blocked`;
  return values.map((value) => ({ type: 'respond', when: [conditionOf(name, value)], status: 403, reason }));
}

function conditionOf(name: string, text: string): Condition {
  const [, star, pattern] = /^~(\*?)(.*)$/s.exec(text) ?? [];
  const value = [{ of: 'header', name }] as const;
  if (pattern !== undefined)
    return { value, test: { type: 'matches', pattern, ...(star === '*' && { ignoreCase: true }) } };
  const quoted = text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  return { value, test: { type: 'matches', pattern: `^(?:${quoted})$`, ignoreCase: true } };
}

/** Why nothing may pass whatever the annotations say; undefined when it may. */
export function shutByConfig({ config, asked }: Desk): string | undefined {
  if (config.unread) return 'the ConfigMap of the controller cannot be read';
  const key =
    config.broken ??
    (config.enableModsecurity && asked['enable-modsecurity'] !== false ? 'enable-modsecurity' : undefined);
  return key === undefined ? undefined : `the key ${key} of the ConfigMap cannot be honoured`;
}

export function compression({ config }: Desk): readonly Filter[] {
  return config.compression ? [config.compression] : [];
}

/** docs/user-guide/nginx-configuration/annotations-risk.md of ingress-nginx; those not named are `Low`. */
const risks: Readonly<Record<'High' | 'Medium', readonly NginxKey[]>> = {
  High: [
    ...(['server-alias', 'auth-tls-error-page', 'auth-tls-match-cn', 'auth-signin', 'auth-url'] as const),
    ...(['mirror-host', 'mirror-target', 'modsecurity-transaction-id', 'proxy-ssl-name', 'upstream-hash-by'] as const),
  ],
  Medium: [
    ...(['allowlist-source-range', 'denylist-source-range', 'auth-realm', 'auth-secret', 'auth-tls-secret'] as const),
    ...(['auth-tls-verify-client', 'auth-cache-duration', 'auth-cache-key', 'auth-proxy-set-headers'] as const),
    ...(['auth-request-redirect', 'auth-response-headers', 'auth-signin-redirect-param', 'custom-headers'] as const),
    ...(['canary-by-cookie', 'canary-by-header', 'canary-by-header-pattern', 'canary-by-header-value'] as const),
    ...(['cors-allow-headers', 'cors-allow-methods', 'cors-allow-origin', 'cors-expose-headers'] as const),
    ...(['fastcgi-index', 'fastcgi-params-configmap', 'opentelemetry-operation-name', 'proxy-body-size'] as const),
    ...(['proxy-cookie-domain', 'proxy-cookie-path', 'proxy-next-upstream', 'proxy-redirect-from'] as const),
    ...(['proxy-redirect-to', 'proxy-ssl-ciphers', 'proxy-ssl-secret', 'permanent-redirect'] as const),
    ...(['temporal-redirect', 'app-root', 'force-ssl-redirect', 'preserve-trailing-slash', 'rewrite-target'] as const),
    ...(['affinity-mode', 'session-cookie-domain', 'session-cookie-expires', 'session-cookie-max-age'] as const),
    ...(['session-cookie-name', 'session-cookie-path', 'x-forwarded-prefix'] as const),
  ],
};

/** The first annotation that `annotations-risk-level` forbids. Snippets, which are `Critical`: snippets/leave.ts. */
export function forbidden({ scope, ingress, asked, config }: Desk): NginxKey | undefined {
  const level = config.annotationsRiskLevel;
  if (level === 'High' || level === 'Critical') return undefined;
  const keys = level === 'Medium' ? risks.High : [...risks.High, ...risks.Medium];
  const found = keys.filter((key) => asked[key] !== undefined);
  for (const name of found) {
    const message = `${nginxPrefix}${name}: annotations-risk-level is ${level}, which forbids it`;
    report(scope, ingress, { code: 'FW5501', name, message });
  }
  return found[0];
}
