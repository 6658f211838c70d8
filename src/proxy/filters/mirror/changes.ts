/** What copies of requests have in the place of what the route's own backend gets. */
import { err, ok, type Result } from '../../../base/result.ts';
import type { MirrorFilter, Template } from '../../../routing/plan/plan.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { isAuthority } from '../../http1/authority.ts';
import { isFieldValue, trimSpace } from '../../http1/characters.ts';
import type { RequestHead } from '../../http1/request.ts';
import { compileTemplate, type TextOf, targetText } from '../../values/template.ts';

/** Of one request. */
export interface CopyChanges {
  /** Undefined: as the backend gets it. */
  readonly host: string | undefined;
  readonly target: string | undefined;
  readonly withoutBody: boolean;
}

/** Undefined of a request that cannot be copied: its host cannot be one. */
export type ChangesOf = (exchange: Exchange, head: RequestHead) => CopyChanges | undefined;

/** Undefined: copies are what the backend gets. Says why where a template cannot be used. */
export function compileChanges(filter: MirrorFilter): Result<ChangesOf | undefined, string> {
  const { host, target } = filter;
  const withoutBody = filter.withoutBody === true;
  if (!host && !target && !withoutBody) return ok(undefined);
  const hostOf = textOf(host);
  if (!hostOf.ok) return hostOf;
  const targetOf = textOf(target);
  if (!targetOf.ok) return targetOf;
  const changesOf: ChangesOf = (exchange, head) => {
    const named = hostOf.value && trimSpace(hostOf.value(exchange, head));
    if (named !== undefined && !isHost(named)) return undefined;
    const place = targetOf.value && targetText(targetOf.value(exchange, head));
    return { host: named, target: place, withoutBody };
  };
  return ok(changesOf);
}

const isHost = (text: string): boolean => text !== '' && isAuthority(text) && isFieldValue(text);

function textOf(template: Template | undefined): Result<TextOf | undefined, string> {
  if (!template) return ok(undefined);
  const compiled = compileTemplate(template);
  return compiled.ok ? ok(compiled.value.text) : err(compiled.error);
}

const bodyLines = /^(?:content-length|transfer-encoding|expect|trailer):/i;
const hostLine = /^host:/i;

/** The head of the copy, from that of the original, which ends in its empty line. */
export function changedHead(text: string, { host, target, withoutBody }: CopyChanges): string {
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n');
  const [method = '', before = ''] = first.split(' ');
  const kept = lines.filter((line) => !(host !== undefined && hostLine.test(line)) && !(withoutBody && bodyLines.test(line))); // biome-ignore format: one line
  const named = host === undefined ? kept : [`Host: ${host}`, ...kept];
  return `${[`${method} ${target ?? before} HTTP/1.1`, ...named].join('\r\n')}\r\n\r\n`;
}
