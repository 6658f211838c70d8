/** Values of Location that are made of a request. */
import { ok, type Result } from '../../base/result.ts';
import { stripPort } from '../../routing/match/host.ts';
import { escapeArgument, escapePath } from '../../routing/match/normal-path.ts';
import type { RequestValue, Template } from '../../routing/plan/plan.ts';
import type { Client } from '../exchange/wire.ts';
import { compileTemplate, compileValue, locationText, type TextOf } from './template.ts';

const wellKnownPorts = { http: 80, https: 443 } as const;

/**
 * A path with scheme, host and port of the listener before it, as the client of an exchange has asked for them; anything
 * else as it is, and so a path of a request without a host.
 */
export function absoluteLocation({ door }: Client, host: string, location: string): string {
  if (!location.startsWith('/')) return location;
  const name = stripPort(host).toLowerCase();
  // `//name` alone would lead to another host.
  if (name === '') return location.replace(/^\/+/, '/');
  const { port } = door.table.listener;
  return `${door.scheme}://${name}${port === wellKnownPorts[door.scheme] ? '' : `:${port}`}${location}`;
}

export interface LocationOptions {
  /** A path is left as it is, without scheme and host. */
  readonly relative?: boolean;
  /** Escapes are undone up to the first question mark, as nginx does for rewrites that redirect. */
  readonly unescaped?: boolean;
}

/** Whether a group is of a path that was decoded; of another text it is as clients have written it. */
const isOfDecoded = ({ within }: Extract<RequestValue, { of: 'capture' }>): boolean =>
  !within?.text ||
  within.text.some((part) => typeof part !== 'string' && part.of === 'fact' && part.fact === 'normal-path');

/** What was decoded is escaped again: a question mark in a path would be the beginning of a query otherwise. */
function compileEscaped(value: RequestValue): TextOf {
  const read = compileValue(value);
  if (value.of === 'fact' && value.fact === 'normal-path') return (exchange, head) => escapePath(read(exchange, head));
  if (value.of !== 'capture' || !isOfDecoded(value)) return read;
  return (exchange, head) => (head.normalPath === '' ? read(exchange, head) : escapePath(read(exchange, head)));
}

/** A group of a pattern in a rewrite (ngx_http_script_copy_capture_code). */
function compileArgument(value: RequestValue): TextOf {
  const read = compileValue(value);
  return value.of === 'capture' ? (exchange, head) => escapeArgument(read(exchange, head)) : read;
}

/** ngx_unescape_uri with NGX_UNESCAPE_REDIRECT: of visible characters behind `%`, as far as the path goes. */
function undone(text: string): string {
  let done = '';
  for (let i = 0; i < text.length; i++) {
    const code = text[i] === '%' ? Number.parseInt(text.slice(i + 1, i + 3), 16) : 0;
    const character = code > 37 && code < 127 ? String.fromCharCode(code) : text[i]!;
    if (character === '?') return `${done}?${text.slice(i + (text[i] === '?' ? 1 : 3))}`;
    done += character;
    if (character !== text[i]) i += 2;
  }
  return done;
}

/** A path that is left relative names no other host, unless the template itself says so. */
export function compileLocation(
  template: Template,
  { relative = false, unescaped = false }: LocationOptions = {},
): Result<TextOf, string> {
  const compiled = compileTemplate(template, unescaped ? compileArgument : compileEscaped);
  if (!compiled.ok) return compiled;
  const { text: written } = compiled.value;
  const text: TextOf = unescaped ? (exchange, head) => undone(written(exchange, head)) : written;
  if (!relative) {
    return ok((exchange, head) => absoluteLocation(exchange.client, head.host, locationText(text(exchange, head))));
  }
  const [first] = template;
  const namesHost = typeof first === 'string' && first.startsWith('//');
  if (namesHost) return ok((exchange, head) => locationText(text(exchange, head)));
  return ok((exchange, head) => locationText(text(exchange, head)).replace(/^\/\/+/, '/'));
}
