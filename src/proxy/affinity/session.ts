/**
 * The session of one request: which share and endpoint it began on, and what the client is told when it has come to
 * another one. Nothing outlives the exchange: what a client sends is looked up among the endpoints of its route, and
 * counts for nothing when it is not found there.
 */
import type { Exchange } from '../exchange/exchange.ts';
import type { Fields } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';
import { nextPlace } from '../routes/canary.ts';
import type { CompiledForward, Target } from '../routes/compile.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Upstream } from '../upstream/upstreams.ts';
import type { CompiledAffinity } from './compile.ts';
import { endpointOfKey, keyOfEndpoint, newKey } from './keys.ts';
import { takesNoSameSiteNone } from './same-site.ts';
import { readToken, writeToken } from './token.ts';

export interface Session {
  readonly affinity: CompiledAffinity;
  /** Place of its share in the route's action. */
  place: number;
  /** Name of its endpoint, or its key; '' for a session that has not begun. */
  named: string;
  /** The endpoint that this leads to. */
  pool: Pool | undefined;
  /** The client does not know its key yet. */
  fresh: boolean;
  /** The client takes no SameSite=None. */
  readonly old: boolean;
}

/** The place of the share that a request falls to: the one of its session, or the next by rules and weight. */
export function placeOf(
  exchange: Exchange,
  affinity: CompiledAffinity,
  head: RequestHead,
  action: CompiledForward,
): number {
  const old = affinity.byAgent && takesNoSameSiteNone(head.headers('user-agent'));
  const session: Session = { affinity, place: -1, named: '', pool: undefined, fresh: false, old };
  exchange.session = session;
  const due = affinity.plan.split === 'weight' ? nextPlace(action, exchange, head) : undefined;
  session.place = resume(session, head, action.targets, due);
  if (session.place < 0) session.place = due ?? nextPlace(action, exchange, head);
  return session.place;
}

/** The place of the share of the first session that goes on; -1 when none does. `due`: the only share in question. */
function resume(session: Session, head: RequestHead, targets: readonly Target[], due: number | undefined): number {
  const { plan, ids, places, open, read } = session.affinity;
  const texts = read(head);
  if (texts.length === 0) return -1;
  const since = plan.absoluteTimeoutMs === undefined ? undefined : Date.now() - plan.absoluteTimeoutMs;
  let begun = -1;
  for (const text of texts) {
    const token = readToken(text, ids, since);
    const place = token && places.get(token.share);
    if (place === undefined) continue;
    const at = due ?? place;
    if (leads(session, token!.named, targets[at]?.upstream)) return at;
    // Its endpoint is lost, but not what it has met with: another endpoint of the share goes on, if that takes sessions.
    if (begun < 0 && open[at] && (targets[at]?.upstream?.targets.length ?? 0) > 0) begun = at;
  }
  return begun;
}

function leads(session: Session, named: string, upstream: Upstream | undefined): boolean {
  if (!upstream) return false;
  const { plan, ids } = session.affinity;
  const pool = plan.mode === 'balanced' ? upstream.targets[0] : ids.find(upstream, named);
  if (!pool || (plan.mode === 'persistent' && !canStay(upstream, pool))) return false;
  session.named = named;
  return true;
}

/** Whether an endpoint serves sessions that it has: also while it terminates, and in another zone. */
function canStay(upstream: Upstream, pool: Pool): boolean {
  const isSound = pool.health?.healthy !== false && !pool.outlier?.ejected;
  // Where something speaks against all of them, they are in turn nevertheless.
  return pool.serves && (isSound || upstream.targets.includes(pool));
}

/** Whether the session stays on its endpoint whatever that makes of requests: one that goes on, unless it is to move. */
export function isTied({ affinity, named, fresh }: Session): boolean {
  return !affinity.plan.moveOnFailure && named !== '' && !fresh;
}

/** The endpoint of the session, unless it is one of those passed over; undefined leaves it to the balancing. */
export function endpointOf(
  session: Session,
  upstream: Upstream,
  passed: readonly Pool[] | undefined,
): Pool | undefined {
  const { plan, ids } = session.affinity;
  if (plan.mode === 'persistent') {
    const pool = session.named === '' ? undefined : ids.find(upstream, session.named);
    return pool && canStay(upstream, pool) && !passed?.includes(pool) ? pool : undefined;
  }
  if (session.named === '') {
    session.named = newKey();
    session.fresh = true;
  }
  if (!passed) session.pool = endpointOfKey(upstream, session.named);
  return passed ? endpointOfKey(upstream, session.named, passed) : session.pool;
}

/** Tells the client, in the head of its response, of a session that has begun or come to another endpoint. */
export function tellSession({ client, share, at }: Exchange, session: Session, fields: Fields): void {
  const upstream = share?.upstream;
  if (!upstream || !at) return;
  const { plan, ids, shares, tell } = session.affinity;
  const before = session.named;
  // Its own has no connection to give; the session goes back there.
  if (isTied(session) && staysElsewhere(session, upstream, at)) return;
  if (plan.mode === 'persistent') session.named = ids.endpoint(upstream, at);
  else if (at !== session.pool) session.named = keyOfEndpoint(upstream, at, session.pool);
  if (session.named === before && !session.fresh) return;
  const token = { share: shares[session.place]!, named: session.named };
  const began = plan.absoluteTimeoutMs === undefined ? undefined : Date.now();
  tell(fields, writeToken(token, ids, began), client.door.scheme === 'https', session.old);
}

function staysElsewhere({ affinity, named, pool }: Session, upstream: Upstream, at: Pool): boolean {
  if (affinity.plan.mode === 'balanced') return pool !== undefined && at !== pool;
  const own = affinity.ids.find(upstream, named);
  return own !== undefined && own !== at && canStay(upstream, own);
}
