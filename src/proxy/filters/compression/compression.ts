/** Responses compressed for clients that take it (RFC 9110 section 8.4). */
import type { CompressionFilter, ContentCoding } from '../../../routing/plan/plan.ts';
import { attachmentsOf } from '../../exchange/attachments.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import {
  addField,
  currentValue,
  dropKnown,
  type Fields,
  listMembers,
  removeField,
  setField,
} from '../../http1/fields.ts';
import { known } from '../../http1/known-fields.ts';
import { type ResponseHead, responseBody } from '../../http1/response.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';
import { chooseCoding } from './accept.ts';
import { beginEncoding } from './encoder.ts';

export function compileCompression(filter: CompressionFilter, complain: FilterComplaint): CompiledFilter {
  const fault = faultOf(filter);
  if (fault !== undefined) {
    complain(`responses are not compressed: ${fault}`);
    return {};
  }
  const isWanted = createTypeTest(filter.types);
  return {
    gate(exchange, head) {
      const coding = chooseCoding(head.headers('accept-encoding'), filter.codings);
      // RFC 9111 section 5.2.1.6.
      if (coding && !forbidsTransforming(head.headers('cache-control'))) attachmentsOf(exchange).coding = coding;
      return undefined;
    },
    encode(exchange, head) {
      if (!isEligible(head, filter.minBytes, isWanted)) return;
      addVary(head.fields);
      const coding = exchange.attached?.coding;
      if (coding && mayEncode(exchange, head)) encode(exchange, head, coding, filter);
    },
  };
}

function faultOf({ level, codings, minBytes }: CompressionFilter): string | undefined {
  if (codings.some((coding) => coding !== 'gzip' && coding !== 'br')) return 'the codings are gzip and br';
  if (!isWhole(level.gzip, 1, 9)) return `${level.gzip} is not a level of gzip (1 to 9)`;
  if (!isWhole(level.br, 0, 11)) return `${level.br} is not a level of brotli (0 to 11)`;
  return isWhole(minBytes, 0, Number.MAX_SAFE_INTEGER) ? undefined : `${minBytes} is not a number of bytes`;
}

const isWhole = (value: number, least: number, most: number) =>
  Number.isSafeInteger(value) && value >= least && value <= most;

/**
 * Whoever wants these compressed says so: events must not wait for each other, and messages of gRPC have a compression
 * of their own.
 */
const isApart = (type: string) => type === 'text/event-stream' || type.startsWith('application/grpc');

function createTypeTest(types: readonly string[]): (type: string) => boolean {
  const exact = new Set(types.map((type) => type.toLowerCase()));
  return (type) => exact.has(type) || (!isApart(type) && exact.has(`${type.slice(0, type.indexOf('/'))}/*`));
}

/** Whether a client that takes a coding gets it: what Vary tells to caches. */
function isEligible(head: ResponseHead, minBytes: number, isWanted: (type: string) => boolean): boolean {
  const { fields, status, contentLength } = head;
  if (status === 206 || status === 204 || status === 304 || (contentLength >= 0 && contentLength < minBytes))
    return false;
  const [type = ''] = (currentValue(fields, 'content-type') ?? '').split(';', 1);
  if (!isWanted(type.trim().toLowerCase())) return false;
  const encoding = listMembers(currentValue(fields, 'content-encoding') ?? '');
  if (encoding.some((coding) => coding !== 'identity') || currentValue(fields, 'content-range') !== undefined)
    return false;
  return !forbidsTransforming(currentValue(fields, 'cache-control'));
}

const forbidsTransforming = (cacheControl = '') => listMembers(cacheControl).includes('no-transform');

function mayEncode(exchange: Exchange, { body }: ResponseHead): boolean {
  const { encoders, settings } = exchange.client.runtime;
  return body !== responseBody.none && !exchange.attached?.body && encoders.count < settings.filters.maxEncoders;
}

function addVary(fields: Fields): void {
  const vary = listMembers(currentValue(fields, 'vary') ?? '');
  if (!vary.includes('*') && !vary.includes('accept-encoding')) addField(fields, 'Vary', 'Accept-Encoding');
}

/** Digests are of the bytes that were, and so are ranges. */
const noLongerTrue = ['accept-ranges', 'content-encoding', 'content-md5', 'content-digest', 'digest', 'repr-digest'];

function encode(exchange: Exchange, head: ResponseHead, coding: ContentCoding, { level }: CompressionFilter): void {
  const { fields } = head;
  for (const name of noLongerTrue) removeField(fields, name);
  dropKnown(fields, known.contentLength);
  addField(fields, 'Content-Encoding', coding);
  const tag = currentValue(fields, 'etag');
  // RFC 9110 section 8.8.3.3: another representation; only of the same worth.
  if (tag !== undefined && !tag.startsWith('W/')) setField(fields, 'ETag', `W/${tag}`);
  head.contentLength = -1;
  head.plainLength = true;
  if (head.body === responseBody.length) head.body = responseBody.untilClose;
  beginEncoding(exchange, coding, level);
}
