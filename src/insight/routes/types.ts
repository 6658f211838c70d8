/** The answer of `fairway get routes` as data. */
import type { ObjectRef, Position } from '../../base/diagnostics/index.ts';

/** A share of a rule's requests, connections or flows. */
export interface RuleBackend {
  /** Absent, with `port`: the reference leads nowhere. Of an XBackend its own namespace and name. */
  readonly namespace?: string;
  readonly service?: string;
  readonly port?: number;
  readonly weight: number;
  /** Endpoints that take traffic, of all that are known. */
  readonly readyEndpoints: number;
  readonly endpoints: number;
  /** Host name outside of the cluster, whose addresses only the data plane's process knows: no endpoint is counted. */
  readonly external?: string;
  /** Why the reference leads nowhere. */
  readonly invalid?: string;
  /** Filters for this share only. */
  readonly filters: readonly string[];
}

/** One condition of a status, as far as a table shows it. */
export interface RuleCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** One compiled rule on one listener: a match of an HTTPRoute or GRPCRoute, a path of an Ingress, a stream's route. */
export interface RuleRow {
  readonly owner: ObjectRef;
  /** Index of the rule in its object; null where the object has none (a default backend). */
  readonly rule: number | null;
  readonly ruleName: string | null;
  /** Index of the match within the rule. */
  readonly match: number | null;
  /** `127.250.0.1:80/HTTP`; null for rules that are not in force. */
  readonly listener: string | null;
  /** 1 is tried first of all on the listener; null for rules that are not in force. */
  readonly rank: number | null;
  readonly hostname: string;
  readonly matches: string;
  /** `forward`, `redirect 301 …`, `answer 500: …`. */
  readonly action: string;
  readonly backends: readonly RuleBackend[];
  /** In the order in which they are applied, in full. */
  readonly filters: readonly string[];
  /** Their types, in the order of `filters`. */
  readonly filterTypes: readonly string[];
  readonly timeouts: string | null;
  readonly retry: string | null;
  readonly sessions: string | null;
  /** What sends requests to the second backend besides its weight. */
  readonly canary: string | null;
  /** Accepted and ResolvedRefs of the route, Programmed of its listener; empty where the kind has none. */
  readonly conditions: readonly RuleCondition[];
  /** Why traffic never gets to the rule. */
  readonly never: string | null;
  readonly position: Position | null;
}
