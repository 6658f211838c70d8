/** What gRPC over HTTP/2 asks of a proxy: answers that its clients understand, deadlines, calls that are silent for long. */
import { MAX_MS } from '../config/rules.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Exchange } from './exchange.ts';

/** gRPC's own types begin like this; grpc-web is HTTP like any other. */
const type = /^application\/grpc(?:[+;]|$)/i;

/** Only over HTTP/2, which its trailers need. */
export function isGrpc({ headers }: Pick<RequestHead, 'headers'>): boolean {
  const contentType = headers('content-type');
  return contentType !== undefined && type.test(contentType);
}

/** Status codes of gRPC (google.rpc.Code) for answers made here. */
const codes: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  408: 4,
  413: 8,
  421: 14,
  429: 14,
  431: 8,
  500: 13,
  501: 12,
  502: 14,
  503: 14,
  504: 4,
};
const UNKNOWN = 2;

/** What stands for an HTTP status in the answer to a call. */
export function grpcStatus(status: number): number {
  return codes[status] ?? UNKNOWN;
}

/**
 * Lines of a response without messages ("Trailers-Only"), which has HTTP status 200. Statuses are those that clients
 * make of HTTP's (doc/http-grpc-status-mapping.md of gRPC), except that a time-out here is DEADLINE_EXCEEDED.
 */
export function grpcLines(status: number, reason: string): string {
  return `Content-Type: application/grpc\r\ngrpc-status: ${grpcStatus(status)}\r\ngrpc-message: ${encode(`${status}: ${reason}`)}\r\n`;
}

/** Percent-encoding of everything but printable ASCII, and of the percent sign. */
function encode(message: string): string {
  return [...Buffer.from(message)]
    .map((byte) =>
      byte < 0x20 || byte > 0x7e || byte === PERCENT
        ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
}

const PERCENT = 37;

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
/** The time that the client gives a call (`grpc-timeout`), in milliseconds; 0 when it gives none or not as it should. */
export function deadlineMs({ grpc }: Exchange, { headers }: RequestHead): number {
  const value = grpc ? headers('grpc-timeout') : undefined;
  const [, digits, unit] = (value !== undefined && /^([0-9]{1,8})([HMSmun])$/.exec(value)) || [];
  if (digits === undefined) return 0;
  return Math.min(MAX_MS, Math.max(1, Math.ceil(Number(digits) * unitMs[unit!]!)));
}
