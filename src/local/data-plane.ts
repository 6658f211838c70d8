/** The data plane as the command line wishes for it: in this process, or in several others whose metrics join this one's. */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import type { ProxyChannel } from '../proxy/channel.ts';
import { createProxy, type ProxyOptions } from '../proxy/proxy.ts';
import { createProxyWorkers, type WorkersOptions } from '../proxy/workers/workers.ts';
import type { DataPlaneFile } from './data-plane-file.ts';
import type { Telemetry } from './telemetry.ts';

export interface DataPlaneWishes {
  /** Options of the data plane, and what was wrong with others. Default: its defaults. */
  readonly dataPlane?: DataPlaneFile;
  /** Processes of the data plane. Default: it runs in this one. */
  readonly workers?: WorkersOptions;
}

export function createDataPlane(
  { workers, dataPlane }: DataPlaneWishes,
  telemetry: Telemetry,
  onDiagnostic: (finding: Diagnostic) => void,
): ProxyChannel {
  const given = dataPlane?.options ?? {};
  const options: ProxyOptions = {
    ...given,
    ...telemetry.proxy,
    telemetry: { ...given.telemetry, ...telemetry.proxy.telemetry },
    onDiagnostic,
  };
  if (!workers) return createProxy(options);
  const proxy = createProxyWorkers(options, workers);
  telemetry.gather(proxy.metricsPage);
  return proxy;
}
