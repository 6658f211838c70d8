/** The `format`s that an API server checks (kube-openapi `strfmt`); others are only documentation. */
import { isIPv4, isIPv6 } from 'node:net';

const MAC = /^[0-9a-fA-F]{2}([:.-][0-9a-fA-F]{2}){5,7}$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const HOSTNAME =
  /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;
const DURATION = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)/;
const GO_DURATION_PART = /(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)/y;

/** A day that exists: `2024-02-30` does not. */
function isDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** RFC 3339. Second 60 is a leap second and passes. */
function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text);
  return (
    match !== null && isDate(match[1]!) && Number(match[2]) < 24 && Number(match[3]) < 60 && Number(match[4]) <= 60
  );
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text);
}

/** `10.0.0.0/8`, `fd00::/8`. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return false;
  const address = text.slice(0, slash);
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length)) return false;
  return isIPv4(address) ? Number(length) <= 32 : isIPv6(address) && Number(length) <= 128;
}

/** Go's `time.ParseDuration`: `1h30m`, `-1.5s`, `0`. */
export function isGoDuration(text: string): boolean {
  if (text.length > 100) return false;
  const body = /^[-+]/.test(text) ? text.slice(1) : text;
  if (body === '0') return true;
  if (!DURATION.test(body)) return false;
  GO_DURATION_PART.lastIndex = 0;
  while (GO_DURATION_PART.lastIndex < body.length) if (!GO_DURATION_PART.test(body)) return false;
  return true;
}

function isUri(text: string): boolean {
  return URL.canParse(text);
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  return at > 0 && at < text.length - 1 && !/\s/.test(text);
}

const checks: Record<string, (text: string) => boolean> = {
  ipv4: isIPv4,
  ipv6: (text) => isIPv6(text) && !text.includes('%'),
  cidr: isCidr,
  mac: (text) => MAC.test(text),
  uuid: (text) => UUID.test(text),
  byte: isBase64,
  date: isDate,
  'date-time': isDateTime,
  datetime: isDateTime,
  duration: isGoDuration,
  hostname: (text) => text.length <= 255 && HOSTNAME.test(text),
  uri: isUri,
  email: isEmail,
};

/** The check of a string format, if it is one that is checked. */
export function formatCheck(format: string): ((text: string) => boolean) | undefined {
  return Object.hasOwn(checks, format) ? checks[format] : undefined;
}
