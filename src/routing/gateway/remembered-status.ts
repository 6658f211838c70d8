/** Statuses that are built only when they may come out otherwise: those of all Gateways are asked for after every change. */
import { equalJson } from '../../kube/objects.ts';
import { sameItems } from '../incremental/sorted.ts';
import type { DeliveryReport, StatusUpdate } from '../translate.ts';
import type { GatewayState, ListenerState } from './model.ts';
import { socketIds } from './sockets.ts';

/** What a status is built from, besides a state that says the same for as long as the status is remembered. */
export interface StatusInputs {
  /** Listeners whose sockets are looked at. */
  readonly sockets: readonly ListenerState[];
  /** Listeners whose routes are counted. */
  readonly counted: readonly ListenerState[];
  /** Of anything else; compared by identity. */
  readonly other?: () => unknown;
}

type Answer = ReturnType<DeliveryReport['listener']>;

interface Built {
  readonly stored: unknown;
  readonly counts: readonly number[];
  readonly answers: readonly Answer[];
  readonly other: unknown;
  readonly status: unknown;
}

export function remembered(
  gateway: GatewayState,
  { sockets, counted, other: ask = () => undefined }: StatusInputs,
  build: StatusUpdate['build'],
): StatusUpdate['build'] {
  const ids = [...new Set(sockets.flatMap((listener) => socketIds(gateway, listener)))];
  let last: Built | undefined;
  return (object, report) => {
    const { status: stored } = object;
    const counts = counted.map(({ attachedRoutes }) => attachedRoutes);
    const answers = ids.map((id) => report.listener(id));
    const other = ask();
    const isSame = last !== undefined && last.stored === stored && last.other === other;
    if (isSame && sameItems(last!.counts, counts) && sameAnswers(last!.answers, answers)) return last!.status;
    const built = build(object, report);
    const status = equalJson(built, stored) ? stored : built;
    last = { stored, counts, answers, other, status };
    return status;
  };
}

function sameAnswers(a: readonly Answer[], b: readonly Answer[]): boolean {
  return a.every((answer, i) => answer?.bound === b[i]?.bound && answer?.error === b[i]?.error);
}
