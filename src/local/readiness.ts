/** When a starting front door may call itself ready: every Pod answers, or has said why it does not. */
import type { StoreReader } from '../kube/store/store.ts';
import type { Pod } from '../kube/types/index.ts';

interface WaitingContainer {
  readonly state?: { readonly waiting?: { readonly reason?: string } };
}

function isDecided({ status }: Pod): boolean {
  if (status?.phase !== 'Pending') return status?.phase !== undefined;
  const waiting = ((status.containerStatuses ?? []) as WaitingContainer[]).map(({ state }) => state?.waiting?.reason);
  return waiting.some((reason) => reason !== undefined && reason !== 'ContainerCreating');
}

/** Resolves when no Pod is undecided, looked at after every burst of changes, or when the time (ms) is over. */
export function podsDecided(store: StoreReader, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    let scheduled = false;
    const finish = () => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const look = () => {
      scheduled = false;
      if (store.list<Pod>('pods').every(isDecided)) finish();
    };
    const timer = setTimeout(finish, timeoutMs);
    const unsubscribe = store.subscribe(({ resource }) => {
      if (scheduled || resource !== 'pods') return;
      scheduled = true;
      setImmediate(look);
    });
    look();
  });
}
