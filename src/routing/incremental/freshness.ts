/** Which results hold, of those that depend on Services, on the policies for speaking to them, on Secrets and on ConfigMaps. */
import { equalJson } from '../../kube/objects.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import { type BackendTlsPolicies, readBackendTlsPolicies } from '../backend-tls.ts';
import { type BackendTrafficPolicies, readBackendTrafficPolicies } from '../backend-traffic.ts';
import type { TranslateInput } from '../translate.ts';
import { readXBackends, type XBackends } from '../x-backends.ts';
import { createChanges } from './changes.ts';

/** What a result has of the time when it was made. */
export interface Dated {
  readonly turn: number;
  /** Keys of the Services that were asked for, there or not. */
  readonly services: readonly string[];
  /** The same for Secrets. */
  readonly secrets: readonly string[];
  /** The same for ConfigMaps; absent means none. */
  readonly configMaps?: readonly string[];
}

export interface Freshness {
  /** To be called once for each translation, before everything else. */
  begin(input: Pick<TranslateInput, 'store' | 'placements'>): BackendTlsPolicies;
  /** As the call of `begin` has found them. */
  readonly traffic: BackendTrafficPolicies;
  readonly externals: XBackends;
  /** Number of the translation under way, from 1 on. */
  readonly turn: number;
  /** Whether no result of an earlier translation can have gone stale in this one. */
  readonly isCalm: boolean;
  isFresh(result: Dated): boolean;
}

/** Services, Secrets and ConfigMaps remembered as changed, beyond which everything counts as changed. */
const maxRemembered = 50_000;

export function createFreshness(): Freshness {
  const services = createChanges('services');
  const secrets = createChanges('secrets');
  const configMaps = createChanges('configmaps');
  /** Turn of the last change, by key. */
  const changedAt = new Map<string, number>();
  let turn = 0;
  /** Results of earlier turns are stale. */
  let base = 0;
  let isCalm = false;
  let policies: BackendTlsPolicies | undefined;
  let externals: XBackends = { all: new Map() };
  let traffic: BackendTrafficPolicies = { all: [], targeting: () => [], governing: () => undefined };

  function followPolicies(store: StoreReader): BackendTlsPolicies {
    const read = readBackendTlsPolicies(store);
    const ofTraffic = readBackendTrafficPolicies(store);
    const isSame = policies && equalJson(contentOf(read), contentOf(policies));
    if (!isSame || !equalJson(contentOf(ofTraffic), contentOf(traffic))) {
      base = turn;
      isCalm = false;
    }
    policies = read;
    traffic = ofTraffic;
    followExternals(store);
    return read;
  }

  function followExternals(store: StoreReader): void {
    const read = readXBackends(store);
    if (!equalJson(contentOfExternals(read), contentOfExternals(externals))) {
      base = turn;
      isCalm = false;
    }
    externals = read;
  }

  return {
    get turn() {
      return turn;
    },
    get isCalm() {
      return isCalm;
    },
    get traffic() {
      return traffic;
    },
    get externals() {
      return externals;
    },
    begin({ store, placements }) {
      turn++;
      const changed = [
        ...services.since(store, placements),
        ...[...secrets.since(store, placements)].map(secretKey),
        ...[...configMaps.since(store, placements)].map(configMapKey),
      ];
      isCalm = changed.length === 0;
      if (changed.length + changedAt.size > maxRemembered || turn === 1) {
        base = turn;
        changedAt.clear();
      } else for (const key of changed) changedAt.set(key, turn);
      return followPolicies(store);
    },
    isFresh(result) {
      if (result.turn < base) return false;
      if (changedAt.size === 0) return true;
      for (const key of result.services) if ((changedAt.get(key) ?? 0) > result.turn) return false;
      for (const key of result.secrets) if ((changedAt.get(secretKey(key)) ?? 0) > result.turn) return false;
      for (const key of result.configMaps ?? [])
        if ((changedAt.get(configMapKey(key)) ?? 0) > result.turn) return false;
      return true;
    },
  };
}

/** Apart from the key of a Service of the same name. */
function secretKey(key: string): string {
  return `Secret ${key}`;
}

function configMapKey(key: string): string {
  return `ConfigMap ${key}`;
}

/** All that a result can depend on: which policy governs what follows from their targets and ages. */
function contentOf({ all }: BackendTlsPolicies | BackendTrafficPolicies): unknown {
  return all.map(({ policy: { metadata, spec }, ...rest }) => ({
    ...rest,
    name: `${metadata.namespace}/${metadata.name}`,
    age: metadata.creationTimestamp,
    spec,
  }));
}

function contentOfExternals({ all }: XBackends): unknown {
  return [...all].map(([key, { object, ...state }]) => ({ key, ...state, spec: object.spec }));
}
