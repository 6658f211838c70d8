/** One export request over HTTP (opentelemetry-proto, docs/specification.md "OTLP/HTTP"). */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** What became of a request. `afterMs`: how long the collector wants to be left alone; undefined when it does not say. */
export type Outcome =
  | { readonly kind: 'taken'; readonly rejected: number; readonly why: string }
  | { readonly kind: 'again'; readonly afterMs: number | undefined; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

export interface Poster {
  /** Never rejects. */
  post(body: string, timeoutMs: number): Promise<Outcome>;
  /** Gives up the request under way. */
  abort(): void;
  close(): void;
}

/** Statuses after which the same request may be sent again. */
const retryable = new Set([429, 502, 503, 504]);

const MAX_ANSWER_BYTES = 65_536;

/** `url`: http or https. Keeps one connection. */
export function createPoster(url: URL): Poster {
  const isTls = url.protocol === 'https:';
  const options = { keepAlive: true, maxSockets: 1 };
  const agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);
  const send = isTls ? httpsRequest : httpRequest;
  let current: ClientRequest | undefined;
  return {
    post(body, timeoutMs) {
      return new Promise((resolve) => {
        const headers = {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          'User-Agent': 'fairway',
        };
        const outgoing = send(url, { method: 'POST', agent, headers });
        current = outgoing;
        const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
        hear(outgoing, (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        });
        outgoing.end(body);
      });
    },
    abort: () => void current?.destroy(new Error('the time to send the rest was up')),
    close: () => agent.destroy(),
  };
}

function hear(outgoing: ClientRequest, settle: (outcome: Outcome) => void): void {
  let isAnswered = false;
  let why = 'the connection ended without an answer';
  outgoing.on('response', (answer) => {
    isAnswered = true;
    receive(answer, settle);
  });
  outgoing.on('error', (error) => {
    why = error.message;
  });
  outgoing.on('close', () => {
    if (!isAnswered) settle({ kind: 'again', afterMs: undefined, why });
  });
}

function receive(answer: IncomingMessage, settle: (outcome: Outcome) => void): void {
  let text = '';
  let size = 0;
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) answer.destroy();
    else text += chunk.toString('latin1');
  });
  // Whatever else it had to say, its status is known.
  answer.on('error', () => {});
  answer.on('close', () => settle(outcomeOf(answer, text)));
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage, text: string): Outcome {
  const why = `the collector answered ${statusCode}`;
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken', ...partialSuccess(text) };
  if (!retryable.has(statusCode)) return { kind: 'refused', why };
  return { kind: 'again', afterMs: retryAfterMs(headers['retry-after']), why };
}

/** ExportTracePartialSuccess: how many spans were not taken. */
function partialSuccess(text: string): { rejected: number; why: string } {
  try {
    const answer = JSON.parse(text) as {
      partialSuccess?: { rejectedSpans?: string | number; errorMessage?: unknown };
    };
    const { rejectedSpans = 0, errorMessage = '' } = answer.partialSuccess ?? {};
    const rejected = Number(rejectedSpans);
    return { rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0, why: String(errorMessage) };
  } catch {
    // An empty answer, or one that is none of OTLP: all was taken, as the status says.
    return { rejected: 0, why: '' };
  }
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^[0-9]{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
