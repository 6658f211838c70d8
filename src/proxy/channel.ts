/**
 * How a data plane is fed, wherever it runs: messages that survive JSON, in order, over one channel. The control side
 * sends whole plans and changed endpoints; the data plane reports what it did with each generation.
 */
import type { BackendId, Plan } from '../routing/plan/plan.ts';
import type { Endpoint } from '../service/endpoints.ts';

/** Where a listener of the plan is really bound, by listener id. Differs from the plan where low ports are refused. */
export type Bindings = Readonly<Record<string, { readonly address: string; readonly port: number }>>;

export type ProxyCommand =
  | { readonly type: 'plan'; readonly generation: number; readonly plan: Plan; readonly bindings: Bindings }
  /** Endpoints of the backends that changed; null forgets one. */
  | {
      readonly type: 'endpoints';
      readonly generation: number;
      readonly changed: Readonly<Record<BackendId, readonly Endpoint[] | null>>;
    };

export type ProxyReport =
  /**
   * The generation is in force. Listeners that could not be bound say why; the others serve. The generation of the plan
   * comes again when what is bound has changed without a command.
   */
  {
    readonly type: 'applied';
    readonly generation: number;
    readonly listeners: Readonly<Record<string, { readonly bound: boolean; readonly error?: string }>>;
  };

export interface ProxyChannel {
  send(command: ProxyCommand): void;
  onReport(listener: (report: ProxyReport) => void): void;
  /** Stops accepting, lets requests in flight finish for at most `graceMs`, then closes everything. */
  close(graceMs: number): Promise<void>;
}
