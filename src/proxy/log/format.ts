/**
 * Lines of the access log. What clients send is one character per byte; everything but printable ASCII is escaped, so
 * that no request can begin a line, forge a field or move a terminal's cursor.
 */
import type { AccessRecord } from '../access.ts';

export const accessLogFormats = ['json', 'combined', 'nginx'] as const;
export type AccessLogFormat = (typeof accessLogFormats)[number];

/** A record as a line with its line feed. */
export const formatters: Readonly<Record<AccessLogFormat, (record: AccessRecord) => string>> = {
  json: jsonLine,
  combined: combinedLine,
  // Made where the request was served. A data plane that makes none has what comes nearest.
  nginx: (record) => (record.line === undefined ? combinedLine(record) : `${record.line}\n`),
};

const hostile = /[^\x20-\x7e]|["\\]/;
const allHostile = new RegExp(hostile.source, 'g');

/** Members without a value are left out. Times are milliseconds with three decimals. */
function jsonLine(record: AccessRecord): string {
  const { status, requestBytes, responseBytes, attempts, upstreamMs } = record;
  let line = `{"time":"${isoTime(record.time)}","listener":${jsonText(record.listener)}`;
  line += `,"client":${jsonText(record.client)},"method":${jsonText(record.method)},"host":${jsonText(record.host)}`;
  line += `,"target":${jsonText(record.target)},"protocol":"${record.protocol}"`;
  line += member('referer', record.referer) + member('userAgent', record.userAgent);
  line += `,"status":${status},"requestBytes":${requestBytes},"responseBytes":${responseBytes}`;
  line += `,"durationMs":${thousandths(record.durationMs)}`;
  if (upstreamMs !== undefined) line += `,"upstreamMs":${thousandths(upstreamMs)}`;
  line += member('route', record.route) + member('backend', record.backend) + member('endpoint', record.endpoint);
  line += `,"attempts":${attempts}${member('flag', record.flag)}${member('reason', record.reason)}`;
  return `${line}${member('traceId', record.traceId)}}\n`;
}

export function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${jsonText(value)}`;
}

export function jsonText(text: string): string {
  return hostile.test(text) ? `"${text.replace(allHostile, unicodeEscape)}"` : `"${text}"`;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/**
 * As Apache and nginx write it, with what they do not have after it as name=value:
 * `client - - [time] "request" status bytes "referer" "user agent" ms=1.234 route=… backend=… endpoint=… flag=… trace=…`
 */
function combinedLine(record: AccessRecord): string {
  const { method, responseBytes, referer = '-', userAgent = '-' } = record;
  const request = method === '' ? '-' : `${quoted(method)} ${quoted(record.target)} ${record.protocol}`;
  let line = `${record.client} - - [${commonTime(record.time)}] "${request}" ${record.status} ${responseBytes || '-'}`;
  line += ` "${quoted(referer)}" "${quoted(userAgent)}" ms=${thousandths(record.durationMs)}`;
  line += extra('host', record.host) + extra('route', record.route) + extra('backend', record.backend);
  return `${line}${extra('endpoint', record.endpoint)}${extra('flag', record.flag)}${extra('trace', record.traceId)}\n`;
}

export function extra(name: string, value: string | undefined): string {
  return value ? ` ${name}="${quoted(value)}"` : '';
}

export function quoted(text: string): string {
  return hostile.test(text) ? text.replace(allHostile, byteEscape) : text;
}

/** Bytes as `\xHH`, as Apache and nginx do. */
export function byteEscape(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).toUpperCase().padStart(2, '0')}` : unicodeEscape(character);
}

/** The text of each second is made once. */
function perSecond(make: (at: Date) => string): (second: number) => string {
  let known = Number.NaN;
  let text = '';
  return (second) => {
    if (second === known) return text;
    known = second;
    text = make(new Date(second * 1000));
    return text;
  };
}

const isoSecond = perSecond((at) => at.toISOString().slice(0, 20));

/** `2026-11-22T16:06:04.678Z`. */
export function isoTime(time: number): string {
  const second = Math.floor(time / 1000);
  const left = String(Math.floor(time - second * 1000)).padStart(3, '0');
  return `${isoSecond(second)}${left}Z`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number) => String(value).padStart(2, '0');

const commonSecond = perSecond((at) => {
  const clock = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':');
  return `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}:${clock} +0000`;
});

/** `22/Nov/2026:16:06:04 +0000`, in UTC. */
export function commonTime(time: number): string {
  return commonSecond(Math.floor(time / 1000));
}
