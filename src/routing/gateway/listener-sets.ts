/**
 * ListenerSets: which Gateway each one extends, and what its listeners come to. What was worked out for a set holds
 * until the set, a Secret that it names, a ReferenceGrant or a Namespace has changed, or a certificate has expired.
 */
import { equalJson } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Gateway, ListenerSet } from '../../kube/types/index.ts';
import { addFindings, type Captured, capture } from '../incremental/capture.ts';
import { type Context, compareAge, type Fault, sortByName } from './context.ts';
import { gatewayGroup, resources } from './kinds.ts';
import { draftListeners, type ListenerDraft } from './listeners.ts';
import { type ListenerOwner, type ListenerSetState, ownerOfListeners } from './model.ts';
import { namespaceRule, unknownOperator } from './namespaces.ts';
import type { Settle, Verdict } from './settle.ts';

/** A set before its Gateway has had its say. */
export interface SetDraft extends Captured<readonly ListenerDraft[]> {
  readonly key: string;
  /** `namespace/name` of the Gateway. */
  readonly parent: string;
  readonly owner: ListenerOwner & { readonly object: ListenerSet };
  /** When its certificates begin or end to be valid. */
  readonly turns: readonly number[];
  /** Keys of the Secrets that it names. */
  readonly secrets: readonly string[];
}

/** What has changed since the translation before. */
export interface SetChanges {
  /** Keys. */
  readonly sets: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
  /** Something that any set may depend on. */
  readonly others: boolean;
}

export interface SetsMemory {
  /** Sets by the key of their Gateway, the oldest first, then by name. */
  byGateway(context: Context, changed: SetChanges): ReadonlyMap<string, readonly ListenerSet[]>;
  /** As the last call of `byGateway` has found them: sets that name a Gateway which is not there. */
  readonly orphans: readonly ListenerSet[];
  draftOf(context: Context, set: ListenerSet): SetDraft;
  /** The state of the set, which stays the same object for as long as all that it is made of says the same. */
  keep(draft: SetDraft, judgement: SetJudgement, make: () => ListenerSetState): ListenerSetState;
}

/** What a Gateway says of a set. */
export interface SetJudgement {
  readonly fault: Fault | undefined;
  /** Of its listeners, where there is no fault. */
  readonly verdicts: readonly Verdict[];
}

interface KnownState {
  readonly draft: SetDraft;
  readonly judgement: SetJudgement;
  readonly state: ListenerSetState;
}

export function createSetsMemory(): SetsMemory {
  const drafts = new Map<string, SetDraft>();
  const states = new Map<string, KnownState>();
  let orphans: readonly ListenerSet[] = [];

  function forget({ sets, secrets, others }: SetChanges): void {
    if (others) drafts.clear();
    for (const key of sets) drafts.delete(key);
    if (secrets.size === 0) return;
    for (const [key, draft] of drafts) if (draft.secrets.some((name) => secrets.has(name))) drafts.delete(key);
  }

  return {
    get orphans() {
      return orphans;
    },
    byGateway(context, changed) {
      forget(changed);
      const sets = context.input.store.list<ListenerSet>(resources.listenerSet);
      const present = new Set(sets.map(keyOf));
      for (const key of states.keys()) if (!present.has(key)) states.delete(key);
      const found = new Map<string, ListenerSet[]>();
      const lost: ListenerSet[] = [];
      orphans = lost;
      for (const set of sortByAge(sets)) {
        if (!namesGateway(context, set, lost)) continue;
        const parent = gatewayOfListenerSet(set);
        const siblings = found.get(parent);
        if (siblings) siblings.push(set);
        else found.set(parent, [set]);
      }
      return found;
    },
    draftOf(context, set) {
      const key = keyOf(set);
      const draft = drafts.get(key) ?? draftSet(context, set);
      drafts.set(key, draft);
      return draft;
    },
    keep(draft, judgement, make) {
      const known = states.get(draft.key);
      if (known?.draft === draft && sameJudgement(known.judgement, judgement)) return known.state;
      const state = make();
      states.set(draft.key, { draft, judgement, state });
      return state;
    },
  };
}

function sameJudgement(a: SetJudgement, b: SetJudgement): boolean {
  return (
    equalJson(a.fault, b.fault) &&
    a.verdicts.length === b.verdicts.length &&
    a.verdicts.every((verdict, i) => equalJson(verdict, b.verdicts[i]))
  );
}

/** The order of a list that is sorted by name already does not depend on how it came. */
function sortByAge(sets: readonly ListenerSet[]): ListenerSet[] {
  return sortByName(sets).sort(compareAge);
}

/** Whether the set is for controllers of Gateways to look at. A parent of another kind is left to others. */
function namesGateway(context: Context, set: ListenerSet, orphans: ListenerSet[]): boolean {
  const { group = gatewayGroup, kind = 'Gateway' } = set.spec.parentRef;
  const key = gatewayOfListenerSet(set);
  const isGateway = group === gatewayGroup && kind === 'Gateway';
  if (isGateway && context.input.store.get<Gateway>(resources.gateway, key)) return true;
  if (isGateway) {
    orphans.push(set);
    context.report('FW3111', set, 'spec.parentRef', `the Gateway ${key} does not exist`);
  } else if (context.input.adopt)
    context.report('FW3111', set, 'spec.parentRef', `${kind} ${key} is no Gateway: this ListenerSet is left alone`);
  return false;
}

/** `namespace/name` of the Gateway that a ListenerSet extends. */
export function gatewayOfListenerSet(set: ListenerSet): string {
  const { name, namespace = set.metadata.namespace ?? 'default' } = set.spec.parentRef;
  return `${namespace}/${name}`;
}

function draftSet(context: Context, set: ListenerSet): SetDraft {
  const owner = { ...ownerOfListeners(set), object: set };
  const mark = context.turns.length;
  const captured = capture(context, () => draftListeners(context, owner));
  return {
    ...captured,
    key: keyOf(set),
    parent: gatewayOfListenerSet(set),
    owner,
    turns: context.turns.splice(mark),
    secrets: secretsOf(owner),
  };
}

function secretsOf({ object, namespace: own }: ListenerOwner): string[] {
  const refs = object.spec.listeners?.flatMap(({ tls }) => tls?.certificateRefs ?? []) ?? [];
  return refs.map(({ namespace = own, name }) => `${namespace}/${name}`);
}

/** Why a Gateway does not admit a set, or a set has nothing to be admitted for; undefined for one that is. */
export type Admission = (draft: SetDraft) => Fault | undefined;

/** Gateway spec.allowedListeners: by default no set is admitted. */
export function createAdmission(context: Context, gateway: Gateway): Admission {
  const namespaces = gateway.spec.allowedListeners?.namespaces ?? {};
  const { from = 'None' } = namespaces;
  const own = gateway.metadata.namespace ?? 'default';
  const admits = namespaceRule(context, { ...namespaces, from }, own);
  const operator = from === 'Selector' ? unknownOperator(namespaces) : undefined;
  const why = operator === undefined ? `from: ${from}` : `${operator} is not a valid operator of its selector`;
  return ({ owner: { object: set, namespace }, value }) => {
    if (!admits(namespace))
      return context.fault('FW3108', set, 'spec.parentRef', {
        reason: 'NotAllowed',
        message: `allowedListeners of the Gateway ${keyOf(gateway)} admits no ListenerSets of the namespace ${namespace} (${why})`,
        hint: `Let the Gateway admit the namespace: spec: {allowedListeners: {namespaces: ${admitting(namespace, own)}}}`,
      });
    if (value.length > 0) return undefined;
    return context.fault('FW3107', set, 'spec.listeners', {
      reason: 'Invalid',
      message: 'the set has no listeners',
      hint: 'Add a listener.',
    });
  };
}

function admitting(namespace: string, own: string): string {
  if (namespace === own) return '{from: Same}';
  return `{from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}}`;
}

/** What becomes of a set of a Gateway of ours. */
export function settleSet(
  context: Context,
  memory: SetsMemory,
  draft: SetDraft,
  fault: Fault | undefined,
  settle: Settle,
): ListenerSetState {
  const { owner, key, parent, value } = draft;
  const shared = { owner, key, parent, object: owner.object };
  if (fault) {
    return memory.keep(draft, { fault, verdicts: [] }, () => ({ ...shared, listeners: [], fault }));
  }
  addFindings(context, draft.findings);
  for (const turn of draft.turns) context.turns.push(turn);
  const verdicts = value.map(settle.verdictOf);
  return memory.keep(draft, { fault, verdicts }, () => ({
    ...shared,
    listeners: value.map((listener, i) => settle.stateOf(listener, verdicts[i]!)),
  }));
}
