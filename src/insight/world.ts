/**
 * What a question is asked of: objects, the plan compiled from them, and the names of the front door. The same for
 * files, for a running `fairway up` and for any cluster, so that no answer depends on where the objects came from.
 */
import type { Diagnostic, Position } from '../base/diagnostics/index.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { IngressNginxFlags } from '../routing/ingress-nginx/flags.ts';
import type { Plan, Provenance } from '../routing/plan/plan.ts';
import type { StatusUpdate, TranslateInput } from '../routing/translate.ts';

export interface World {
  readonly store: StoreReader;
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** Those among them of reading the files; of an API there are none. */
  readonly unread: readonly Diagnostic[];
  /** What the translators would write into the statuses of the objects. */
  readonly statuses: readonly StatusUpdate[];
  /** Where a field of an object stands in its file; undefined for objects that came through an API. */
  readonly position: TranslateInput['position'];
  /** The objects come from an API, whose statuses somebody writes; those of files are nobody's. */
  readonly isLive: boolean;
  /** Whose GatewayClasses are served, and whose entries in statuses are read. */
  readonly controllerName: string;
  /** What the plan was compiled with of the command line of ingress-nginx. */
  readonly ingressNginx?: IngressNginxFlags;
  readonly clusterDomain: string;
  /** Addresses of the cluster's DNS service, as the kubelet writes them into resolv.conf. */
  readonly dnsAddresses: readonly string[];
  /** resolv.conf of the node, when known. */
  readonly nodeResolvConf?: string;
  /** Where the objects came from, for people: a path or a URL. */
  readonly source: string;
}

/** Where in a file stands what an element of the plan comes from. */
export function positionOf(world: World, { object, fieldPath }: Provenance): Position | undefined {
  return fieldPath === undefined ? undefined : world.position(object, fieldPath);
}
