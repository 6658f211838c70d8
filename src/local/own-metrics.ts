/** Figures of the DNS server and the controller of a front door for its metrics page. */
import type { Counter, Family, MetricsRegistry } from '../base/metrics.ts';
import type { ControllerState } from '../control/controller.ts';
import type { DnsMetrics } from '../dns/server/metrics.ts';

export interface Figures {
  readonly dns?: () => DnsMetrics;
  readonly controller?: () => ControllerState;
}

/** Adds them to a registry; they are read at each exposition. */
export function showFigures(registry: MetricsRegistry, { dns, controller }: Figures): void {
  if (dns) showDns(registry, dns);
  if (controller) showController(registry, controller);
}

function showDns(registry: MetricsRegistry, read: NonNullable<Figures['dns']>): void {
  const counter = (name: string, help: string, labels: string[] = []) =>
    follow(registry.counter(`fairway_dns_${name}`, help, labels));
  const queries = counter('queries_total', 'Queries read, by transport.', ['proto']);
  const types = counter('query_types_total', 'Queries read, by type.', ['type']);
  const responses = counter('responses_total', 'Responses, by rcode.', ['rcode']);
  const dropped = counter('dropped_total', 'Packets that are no queries and got no answer.');
  const failures = counter('failures_total', 'Queries answered with SERVFAIL because of a fault here.');
  registry.onExpose(() => {
    const now = read();
    for (const [name, value] of Object.entries(now.queries)) queries(value, name);
    for (const [name, value] of Object.entries(now.types)) types(value, name);
    for (const [name, value] of Object.entries(now.rcodes)) responses(value, name);
    dropped(now.dropped);
    failures(now.failures);
  });
}

/** Brings counters up to totals that are kept elsewhere. */
function follow(family: Family<Counter>): (total: number, ...labels: string[]) => void {
  const told = new Map<string, number>();
  return (total, ...labels) => {
    const key = labels.join(' ');
    family.with(...labels).inc(total - (told.get(key) ?? 0));
    told.set(key, total);
  };
}

const severities = ['error', 'warning', 'info'] as const;

function showController(registry: MetricsRegistry, read: NonNullable<Figures['controller']>): void {
  const findings = registry.gauge('fairway_controller_findings', 'Findings in force about objects, by severity.', [
    'severity',
  ]);
  const named = (name: string, help: string, value: (state: ControllerState) => number) =>
    registry.sampled(`fairway_controller_${name}`, help, () => value(read()));
  named('generation', 'Generation of the plan that was compiled last.', ({ generation }) => generation);
  named('listeners', 'Listeners of that plan.', ({ plan }) => plan.listeners.length);
  named('backends', 'Backends of that plan.', ({ plan }) => Object.keys(plan.backends).length);
  named('unbound_listeners', 'Listeners that could not be opened.', ({ unbound }) => Object.keys(unbound).length);
  registry.onExpose(() => {
    const { diagnostics } = read();
    for (const severity of severities) {
      findings.with(severity).set(diagnostics.filter((finding) => finding.severity === severity).length);
    }
  });
}
