/** For how long, how often, and to which endpoint: time-outs, next upstreams, sessions. */
import { cookiePath } from '../../plan/affinity.ts';
import type { Affinity, Retry, Route, SessionCookie } from '../../plan/plan.ts';
import type { Desk, LocationDesk } from './desk.ts';

export function timeoutsOf({ asked, config }: Desk): NonNullable<Route['timeouts']> {
  return { idleMs: (asked['proxy-read-timeout'] ?? config.proxyReadTimeout) * 1_000 };
}

/** Tries where no number of them is an end. */
const endlessTries = 10;

/** Words of `proxy_next_upstream` that are no statuses. */
const causes: Readonly<Record<string, Retry['on'][number]>> = {
  error: 'reset',
  invalid_header: 'reset',
  timeout: 'timeout',
};

export function retryOf({ asked, config }: Desk): Retry | undefined {
  const words = asked['proxy-next-upstream'] ?? config.proxyNextUpstream;
  const attempts = ((asked['proxy-next-upstream-tries'] ?? config.proxyNextUpstreamTries) || endlessTries) - 1;
  if (words.includes('off') || attempts < 1) return undefined;
  const statuses = words.flatMap((word) => (word.startsWith('http_') ? [Number(word.slice('http_'.length))] : []));
  const on = [...new Set(words.flatMap((word) => causes[word] ?? []))];
  const isAll = config.retryNonIdempotent || words.includes('non_idempotent');
  return {
    ...{ attempts: Math.min(attempts, 100), statuses: [...new Set(statuses)], on },
    ...{ backoffMs: 0, maxBackoffMs: 0, methods: isAll ? 'all' : 'idempotent' },
  };
}

export function affinityOf(desk: LocationDesk): Affinity | undefined {
  const { asked, namespace, ingress } = desk;
  if (asked.affinity !== 'cookie') return undefined;
  return {
    scope: `Ingress/${namespace}/${ingress.metadata.name}`,
    carrier: cookieOf(desk),
    mode: asked['affinity-mode'] ?? 'balanced',
    ...(asked['affinity-canary-behavior'] === 'legacy' && { split: 'weight' }),
    ...(asked['session-cookie-change-on-failure'] && { moveOnFailure: true }),
  };
}

function cookieOf({ asked, facts }: LocationDesk): SessionCookie {
  const path = facts.isPattern ? cookiePath({ type: 'regex', value: facts.path }) : facts.path;
  const domain = asked['session-cookie-domain'];
  const sameSite = asked['session-cookie-samesite'];
  const maxAgeSeconds = asked['session-cookie-max-age'];
  const expiresSeconds = asked['session-cookie-expires'];
  return {
    type: 'cookie',
    name: asked['session-cookie-name'] ?? 'INGRESSCOOKIE',
    path: asked['session-cookie-path'] ?? path,
    secure: asked['session-cookie-secure'] ? 'always' : 'https',
    ...(domain !== undefined && { domain }),
    ...(sameSite !== undefined && { sameSite }),
    ...(asked['session-cookie-conditional-samesite-none'] && { unlessUnsupported: true }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    ...(expiresSeconds !== undefined && { expiresSeconds }),
  };
}
