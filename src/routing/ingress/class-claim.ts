/**
 * What an Ingress says of its class: whether it is ours, and whose annotations it goes by. `spec.ingressClassName` names
 * an IngressClass; the annotation kubernetes.io/ingress.class names a controller, as it did before classes were objects;
 * with neither, the default class decides. The API server fills in the default class when an Ingress is created; here it
 * counts for every Ingress without a class.
 */
import type { StoreReader } from '../../kube/store/store.ts';
import type { Ingress, IngressClass } from '../../kube/types/index.ts';
import { type IngressNginxFlags, nginxClass, nginxController } from '../ingress-nginx/flags.ts';
import type { Dialect } from '../route-policy/policy.ts';
import { ingressControllerName } from '../translate.ts';

export const legacyAnnotation = 'kubernetes.io/ingress.class';
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';
/** Value of the legacy annotation that means Fairway. */
const legacyName = 'fairway';

/** `ours`: it is served without being adopted. */
export type Claim =
  | {
      readonly type: 'class';
      readonly name: string;
      readonly ours: boolean;
      readonly dialect: Dialect;
      readonly object?: IngressClass;
      readonly fieldPath: string;
    }
  | { readonly type: 'none'; readonly ours: boolean; readonly dialect: Dialect };

export interface ClassBook {
  /** Sorted by name. */
  readonly classes: readonly IngressClass[];
  /** Marked as the default, the one that counts first. */
  readonly marked: readonly IngressClass[];
  claimOf(ingress: Ingress): Claim;
}

/** What Ingresses are told by, besides their classes. */
export type ClassRules = Pick<IngressNginxFlags, 'controllerClass' | 'ingressClass' | 'watchWithoutClass'>;

export function createClassBook(store: StoreReader, rules: ClassRules = {}): ClassBook {
  const classes = store
    .list<IngressClass>('ingressclasses.networking.k8s.io')
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const byName = new Map(classes.map((each) => [each.metadata.name, each]));
  const marked = markedAsDefault(classes);
  const fallback = marked[0];
  return {
    classes,
    marked,
    claimOf(ingress) {
      const named = ingress.spec?.ingressClassName;
      if (named) return classClaim(rules, named, byName.get(named), 'spec.ingressClassName');
      const legacy = ingress.metadata.annotations?.[legacyAnnotation];
      if (legacy) {
        const claim = classClaim(rules, legacy, byName.get(legacy), `metadata.annotations["${legacyAnnotation}"]`);
        return legacy === legacyName ? { ...claim, ours: true, dialect: 'fairway' } : claim;
      }
      if (fallback) return classClaim(rules, fallback.metadata.name, fallback, 'spec');
      const { watchWithoutClass: ours = false } = rules;
      return { type: 'none', ours, dialect: ours ? 'ingress-nginx' : 'fairway' };
    },
  };
}

/** Tells claims of other meaning apart. */
export function claimKey(claim: Claim): string {
  return `${claim.type === 'class' ? `class ${claim.name}` : 'none'} ${claim.ours} ${claim.dialect}`;
}

/** The newest counts, ties by name: what the API server's admission does. */
function markedAsDefault(classes: readonly IngressClass[]): IngressClass[] {
  const age = ({ metadata }: IngressClass) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  return classes
    .filter(({ metadata }) => metadata.annotations?.[defaultAnnotation] === 'true')
    .sort((a, b) => age(b) - age(a) || (a.metadata.name < b.metadata.name ? -1 : 1));
}

function classClaim(
  rules: ClassRules,
  name: string,
  object: IngressClass | undefined,
  fieldPath: string,
): Claim & { type: 'class' } {
  const { controllerClass = nginxController, ingressClass = nginxClass } = rules;
  const controller = object?.spec?.controller;
  const isNginx = object ? controller === controllerClass : name === ingressClass;
  return {
    type: 'class',
    name,
    ours: isNginx || controller === ingressControllerName,
    dialect: isNginx ? 'ingress-nginx' : 'fairway',
    ...(object && { object }),
    fieldPath,
  };
}
