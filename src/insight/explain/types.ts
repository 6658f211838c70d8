/** The answer of `fairway explain` as data. */
import type { Diagnostic, ObjectRef } from '../../base/diagnostics/index.ts';
import type { BackendId } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';

export interface ExplainRequest {
  readonly scheme: 'http' | 'https';
  /** Host of the URL, lower case, without port. */
  readonly hostname: string;
  readonly port: number;
  /** Path as given, without the query. */
  readonly path: string;
  readonly query: string;
  readonly method: string;
  /** A call: POST over HTTP/2 with a content type of gRPC. */
  readonly grpc: boolean;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** `internet`, or `namespace/pod`. */
  readonly from: string;
  /** Address that the request comes from; absent: nobody has said. */
  readonly client?: string;
}

export const stepNames = ['name', 'load balancer', 'listener and route', 'service', 'address', 'pod'] as const;
export type StepName = (typeof stepNames)[number];

export interface Step {
  readonly step: number;
  readonly name: StepName;
  /** `not reached`: an earlier link is broken. `not needed`: the path does not go that way. */
  readonly status: 'ok' | 'warning' | 'broken' | 'not reached' | 'not needed';
  readonly object?: ObjectRef;
  /** One line. */
  readonly summary: string;
  readonly details: readonly string[];
  /** What would mend a broken link. */
  readonly fix?: string;
}

/** A candidate route that did not get the request. */
export interface Rejected {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly rule: number | null;
  readonly match: number | null;
  readonly hostname: string;
  readonly reason: string;
  readonly detail: string;
  readonly wanted: string;
  readonly got: string | null;
}

/** A route that asks for the name and is not in force. */
export interface NotInForce {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** As the route has them, with commas between them; `*` for none. */
  readonly hostname: string;
  /** Of the condition Accepted; `NotServed` when it is accepted and gets nothing all the same. */
  readonly reason: string;
  readonly detail: string;
}

export interface Matched {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly rule: number | null;
  readonly match: number | null;
  readonly ruleName: string | null;
  readonly listener: string;
  readonly hostname: string;
  readonly filters: readonly string[];
}

export interface BackendChoice {
  /** In the plan; absent when no route leads there. */
  readonly id?: BackendId;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  /** Of backends of streams. */
  readonly protocol?: 'TCP' | 'UDP';
  readonly weight: number;
  /** Share of the requests or connections, 0 to 1. */
  readonly share: number;
}

export interface Answer {
  readonly status: number;
  /** What a call gets in place of the status. */
  readonly grpcStatus?: number;
  readonly location?: string;
  readonly reason: string;
}

/** What a filter that may stop a request says to this one. */
export interface GateTold {
  /** `ip-access`, `respond`. */
  readonly type: string;
  /** In full, for people. */
  readonly filter: string;
  /** `depends`: on what is not known here. */
  readonly says: 'passes' | 'answers' | 'depends';
  /** A clause. */
  readonly why: string;
  readonly status?: number;
  readonly location?: string;
}

/** The request that the backend gets, as the filters of the route make it of what was asked. */
export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly host: string;
  /** Set or changed, as far as it is known; besides those that the data plane adds to every request. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly removed: readonly string[];
}

export interface Explanation {
  readonly request: ExplainRequest;
  readonly source: string;
  /** Whether the request ends at a Pod (or at an answer that the plan gives by itself). */
  readonly ok: boolean;
  /** What the client gets, when the plan decides it: a redirect, 404, 500, 503. */
  readonly answer: Answer | null;
  readonly matched: Matched | null;
  /** In the order in which the request meets them, up to the one that answers it. */
  readonly gates: readonly GateTold[];
  /** Null where no backend gets it. */
  readonly outgoing: Outgoing | null;
  /** The backend with the largest share. */
  readonly backend: BackendChoice | null;
  readonly backends: readonly BackendChoice[];
  readonly endpoints: readonly Endpoint[];
  readonly steps: readonly Step[];
  readonly rejected: readonly Rejected[];
  /** Routes that ask for the name and are not in force. */
  readonly notInForce: readonly NotInForce[];
  /** Findings about the objects on the path. */
  readonly diagnostics: readonly Diagnostic[];
}
