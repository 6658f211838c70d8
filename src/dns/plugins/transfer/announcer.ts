/** Watches the serials of zones, and tells those who have copies when one changed. */
import { setMaxListeners } from 'node:events';
import type { ResourceRecord } from '../../wire/message.ts';
import type { LogLine } from '../setup.ts';
import { notify } from './notify.ts';
import type { TransferRule } from './transfer.ts';

/** A zone that there is at this moment. */
export interface AnnouncedZone {
  readonly zone: string;
  readonly serial: number;
  readonly soa: ResourceRecord;
  readonly rule: TransferRule;
}

export interface AnnouncerOptions {
  zones(): Iterable<AnnouncedZone>;
  readonly log: LogLine;
  /**
   * Whether this process is the one that tells. One that becomes it tells of every zone as at a start: what the one
   * before had still to say is not known. Default: always.
   */
  speaks?(): boolean;
  /** How often serials are looked at, ms. Default 1,000. */
  readonly checkMs?: number;
  /** Least time between two NOTIFY of one zone, ms: a busy zone must not keep its secondaries busy. Default 5,000. */
  readonly leastGapMs?: number;
  /** NOTIFY under way at a time. Default 20. */
  readonly maxUnderWay?: number;
}

export interface Announcer {
  start(): void;
  close(): void;
}

export function createAnnouncer(options: AnnouncerOptions): Announcer {
  const { log, checkMs = 1000, leastGapMs = 5000, maxUnderWay = 20 } = options;
  const announced = new Map<string, { serial: number; at: number }>();
  const waiting: (() => Promise<void>)[] = [];
  const stopping = new AbortController();
  setMaxListeners(maxUnderWay, stopping.signal);
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  async function work(): Promise<void> {
    underWay++;
    for (let job = waiting.shift(); job && !stopping.signal.aborted; job = waiting.shift()) await job();
    underWay--;
  }

  async function tell({ zone, soa, rule }: AnnouncedZone, to: TransferRule['notify'][number]): Promise<void> {
    const { source } = rule;
    const failure = await notify({ zone, soa, to, ...(source && { source }), signal: stopping.signal });
    if (failure === undefined) log('debug', `Sent notify for zone "${zone}" to ${to.host}`);
    else if (!stopping.signal.aborted)
      log('warning', `notify for zone "${zone}" was not accepted by "${to.host}:${to.port}": ${failure}`);
  }

  function check(): void {
    if (options.speaks?.() === false) {
      announced.clear();
      return;
    }
    const now = performance.now();
    for (const found of options.zones()) {
      const last = announced.get(found.zone);
      if (last && (last.serial === found.serial || now - last.at < leastGapMs)) continue;
      // The first one is about the start, not a change.
      announced.set(found.zone, { serial: found.serial, at: last ? now : Number.NEGATIVE_INFINITY });
      waiting.push(...found.rule.notify.map((to) => () => tell(found, to)));
    }
    while (waiting.length > 0 && underWay < maxUnderWay) void work();
  }

  return {
    start() {
      check();
      timer = setInterval(check, checkMs).unref();
    },
    close() {
      clearInterval(timer);
      stopping.abort();
    },
  };
}
