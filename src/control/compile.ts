/** Objects to plan, statuses and findings: both translators over one store, merged. Pure; `explain -f` runs just this. */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import { translateGateway } from '../routing/gateway/translate.ts';
import { withoutRepeats } from '../routing/incremental/capture.ts';
import { translateIngress } from '../routing/ingress/translate.ts';
import type { Plan } from '../routing/plan/plan.ts';
import {
  type Generated,
  mergePlan,
  type StatusUpdate,
  type TranslateInput,
  type TranslateOutput,
  type Translator,
} from '../routing/translate.ts';
import { withChallenges } from './acme/challenge-plan.ts';
import type { ShownChallengesInput } from './acme/open-challenges.ts';

/** In order of precedence for a socket that two of them want. */
const translators: readonly Translator[] = [translateIngress, translateGateway];

export interface Compiled {
  readonly plan: Plan;
  readonly statuses: readonly StatusUpdate[];
  readonly generated: readonly Generated[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What goes into a plan, beside what routes say. */
export interface CompileInput extends TranslateInput {
  /** See acme/open-challenges.ts. Absent: there are none. */
  readonly challenges?: Omit<ShownChallengesInput, 'store'>;
}

export function compile(input: CompileInput): Compiled {
  const parts = translators.map((translate) => translate(input));
  const { store, challenges } = input;
  return {
    plan: withChallenges(mergePlan(parts, input.cache), challenges && { store, ...challenges }),
    statuses: joined(parts.map((part) => part.statuses)),
    generated: generatedBy(parts),
    diagnostics: findingsOf(parts),
  };
}

/** One after the other. Most clusters give one of the translators nothing to do; flatMap takes much longer for long lists. */
function joined<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const some = lists.filter((list) => list.length > 0);
  return some.length === 1 ? some[0]! : ([] as T[]).concat(...some);
}

/** Each translator has left out what it would say twice. */
function findingsOf(parts: readonly TranslateOutput[]): readonly Diagnostic[] {
  const some = parts.filter(({ diagnostics }) => diagnostics.length > 0);
  return some.length === 1 ? some[0]!.diagnostics : withoutRepeats(joined(some.map(({ diagnostics }) => diagnostics)));
}

/** One translator generates anything, and its list is the same for as long as nothing of it changes. */
function generatedBy(parts: readonly TranslateOutput[]): readonly Generated[] {
  const lists = parts.flatMap(({ generated }) => (generated ? [generated] : []));
  return lists.length === 1 ? lists[0]! : lists.flat();
}

/** Resources that the translators read: a change of another one never recompiles the plan. Endpoints have their own path. */
export const compiledResources: ReadonlySet<string> = new Set([
  'customresourcedefinitions.apiextensions.k8s.io',
  'namespaces',
  'services',
  'secrets',
  'configmaps',
  'ingresses.networking.k8s.io',
  'ingressclasses.networking.k8s.io',
  'gatewayclasses.gateway.networking.k8s.io',
  'gateways.gateway.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
  'grpcroutes.gateway.networking.k8s.io',
  'tlsroutes.gateway.networking.k8s.io',
  'tcproutes.gateway.networking.k8s.io',
  'udproutes.gateway.networking.k8s.io',
  'listenersets.gateway.networking.k8s.io',
  'referencegrants.gateway.networking.k8s.io',
  'backendtlspolicies.gateway.networking.k8s.io',
  'xbackends.gateway.networking.x-k8s.io',
  'xbackendtrafficpolicies.gateway.networking.x-k8s.io',
]);
