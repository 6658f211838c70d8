/**
 * Finds out whether queries that are forwarded come back: asks ourselves for a name that nobody else knows, and counts
 * how often it is asked for. A loop ends the process with its cause.
 */

import { encodeQuery } from '../../wire/ask.ts';
import { foldCase, keyOfName } from '../../wire/name.ts';
import { recordType } from '../../wire/numbers.ts';
import { parseQuery } from '../../wire/query.ts';
import { exchangeUdp } from '../forward/exchange.ts';
import { formatUpstream } from '../forward/upstreams.ts';
import type { Plugin } from '../plugin.ts';
import type { LogLine } from '../setup.ts';

export interface LoopOptions {
  readonly zone: string;
  /** The random name to ask for. */
  readonly name: string;
  readonly log: LogLine;
  /** Where this server answers, once it does. */
  door(): { readonly address: string; readonly port: number } | undefined;
  upstreams(): readonly string[];
  fatal(reason: string): void;
}

/** How often the name may be seen: by ourselves, and by retries. */
const mostSeen = 2;
/** How long to go on trying, and watching after an answer, ms. */
const tryForMs = 30_000;
const watchForMs = 2000;
const retryMs = 1000;
const answerMs = 2000;

type Door = ReturnType<LoopOptions['door']>;

function cause(upstreams: readonly string[], door: Door): string {
  const self = upstreams.find((text) => door && text === formatUpstream(door));
  if (self) return `${self} is this server itself. Name other resolvers in "forward"`;
  const local = upstreams.filter((text) => /^\[?(127\.|::1)/.test(text));
  if (local.length > 0)
    return `${local.join(', ')} is an address of this host: its resolver (systemd-resolved, dnsmasq or a node-local cache) forwards back here. Forward to the resolvers behind it, for instance with "forward . /run/systemd/resolve/resolv.conf" or the kubelet's --resolv-conf`;
  const named = upstreams.length > 0 ? upstreams.join(', ') : 'the upstream';
  return `${named} sends the queries that it gets from here back to here. Name other resolvers in "forward", or take this server out of theirs`;
}

export function createLoop(options: LoopOptions): Plugin {
  const { zone, name } = options;
  const key = keyOfName(foldCase(name));
  let seen = 0;
  let off = false;
  let timer: NodeJS.Timeout | undefined;

  function turnOff(): void {
    off = true;
    clearTimeout(timer);
  }

  async function probe(end: number): Promise<void> {
    const door = options.door();
    const parsed = parseQuery(encodeQuery(name, recordType.HINFO));
    if (!door || !parsed.ok || off) return turnOff();
    const address = door.address === '::' || door.address === '0.0.0.0' ? '127.0.0.1' : door.address;
    const answer = await exchangeUdp(parsed.query, { address, port: door.port }, { timeoutMs: answerMs });
    if (off) return undefined;
    if (answer.ok) timer = setTimeout(turnOff, watchForMs);
    else if (performance.now() > end) return turnOff();
    else {
      seen = 0;
      timer = setTimeout(() => void probe(end), retryMs);
    }
    timer.unref();
    return undefined;
  }

  return {
    name: 'loop',
    handle(context, next) {
      const { query, client } = context;
      if (off || query.type !== recordType.HINFO || query.key !== key) return next(context);
      seen++;
      if (seen > mostSeen) {
        turnOff();
        const door = options.door();
        options.fatal(
          `Loop (${client.address}:${client.port} -> ${door?.address ?? ''}:${door?.port ?? ''}) detected for zone "${zone}": ${cause(options.upstreams(), door)}. Query: "HINFO ${name}"`,
        );
      }
      return next(context);
    },
    repeats: true,
    start: () => void probe(performance.now() + tryForMs),
    close: turnOff,
  };
}
