/** sessionPersistence of a rule (HTTPRoute, GRPCRoute; GEP-1619) → affinity of the plan. */
import { createHash } from 'node:crypto';
import type { HTTPRoute } from '../../kube/types/index.ts';
import { type Affinity, cookiePath, reservedHeaders } from '../plan/affinity.ts';
import type { PathMatch } from '../plan/plan.ts';
import { durationHint, parseDuration } from './duration.ts';
import { type FilterFault, headerName, unsupported } from './filter-fault.ts';

type Rule = NonNullable<HTTPRoute['spec']['rules']>[number];
export type SessionPersistence = NonNullable<Rule['sessionPersistence']>;

/** The rule that sessions are of: they are shared with no other. */
export interface SessionOwner {
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly namespace: string;
  readonly name: string;
  readonly rule: { readonly name?: string; readonly matches?: readonly unknown[] };
}

const nameHint = 'Choose a name of letters, digits and - that nothing else uses, or leave it out to be given one.';
const timeHint = 'Set absoluteTimeout, or cookieConfig.lifetimeType to Session.';

/** Without the path of the cookie, which each match has of its own (`withCookiePath`). */
export function compileSessionPersistence(
  given: SessionPersistence | undefined,
  owner: SessionOwner,
): Affinity | FilterFault | undefined {
  if (!given) return undefined;
  const { type = 'Cookie', absoluteTimeout } = given;
  const scope = scopeOf(owner);
  const name = given.sessionName || generatedName(scope, type);
  if (!headerName.test(name))
    return unsupported(
      'sessionPersistence.sessionName',
      `${JSON.stringify(name)} is no name of a cookie or header`,
      nameHint,
    );
  if (type === 'Header' && reservedHeaders.has(name.toLowerCase()))
    return unsupported('sessionPersistence.sessionName', `the header ${name} has another meaning`, nameHint);
  const absoluteTimeoutMs = absoluteTimeout === undefined ? 0 : parseDuration(absoluteTimeout);
  if (absoluteTimeoutMs === undefined)
    return unsupported('sessionPersistence.absoluteTimeout', `${absoluteTimeout} is not a duration`, durationHint);
  const isPermanent = type === 'Cookie' && given.cookieConfig?.lifetimeType === 'Permanent';
  if (isPermanent && absoluteTimeoutMs === 0)
    return unsupported('sessionPersistence.absoluteTimeout', 'a Permanent cookie needs a time above zero', timeHint);
  return {
    scope,
    carrier: type === 'Header' ? { type: 'header', name } : cookie(name, isPermanent ? absoluteTimeoutMs : 0),
    mode: 'persistent',
    moveOnFailure: true,
    ...(absoluteTimeoutMs > 0 && { absoluteTimeoutMs }),
  };
}

/** Cookies are for what the match matches; headers are sent wherever the client likes. */
export function withCookiePath(affinity: Affinity, match: PathMatch | undefined): Affinity {
  const { carrier } = affinity;
  return carrier.type === 'cookie' ? { ...affinity, carrier: { ...carrier, path: cookiePath(match) } } : affinity;
}

/**
 * SameSite=Lax though the GEP would have Strict: with Strict, whoever follows a link from another site comes without the
 * cookie, gets a new one for it, and has lost the session.
 */
function cookie(name: string, lifetimeMs: number): Affinity['carrier'] {
  const maxAgeSeconds = Math.ceil(lifetimeMs / 1_000);
  const lifetime = maxAgeSeconds > 0 && { maxAgeSeconds, expiresSeconds: maxAgeSeconds };
  return { type: 'cookie', name, secure: 'https', sameSite: 'Lax', ...lifetime };
}

/**
 * A rule is the one of its name, or of its matches: sessions outlast what happens to its place in the list, and to its
 * backends.
 */
function scopeOf({ kind, namespace, name, rule }: SessionOwner): string {
  const own = rule.name ?? digest(JSON.stringify(rule.matches ?? []));
  return `${kind}/${namespace}/${name}/rules/${own}`;
}

function generatedName(scope: string, type: 'Cookie' | 'Header'): string {
  return `${type === 'Header' ? 'X-Fairway-Session-' : 'fairway-session-'}${digest(scope)}`;
}

/** 10 hexadecimal digits. Not for secrets. */
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 10);
