/** Where the traces of a lookup come from: a running server, a Corefile, or the DNS that `fairway up` serves. */
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../../base/result.ts';
import { openCorefileTracer } from '../../dns/trace/corefile-tracer.ts';
import type { Asker } from '../ask.ts';
import type { World } from '../world.ts';
import { type TraceSource, traceOver } from './traced.ts';

export interface TraceSourceOptions {
  /** Metrics door of a running `fairway dns`: its real cache and upstreams. */
  readonly url?: string;
  /** A Corefile, with the objects of `world`: nothing is bound, the cache starts empty. */
  readonly conf?: string;
  readonly world?: World;
  /** The DNS of `world` as `fairway up` serves it, when neither is given. */
  readonly asker?: Asker;
  /** Hears of what plugins would log. */
  log(line: string): void;
}

export interface OpenTraceSource {
  readonly trace: TraceSource;
  close(): Promise<void>;
}

/** A source that stops giving traces, with the reason. */
export class TraceError extends Error {}

const nothing = () => Promise.resolve();

async function fromCorefile(
  file: string,
  { world, log }: TraceSourceOptions,
): Promise<Result<OpenTraceSource, string>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return err(`cannot read the Corefile: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { store } = world!;
  return openCorefileTracer({
    ...{ file, text, environment: process.env },
    openObjects: () => ({ store, synced: () => true, close: () => {} }),
    log: (level, line) => {
      if (level !== 'debug' && level !== 'info') log(line);
    },
  });
}

/** `world` or `asker` must be there for what needs them. The error is for people. */
export async function openTraceSource(options: TraceSourceOptions): Promise<Result<OpenTraceSource, string>> {
  const { url, conf, asker } = options;
  if (conf !== undefined) return fromCorefile(conf, options);
  if (url === undefined) return ok({ trace: (question) => asker!.trace(question), close: nothing });
  return ok({
    async trace(question) {
      const traced = await traceOver(url, question);
      if (!traced.ok) throw new TraceError(traced.error);
      return traced.value;
    },
    close: nothing,
  });
}
