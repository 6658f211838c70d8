/**
 * Responses that go out no faster than they may (nginx limit_rate). What cannot go yet of one read waits here, and the
 * backend is not read meanwhile.
 */
import type { BandwidthFilter } from '../../../routing/plan/plan.ts';
import { attachmentsOf, type Pace } from '../../exchange/attachments.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { endResponse, readOn, sendData } from '../../exchange/response.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';

/** Longest wait in one piece, in milliseconds: what may go by then goes, so that clients see bytes come. */
const STEP = 250;

export function compileBandwidth(
  { bytesPerSecond, afterBytes }: BandwidthFilter,
  complain: FilterComplaint,
): CompiledFilter {
  if (!(bytesPerSecond > 0) || !(afterBytes >= 0)) {
    complain(`${bytesPerSecond} bytes a second after ${afterBytes} is no speed: responses go out at any`);
    return {};
  }
  return {
    gate(exchange) {
      const attached = attachmentsOf(exchange);
      const pace = createPace(exchange, bytesPerSecond, afterBytes);
      attached.pace = pace;
      attached.whenOver.push(pace.giveUp);
      return undefined;
    },
  };
}

function createPace(exchange: Exchange, bytesPerSecond: number, afterBytes: number): Pace & { giveUp(): void } {
  const { client } = exchange;
  let queue: Buffer[] = [];
  let queued = 0;
  let began: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let trailers: string | undefined;

  /** Bytes that may go now; less than 0 when more have gone. The first second is had in advance, as in nginx. */
  function allowance(): number {
    const now = performance.now();
    began ??= now;
    return afterBytes + bytesPerSecond * (1 + (now - began) / 1_000) - exchange.responseBytes;
  }

  /** A client that takes nothing is heard of when it does (`resume`). */
  function wait(): void {
    const ms = client.wire.isBlocked(client) ? STEP : ((queued - allowance()) / bytesPerSecond) * 1_000;
    timer ??= setTimeout(pump, Math.max(1, Math.min(STEP, ms)));
  }

  /** Sends what may go and the client takes. */
  function send(): void {
    if (client.wire.isBlocked(client)) return;
    let left = Math.floor(allowance());
    while (left > 0 && queue.length > 0) {
      const first = queue[0]!;
      const piece = first.subarray(0, left);
      if (piece.length === first.length) queue.shift();
      else queue[0] = first.subarray(piece.length);
      queued -= piece.length;
      left -= piece.length;
      exchange.moved = client.runtime.now;
      sendData(exchange, piece, [0, piece.length], piece.length, true);
    }
  }

  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    if (exchange.over) return;
    send();
    client.wire.flush(client);
    if (queue.length > 0) wait();
    else if (trailers !== undefined) endResponse(exchange, trailers);
    else readOn(exchange);
  }

  return {
    data(bytes, runs, owned) {
      for (let i = 0; i < runs.length; i += 2) {
        const piece = bytes.subarray(runs[i]!, runs[i + 1]!);
        queue.push(owned ? piece : Buffer.from(piece));
        queued += piece.length;
      }
      send();
      if (queue.length > 0) wait();
    },
    holds: () => queue.length > 0,
    resume() {
      if (queue.length > 0) pump();
    },
    end(lines) {
      if (queue.length === 0) return false;
      trailers = lines;
      return true;
    },
    giveUp() {
      clearTimeout(timer);
      queue = [];
    },
  };
}
