/** Which of the two backends of a canary a request goes to, and why. */
import { compileCanary } from '../../proxy/routes/canary.ts';
import type { Canary, ForwardAction, Route } from '../../routing/plan/plan.ts';
import { backendEndpoints, usableEndpoints } from '../../service/endpoints.ts';
import type { World } from '../world.ts';
import type { Rehearsed } from './rehearsal/request.ts';

export interface CanaryChoice {
  /** Place of the backend in the action; undefined: its weights decide. */
  readonly place: number | undefined;
  readonly details: readonly string[];
}

const noChoice: CanaryChoice = { place: undefined, details: [] };

export function canaryChoice(world: World, { action, affinity }: Route, asked: Rehearsed): CanaryChoice {
  if (action.type !== 'forward' || !action.canary) return noChoice;
  const session = affinity ? [`a session that ${affinity.carrier.name} names goes before the rules of the canary`] : [];
  if (isEmpty(world, action))
    return { place: 0, details: [...session, 'the canary has no endpoint, and gets nothing'] };
  const decided = compileCanary(action.canary, () => {})(asked.exchange, asked.head);
  if (decided === undefined)
    return { place: undefined, details: [...session, `the canary’s weight decides: ${rulesOf(action.canary)}`] };
  const where = decided ? 'to the canary' : 'not to the canary';
  return {
    place: Number(decided),
    details: [...session, `the request goes ${where}: ${reasonOf(action.canary, asked)}`],
  };
}

function isEmpty({ plan, store }: World, { backends: [, second] }: ForwardAction): boolean {
  const found = second?.backend === undefined ? undefined : plan.backends[second.backend];
  if (!found) return true;
  const { namespace, service, port } = found;
  return !found.external && usableEndpoints(backendEndpoints(store, { namespace, service, port })).length === 0;
}

const neither = 'says neither always nor never';

/** Rules that the request does not meet. */
function rulesOf({ header, cookie }: Canary): string {
  const { text, pattern } = header ?? {};
  const unlike =
    text === undefined ? (pattern === undefined ? neither : `is not found by ${pattern}`) : `is not ${text}`;
  const parts = [
    ...(header ? [`header ${header.name} ${unlike}`] : []),
    ...(cookie === undefined ? [] : [`cookie ${cookie} ${neither}`]),
  ];
  return parts.join(', ');
}

/** The rule that decided; the header is asked first. */
function reasonOf({ header, cookie }: Canary, { exchange, head }: Rehearsed): string {
  const byHeader = header && compileCanary({ header }, () => {})(exchange, head);
  if (header && byHeader !== undefined) return `header ${header.name} is ${head.headers(header.name)}`;
  return `cookie ${cookie} says so`;
}
