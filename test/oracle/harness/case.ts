/** What a behaviour is said in: manifests as users write them, nginx's configuration for the same, and requests. */
import type fc from 'fast-check';
import type { Ask } from './client.ts';
import type { NginxText } from './nginx.ts';
import type { Side } from './observe.ts';

export interface OracleCase {
  readonly name: string;
  /** Ingresses (class nginx) and what they refer to, in YAML; the Services of the backends are there already. */
  readonly manifests: string;
  /** What ingress-nginx writes for them, as far as plain nginx can say it. */
  readonly nginx: NginxText;
  /** Asked once each, before those of chance. */
  readonly always?: readonly Ask[];
  /** Requests of chance; at least one of the two is there. */
  readonly requests?: fc.Arbitrary<Ask>;
  /** Share of the usual number of requests of chance. Default 1. */
  readonly share?: number;
  /** Milliseconds to wait at most for what backends get after the answer: copies. */
  readonly settleMs?: number;
  /** What cannot be told request by request, such as bursts: both sides must come to the same. */
  readonly play?: (side: Side) => Promise<unknown>;
}

/** Names of the backends that every case has: a Service of this name, port 80, and an upstream in nginx. */
export const backendNames = ['alpha', 'beta', 'gamma', 'auth', 'pages', 'copies'] as const;
