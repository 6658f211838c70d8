/** Flags for what is told about traffic: access log, metrics, traces. */
import { type Command, InvalidArgumentError } from 'commander';
import type { TelemetryWishes } from '../local/telemetry.ts';
import { type AccessLogFormat, accessLogFormats } from '../proxy/log/format.ts';
import { tracesUrl } from '../proxy/trace/otlp/exporter.ts';
import { CommandError } from './output.ts';
import { version } from './version.ts';

export interface TelemetryFlags {
  accessLog?: string | true;
  accessLogFormat?: AccessLogFormat;
  accessLogSample?: number;
  metrics?: { host: string; port: number };
  startTraces?: number;
  otlp?: URL;
}

export function addTelemetryFlags(command: Command): void {
  command
    .option(
      '--access-log [file]',
      'a line for each request to the front door, appended to a file; - or none: stdout. Takes the word after it, so put paths first',
    )
    .option(
      '--access-log-format <format>',
      `${accessLogFormats.join(' or ')}; default: ${accessLogFormats[0]}`,
      logFormat,
    )
    .option('--access-log-sample <share>', 'log this share of the requests, from 0 to 1; default: 1', share)
    .option('--metrics <host:port>', 'serve metrics for Prometheus at http://HOST:PORT/metrics', hostPort)
    .option(
      '--start-traces <share>',
      'begin a trace (W3C traceparent) where a request brings none, this share of them sampled',
      share,
    )
    .option('--otlp <url>', 'export a span for each request of a sampled trace (OTLP/HTTP with JSON)', collectorUrl);
}

/** What the flags wish for. Throws CommandError for a flag that would do nothing. */
export function telemetryOf(flags: TelemetryFlags): TelemetryWishes {
  const { accessLog, accessLogFormat, accessLogSample, metrics, startTraces, otlp } = flags;
  if (accessLog === undefined && (accessLogFormat !== undefined || accessLogSample !== undefined))
    throw new CommandError('--access-log-format and --access-log-sample need --access-log', 2);
  return {
    ...(accessLog !== undefined && {
      accessLog: {
        path: accessLog === true ? '-' : accessLog,
        format: accessLogFormat ?? accessLogFormats[0],
        ...(accessLogSample !== undefined && { sampleRate: accessLogSample }),
      },
    }),
    ...(metrics && { metrics }),
    ...(startTraces !== undefined && { startTraces }),
    ...(otlp && { otlp: { url: otlp, version } }),
  };
}

function share(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !(number >= 0 && number <= 1)) throw new InvalidArgumentError('a share is from 0 to 1');
  return number;
}

function logFormat(value: string): AccessLogFormat {
  const found = accessLogFormats.find((format) => format === value);
  if (!found) throw new InvalidArgumentError(`one of ${accessLogFormats.join(', ')}`);
  return found;
}

/** `HOST:PORT`, IPv6 addresses in brackets. */
export function hostPort(value: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65535)
    throw new InvalidArgumentError('write HOST:PORT, as in 127.0.0.1:9090 or [::1]:9090');
  return { host, port };
}

function collectorUrl(value: string): URL {
  const url = tracesUrl(value);
  if (!url) throw new InvalidArgumentError('write the URL of a collector, as in http://127.0.0.1:4318');
  return url;
}
