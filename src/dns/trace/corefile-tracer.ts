/** Traces through the plugins of a Corefile without serving it: nothing is bound, and the cache starts empty. */
import { systemClock } from '../../base/clock.ts';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseCorefile } from '../corefile/parse.ts';
import { formatCorefileError } from '../corefile/types.ts';
import { checkDirective } from '../plugins/order.ts';
import type { ApiAccess, LogLine, ObjectSource, Shared } from '../plugins/setup.ts';
import { createInstance } from '../server/instance.ts';
import { type Trace, type TraceOptions, type TraceQuestion, traceQuery } from './trace.ts';

export interface CorefileTracerOptions extends TraceOptions {
  /** Name of the Corefile; imports are relative to it. */
  file: string;
  text: string;
  openObjects(access: ApiAccess): ObjectSource | { readonly error: string };
  /** Hears of what the plugins would log. */
  log: LogLine;
  environment?: Readonly<Record<string, string | undefined>>;
}

export interface CorefileTracer {
  trace(question: TraceQuestion): Promise<Trace>;
  close(): Promise<void>;
}

/** What plugins see of a process that serves nothing. */
function sharedFor({ openObjects, log }: CorefileTracerOptions): Shared {
  return {
    ...{ openObjects, log, metrics: createMetricsRegistry(), clock: systemClock },
    fatal: (reason) => log('error', reason),
    reload: () => Promise.resolve({ changed: false }),
    configurationHash: () => '',
    ownDoors: () => [],
    notReady: () => [],
    stopping: () => false,
    mapAddress: (wanted) => wanted,
  };
}

/** The error is for people, with file and line. */
export async function openCorefileTracer(options: CorefileTracerOptions): Promise<Result<CorefileTracer, string>> {
  const { file, text, environment } = options;
  const corefile = parseCorefile(text, { file, checkDirective, ...(environment && { environment }) });
  if (!corefile.ok) return err(formatCorefileError(corefile.error));
  const made = createInstance(corefile.value, { shared: sharedFor(options), defaultPort: 53 });
  if (!made.ok) return err(formatCorefileError(made.error));
  const instance = made.value;
  await Promise.all(instance.plugins.map((plugin) => plugin.prepare?.()));
  return ok({
    trace: (question) => traceQuery(instance.listeners, question, options),
    close: () => instance.close(),
  });
}
