/** Metrics of the node's setup: node-cache's own name and labels, and two of ours. */
import type { Gauge, MetricsRegistry } from '../../base/metrics.ts';

const errorTypes = ['iptables', 'iptables_lock', 'interface_add', 'interface_check', 'configmap'] as const;
export type SetupErrorType = (typeof errorTypes)[number];

export interface NodeCacheMetrics {
  /** One more error of a kind. `iptables` stands for nftables too. */
  countError(type: SetupErrorType): void;
  /** Something of ours had been taken away and was put back. */
  countRepair(what: 'rules' | 'interface'): void;
  /** 1 while the rules are in force. */
  readonly rulesInstalled: Gauge;
}

export function createNodeCacheMetrics(metrics: MetricsRegistry): NodeCacheMetrics {
  const errors = metrics.counter(
    'coredns_nodecache_setup_errors_total',
    'The number of errors during periodic network setup for node-cache',
    ['errortype'],
  );
  const repairs = metrics.counter(
    'fairway_nodecache_repairs_total',
    'How often rules or the interface were missing and were put back.',
    ['what'],
  );
  const installed = metrics.gauge(
    'fairway_nodecache_rules_installed',
    'Whether the rules are in force (1) or not (0).',
  );
  for (const type of errorTypes) errors.with(type);
  for (const what of ['rules', 'interface']) repairs.with(what);
  return {
    countError: (type) => errors.with(type).inc(),
    countRepair: (what) => repairs.with(what).inc(),
    rulesInstalled: installed.with(),
  };
}
