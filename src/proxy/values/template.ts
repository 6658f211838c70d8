/** Templates of the plan as functions. What is constant is put together once. */
import { err, ok, type Result } from '../../base/result.ts';
import type { RequestValue, Template } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { factOf } from '../filters/facts.ts';
import { isFieldValue, toWire, trimSpace } from '../http1/characters.ts';
import type { RequestHead } from '../http1/request.ts';
import { compileCapture } from './captures.ts';
import { cookieValue, firstField, queryValue } from './fields.ts';

/** One character per byte. */
export type TextOf = (exchange: Exchange, head: RequestHead) => string;

export interface CompiledTemplate {
  /** The text, when it is the same for all requests. */
  readonly constant: string | undefined;
  readonly text: TextOf;
}

type ValueReaders = {
  readonly [Of in RequestValue['of']]: (value: Extract<RequestValue, { of: Of }>) => TextOf;
};

const readers: ValueReaders = {
  fact: ({ fact }) => factOf[fact],
  header: ({ name }) => {
    const lowerName = name.toLowerCase();
    if (lowerName === 'host') return (_exchange, { host }) => host;
    return (_exchange, { fields }) => firstField(fields, lowerName);
  },
  cookie:
    ({ name }) =>
    (_exchange, { fields }) =>
      cookieValue(fields, name),
  query:
    ({ name }) =>
    (_exchange, { query }) =>
      queryValue(query, name),
  // Of a response; see response-template.ts.
  'response-header': () => () => '',
  capture: (value) => {
    const compiled = compileCapture(value, compileTemplate);
    return compiled.ok ? compiled.value : () => '';
  },
};

/** What one value of a request is. */
export function compileValue(value: RequestValue): TextOf {
  return (readers[value.of] as (value: RequestValue) => TextOf)(value);
}

/** Says why when a value cannot be had of a request. `compile` may put values in another form. */
export function compileTemplate(template: Template, compile = compileValue): Result<CompiledTemplate, string> {
  const strange = template.find((part) => typeof part !== 'string' && part.of === 'response-header');
  if (strange !== undefined) return err('a header of the response is not known before there is one');
  for (const part of template) {
    const capture =
      typeof part !== 'string' && part.of === 'capture' ? compileCapture(part, compileTemplate) : undefined;
    if (capture && !capture.ok) return capture;
  }
  const parts = foldTexts(template).map((part) => (typeof part === 'string' ? part : compile(part)));
  const [first = '', second] = parts;
  if (parts.length <= 1 && typeof first === 'string') return ok({ constant: first, text: () => first });
  if (parts.length === 1 && typeof first !== 'string') return ok({ constant: undefined, text: first });
  if (parts.length === 2) return ok({ constant: undefined, text: joinTwo(first, second!) });
  return ok({ constant: undefined, text: (exchange, head) => join(parts, exchange, head) });
}

/** Why a template cannot be used; undefined when it can. */
export function templateFault(template: Template): string | undefined {
  const compiled = compileTemplate(template);
  return compiled.ok ? undefined : compiled.error;
}

/** Of a template without a fault. */
export function soundTemplate(template: Template): CompiledTemplate {
  const compiled = compileTemplate(template);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value;
}

type Part = string | TextOf;

const read = (part: Part, exchange: Exchange, head: RequestHead): string =>
  typeof part === 'string' ? part : part(exchange, head);

const joinTwo =
  (first: Part, second: Part): TextOf =>
  (exchange, head) =>
    read(first, exchange, head) + read(second, exchange, head);

function join(parts: readonly Part[], exchange: Exchange, head: RequestHead): string {
  let text = '';
  for (let i = 0; i < parts.length; i++) text += read(parts[i]!, exchange, head);
  return text;
}

/** Texts in the form that goes over the wire, those beside each other as one, empty ones left out. */
export function foldTexts(template: Template): Template {
  const folded: (string | RequestValue)[] = [];
  for (const part of template) {
    const before = folded.at(-1);
    if (part === '') continue;
    if (typeof part !== 'string') folded.push(part);
    else if (typeof before === 'string') folded[folded.length - 1] = before + toWire(part);
    else folded.push(toWire(part));
  }
  return folded;
}

/** Text as it can stand in a header: control characters, which decoded paths may have, are percent-encoded. */
export function headerText(text: string): string {
  const trimmed = trimSpace(text);
  if (isFieldValue(trimmed)) return trimmed;
  return trimmed.replace(/[^\t\x20-\x7e\x80-\xff]/g, (character) => encodeURIComponent(character));
}

/** Text as it can stand in a request line: a path with or without a query. */
export function targetText(text: string): string {
  const target = locationText(text).replaceAll('#', '%23');
  return target.startsWith('/') ? target : `/${target}`;
}

/** Text as it can stand in Location: visible ASCII, the rest percent-encoded byte by byte. */
export function locationText(text: string): string {
  return text.replace(
    /[^\x21-\x7e]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
