/**
 * HTTP-01 (RFC 8555 section 8.3): plain HTTP answers for the tokens of open challenges, on any host, before any route,
 * redirect or password. Other tokens are for the routes, where somebody else's solver may stand.
 */
import type { Challenges } from '../../routing/plan/plan.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import { reply } from './reply.ts';

const prefix = '/.well-known/acme-challenge/';

/** Undefined when no challenge is open, so that requests cost nothing more then. */
export function compileChallenges(challenges: Challenges | undefined): ReadonlyMap<string, string> | undefined {
  const known = Object.entries(challenges?.http ?? {});
  return known.length > 0 ? new Map(known) : undefined;
}

/** True when it was one of ours, and is answered. */
export function answersChallenge(
  exchange: Exchange,
  { method, path }: RequestHead,
  challenges: ReadonlyMap<string, string>,
): boolean {
  if (!path.startsWith(prefix) || (method !== 'GET' && method !== 'HEAD')) return false;
  const authorization = challenges.get(path.slice(prefix.length));
  if (authorization === undefined) return false;
  reply(exchange, {
    status: 200,
    flag: 'acme_challenge',
    reason: 'the token of an open challenge',
    bytes: authorization,
    lines: 'Content-Type: application/octet-stream\r\n',
  });
  finish(exchange);
  return true;
}
