/** Templates that may name headers of the response: read of the request first, and of the response when there is one. */
import type { Template } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { currentValue, type Fields } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';
import { compileValue, foldTexts, type TextOf } from './template.ts';

/** One character per byte. */
export type ResponseText = (fields: Fields) => string;

export interface CompiledResponseTemplate {
  /** What it is for the responses to one request. */
  readonly bind: (exchange: Exchange, head: RequestHead) => ResponseText;
  /** The same for all requests, if it is. */
  readonly constant: ResponseText | undefined;
}

type Part = string | TextOf | { readonly header: string };

export function compileResponseTemplate(template: Template): CompiledResponseTemplate {
  const parts = foldTexts(template).map((part): Part => {
    if (typeof part === 'string') return part;
    return part.of === 'response-header' ? { header: part.name.toLowerCase() } : compileValue(part);
  });
  const isConstant = parts.every((part) => typeof part !== 'function');
  return {
    bind: (exchange, head) => textOf(parts.map((part) => (typeof part === 'function' ? part(exchange, head) : part))),
    constant: isConstant ? textOf(parts as Exclude<Part, TextOf>[]) : undefined,
  };
}

function textOf(parts: readonly (string | { readonly header: string })[]): ResponseText {
  const [only = ''] = parts;
  if (parts.length <= 1 && typeof only === 'string') return () => only;
  return (fields) =>
    parts.map((part) => (typeof part === 'string' ? part : (currentValue(fields, part.header) ?? ''))).join('');
}
