/** The access log: records in, lines in a file or on stdout. */
import { open } from 'node:fs';
import type { MetricsRegistry } from '../../base/metrics.ts';
import type { AccessRecord } from '../access.ts';
import type { StreamRecord } from '../stream/record.ts';
import { type AccessLogFormat, formatters } from './format.ts';
import { streamFormatters } from './stream-format.ts';
import { createWriter, type Writer, type WriterOptions } from './writer.ts';

export interface AccessLogOptions extends Omit<WriterOptions, 'fd'> {
  /** A file, which is appended to; `-` is stdout. */
  readonly path: string;
  readonly format: AccessLogFormat;
  /** For the lines written and dropped. */
  readonly metrics?: MetricsRegistry;
}

export interface AccessLog {
  /** For ProxyOptions.onAccess. */
  readonly record: (record: AccessRecord) => void;
  /** For ProxyOptions.onStream. */
  readonly stream: (record: StreamRecord) => void;
  dropped(): number;
  close(timeoutMs?: number): Promise<void>;
}

const STDOUT = 1;

/** Opens the file. Rejects when that fails. */
export async function openAccessLog(options: AccessLogOptions): Promise<AccessLog> {
  const { path, format, metrics } = options;
  const fd = path === '-' ? STDOUT : await openForAppending(path);
  const writer = createWriter({ ...options, fd });
  const toLine = formatters[format];
  const toStreamLine = streamFormatters[format];
  let taken = 0;
  if (metrics) count(metrics, writer, () => taken);
  return {
    record(record) {
      if (writer.write(toLine(record))) taken++;
    },
    stream(record) {
      if (writer.write(toStreamLine(record))) taken++;
    },
    dropped: writer.dropped,
    close: writer.close,
  };
}

function count(metrics: MetricsRegistry, writer: Writer, taken: () => number): void {
  const lines = metrics.counter('fairway_proxy_access_log_lines_total', 'Lines that the access log has taken.').with();
  const dropped = metrics
    .counter('fairway_proxy_access_log_dropped_total', 'Lines dropped because the log could not be written (in time).')
    .with();
  const told = { lines: 0, dropped: 0 };
  metrics.onExpose(() => {
    lines.inc(taken() - told.lines);
    dropped.inc(writer.dropped() - told.dropped);
    told.lines = taken();
    told.dropped = writer.dropped();
  });
}

/** The names in it say who asked for what: others than the owner and the group do not read them. */
const LOG_MODE = 0o640;

function openForAppending(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, 'a', LOG_MODE, (error, fd) => {
      if (error) reject(error);
      else resolve(fd);
    });
  });
}
