/** A data plane in front of backends, set up and torn down by tests. */

import type { Plan } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import type { AccessRecord } from '../access.ts';
import type { ProxyChannel, ProxyReport } from '../channel.ts';
import type { ProxyOptions } from '../options.ts';
import { createProxy } from '../proxy.ts';

export interface Front {
  readonly proxy: ProxyChannel;
  readonly records: AccessRecord[];
  readonly findings: string[];
  /** Sends a plan and waits until it is in force. */
  plan(plan: Plan, bindings?: Record<string, { address: string; port: number }>): Promise<ProxyReport>;
  endpoints(changed: Record<string, readonly Endpoint[] | null>): Promise<ProxyReport>;
  /** Waits for the record number `count`. */
  record(count: number): Promise<AccessRecord>;
  close(): Promise<void>;
}

export function createFront(options: ProxyOptions = {}): Front {
  const records: AccessRecord[] = [];
  const findings: string[] = [];
  const proxy = createProxy({
    ...options,
    onAccess: (record) => records.push(record),
    onDiagnostic: (finding) => findings.push(`${finding.code} ${finding.message}`),
  });
  const waiting = new Map<number, (report: ProxyReport) => void>();
  proxy.onReport((report) => waiting.get(report.generation)?.(report));
  let generation = 0;
  const applied = (send: (generation: number) => void) =>
    new Promise<ProxyReport>((resolve) => {
      generation++;
      waiting.set(generation, resolve);
      send(generation);
    });
  return {
    proxy,
    records,
    findings,
    plan: (plan, bindings = {}) =>
      applied((number) => proxy.send({ type: 'plan', generation: number, plan, bindings })),
    endpoints: (changed) => applied((number) => proxy.send({ type: 'endpoints', generation: number, changed })),
    async record(count) {
      for (let i = 0; i < 500 && records.length < count; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      const record = records[count - 1];
      if (!record) throw new Error(`only ${records.length} records of ${count}`);
      return record;
    },
    close: () => proxy.close(0),
  };
}
