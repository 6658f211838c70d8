import { expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import { parseHostPort } from '../../server/addresses.ts';
import { addPage } from '../pages.ts';
import type { ProcessWishes, Setup } from '../setup.ts';
import { addProcessMetrics } from './process.ts';
import { requestMetrics } from './requests.ts';

/** Configurations, each known by its wishes, whose blocks have begun to start. */
const begun = new WeakSet<ProcessWishes>();

/** `prometheus [ADDRESS] { runtime_metrics }`. */
export const setupPrometheus: Setup = (directives, context) => {
  const directive = single(directives);
  const [address = 'localhost:9153'] = expectArgs(directive, 0, 1);
  if (!parseHostPort(address)) refuse(directive, `prometheus: not an address with a port: ${address}`);
  readBlock(directive, { runtime_metrics: (line) => void expectArgs(line, 0) });
  const { metrics } = context.shared;
  addProcessMetrics(metrics);
  const type = 'text/plain; version=0.0.4; charset=utf-8';
  addPage(context.wishes, address, '/metrics', () => ({ status: 200, text: metrics.expose(), type }));
  for (const [path, page] of context.shared.pages ?? []) addPage(context.wishes, address, path, page);
  const { observe, repeated } = requestMetrics(metrics);
  const enabled = metrics.gauge(
    'coredns_plugin_enabled',
    'A metric that indicates whether a plugin is enabled on per server and zone basis.',
    ['server', 'zone', 'view', 'name'],
  );
  return {
    name: 'prometheus',
    observe,
    repeated,
    start() {
      // What the configuration before had says nothing any more.
      if (!begun.has(context.wishes)) enabled.reset();
      begun.add(context.wishes);
      for (const zone of context.zones)
        for (const name of context.pluginNames())
          enabled.with(context.server, zone, context.settings.view?.name ?? '', name).set(1);
    },
  };
};
