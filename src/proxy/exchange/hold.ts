/**
 * Requests that wait at a gate. What is held is a copy of the head; body bytes stay with the client's side, which stops
 * reading at its own bound, until there is a backend to take them.
 */
import type { Denial, ErrorPages, Waiting } from '../filters/types.ts';
import { copyRequestHead, holdRequestHead } from '../http1/copy-head.ts';
import type { RequestHead } from '../http1/request.ts';
import { attachmentsOf } from './attachments.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import { reply } from './reply.ts';

/** Holds a request until the gate and those after it have said what becomes of it; `goOn` if it is let in. */
export function hold(
  exchange: Exchange,
  head: RequestHead,
  waiting: Waiting,
  goOn: (exchange: Exchange, head: RequestHead) => void,
): void {
  const held = holdRequestHead(head);
  let settled = false;
  const giveUp = waiting.ask(exchange, held, (denial) => {
    if (settled || exchange.over) return;
    settled = true;
    if (denial) turnAway(exchange, denial);
    else letOn(exchange, held, waiting, goOn);
  });
  if (!exchange.over) attachmentsOf(exchange).whenOver.push(giveUp);
}

/** Nothing else is being read while this runs, so the head goes back to where filters look for it. */
function letOn(
  exchange: Exchange,
  held: RequestHead,
  { next }: Waiting,
  goOn: (exchange: Exchange, head: RequestHead) => void,
): void {
  const { requestHead: head } = exchange.client.runtime;
  copyRequestHead(held, head);
  const verdict = next?.(exchange, head);
  if (!verdict) goOn(exchange, head);
  else if ('ask' in verdict) hold(exchange, head, verdict, goOn);
  else turnAway(exchange, verdict);
}

/** Answers for a gate, or has a page answer. */
export function turnAway(exchange: Exchange, denial: Denial): void {
  const pages = pagesOf(exchange);
  if (pages?.refusals && pages.insteadOf(exchange, denial)) return;
  reply(exchange, denial);
  finish(exchange);
}

/** Of the share that the request has fallen to; those of a route are in all of its shares. */
function pagesOf({ share, route }: Exchange): ErrorPages | undefined {
  if (share) return share.filters.errorPages;
  const action = route?.action;
  return action?.type === 'forward' ? action.targets[0]?.filters.errorPages : action?.filters.errorPages;
}
