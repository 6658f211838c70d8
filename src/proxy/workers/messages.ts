/** What the control process and a worker of the data plane say to each other. All of it survives JSON. */
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import { type BackendId, emptyPlan, type Plan } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import type { AccessRecord } from '../access.ts';
import type { Bindings, ProxyReport } from '../channel.ts';
import type { ProxyOptions } from '../options.ts';
import type { StreamRecord } from '../stream/record.ts';
import type { SpanRecord } from '../trace/span.ts';
import type { Packed } from './packing.ts';

/** What is sent as changes: everything of a plan command but its number. */
export interface PlanState {
  readonly plan: Plan;
  readonly bindings: Bindings;
}

/** What a worker has before its first plan. */
export const noPlan: PlanState = { plan: emptyPlan, bindings: {} };

/** The options that are data; what they call back becomes messages. */
export type WorkerOptions = Omit<
  ProxyOptions,
  'metrics' | 'onAccess' | 'onStream' | 'onSpan' | 'onDiagnostic' | 'listen'
>;

export interface Wants {
  readonly access: boolean;
  readonly stream: boolean;
  readonly span: boolean;
  readonly metrics: boolean;
}

export type ListenerStates = ProxyReport['listeners'];
export type Endpoints = Readonly<Record<BackendId, readonly Endpoint[] | null>>;

/** `owned`: ids of the UDP listeners that this worker opens; the others are those of its fellows. */
export type ToWorker =
  /** Everything, once, as the first message. `state`: a PlanState; without it there is no plan yet. */
  | {
      readonly kind: 'start';
      readonly options: WorkerOptions;
      readonly wants: Wants;
      readonly generation: number;
      readonly state?: Packed;
      readonly endpoints: Endpoints;
      readonly owned: readonly string[];
    }
  /** `delta`: a Delta from the state before; of undefined when it is equal. */
  | {
      readonly kind: 'plan';
      readonly generation: number;
      readonly delta: Packed;
      readonly owned: readonly string[];
    }
  | { readonly kind: 'endpoints'; readonly generation: number; readonly changed: Endpoints }
  /** The same plan, with other UDP listeners. */
  | { readonly kind: 'own'; readonly generation: number; readonly owned: readonly string[] }
  /** Answer to `listen`; without an error, the bound socket comes along. */
  | { readonly kind: 'socket'; readonly id: number; readonly error?: string }
  | { readonly kind: 'metrics'; readonly id: number }
  /** Whether it is still there. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'close'; readonly graceMs: number };

export type FromWorker =
  /** It waits for `start`. */
  | { readonly kind: 'online' }
  | { readonly kind: 'applied'; readonly generation: number; readonly listeners: ListenerStates }
  /** It wants a socket that is bound there. */
  | { readonly kind: 'listen'; readonly id: number; readonly address: string; readonly port: number }
  | { readonly kind: 'finding'; readonly finding: Diagnostic }
  | { readonly kind: 'access'; readonly records: readonly AccessRecord[] }
  | { readonly kind: 'stream'; readonly records: readonly StreamRecord[] }
  | { readonly kind: 'span'; readonly records: readonly SpanRecord[] }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string }
  | { readonly kind: 'pong' }
  /** The last message. */
  | { readonly kind: 'finished' };
