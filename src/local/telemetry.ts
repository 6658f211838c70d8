/** What a local front door tells about its traffic: access log, metrics page, traces. */
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { createMetricsRegistry, type MetricsRegistry } from '../base/metrics.ts';
import { addProcessMetrics } from '../base/process-metrics.ts';
import { type AccessLog, openAccessLog } from '../proxy/log/access-log.ts';
import type { AccessLogFormat } from '../proxy/log/format.ts';
import type { ProxyOptions } from '../proxy/proxy.ts';
import { createExporter, type Exporter } from '../proxy/trace/otlp/exporter.ts';
import { type MetricsPage, openMetricsPage } from './metrics-page.ts';
import { type Figures, showFigures } from './own-metrics.ts';

export interface TelemetryWishes {
  /** `path`: a file, or `-` for stdout. `sampleRate`: share of the requests and streams, from 0 to 1. */
  readonly accessLog?: { readonly path: string; readonly format: AccessLogFormat; readonly sampleRate?: number };
  /** Where the metrics page answers. Port 0 picks a free one. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** Begin a trace where a request brings none, this share of them sampled. */
  readonly startTraces?: number;
  /** Where spans of sampled requests are exported to. `url`: of OTLP over HTTP. `version`: of this program. */
  readonly otlp?: { readonly url: URL; readonly version: string };
}

export interface Telemetry {
  /** What the data plane has to be told. */
  readonly proxy: Pick<ProxyOptions, 'metrics' | 'onAccess' | 'accessLines' | 'onStream' | 'onSpan' | 'telemetry'>;
  /** What the metrics page shows; undefined without one. */
  readonly registry: MetricsRegistry | undefined;
  /** URL of the metrics page. */
  readonly url: string | undefined;
  /** Adds the figures of the other parts to the page. */
  show(figures: Figures): void;
  /** Makes the page of this process's metrics into one that holds what other processes count as well. */
  gather(page: (own: string) => Promise<string>): void;
  /** Spans that wait get `graceMs` to leave. */
  close(graceMs: number): Promise<void>;
}

/** Opens what is wished for. What cannot be opened is a finding, and the rest goes on without it. */
export async function openTelemetry(wishes: TelemetryWishes, find: (finding: Diagnostic) => void): Promise<Telemetry> {
  const registry = wishes.metrics && createMetricsRegistry();
  const log = wishes.accessLog && (await openLog(wishes.accessLog, registry, find));
  const exporter = wishes.otlp && openExporter(wishes.otlp, registry, find);
  let gather: (own: string) => string | Promise<string> = (own) => own;
  const read = () => gather(registry!.expose());
  const page = wishes.metrics && (await openPage(wishes.metrics, read, find));
  return {
    proxy: {
      ...(registry && { metrics: registry }),
      ...(log && { onAccess: log.record, onStream: log.stream }),
      ...(wishes.accessLog?.format === 'nginx' && { accessLines: true }),
      ...(exporter && { onSpan: exporter.add }),
      telemetry: {
        ...(wishes.accessLog?.sampleRate !== undefined && { accessSampleRate: wishes.accessLog.sampleRate }),
        ...(wishes.startTraces !== undefined && { startTraces: true, traceSampleRate: wishes.startTraces }),
      },
    },
    registry,
    url: page?.url,
    show(figures) {
      if (!registry) return;
      addProcessMetrics(registry);
      showFigures(registry, figures);
    },
    gather(page) {
      gather = page;
    },
    async close(graceMs) {
      await Promise.all([exporter?.close(graceMs), log?.close()]);
      await page?.close();
    },
  };
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function openLog(
  { path, format }: NonNullable<TelemetryWishes['accessLog']>,
  metrics: MetricsRegistry | undefined,
  find: (finding: Diagnostic) => void,
): Promise<AccessLog | undefined> {
  const onError = (error: unknown) =>
    find(diagnostic('FW5007', { message: `access log ${path === '-' ? 'on stdout' : path}: ${reasonOf(error)}` }));
  try {
    return await openAccessLog({ path, format, onError, ...(metrics && { metrics }) });
  } catch (error) {
    onError(error);
    return undefined;
  }
}

function openExporter(
  { url, version }: NonNullable<TelemetryWishes['otlp']>,
  metrics: MetricsRegistry | undefined,
  find: (finding: Diagnostic) => void,
): Exporter {
  // Without what a URL may hold of credentials.
  const place = `${url.origin}${url.pathname}`;
  const onLoss = (why: string) => find(diagnostic('FW5008', { message: `spans for ${place}: ${why}` }));
  return createExporter({ url, version, onLoss, ...(metrics && { metrics }) });
}

async function openPage(
  { host, port }: NonNullable<TelemetryWishes['metrics']>,
  read: () => string | Promise<string>,
  find: (finding: Diagnostic) => void,
): Promise<MetricsPage | undefined> {
  try {
    return await openMetricsPage({ host, port, read });
  } catch (error) {
    find(diagnostic('FW5006', { message: `metrics at ${host} port ${port}: ${reasonOf(error)}` }));
    return undefined;
  }
}
