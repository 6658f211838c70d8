/**
 * The JSON paths of CRD columns (client-go `jsonpath`, the part that a column may use): `.spec.host`, `.a[0]`, `.a[*]`,
 * `.a['b.c']`, `.a\.b`, `.status.conditions[?(@.type=="Ready")].status`.
 */
import { fieldOf, isObject, type Json } from '../../../kube/patch/json.ts';

type Step = (values: Json[]) => Json[];
export type JsonPath = (object: Json) => Json[];

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => {
      const child = isObject(value) ? fieldOf(value, name) : undefined;
      return child === undefined ? [] : [child];
    });

const every: Step = (values) =>
  values.flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? (Object.values(value) as Json[]) : []));

const item =
  (index: number): Step =>
  (values) =>
    values.flatMap((value) => {
      const found = Array.isArray(value) ? value.at(index) : undefined;
      return found === undefined ? [] : [found];
    });

const comparisons: Record<string, (a: Json | undefined, b: Json) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== undefined && a !== b,
  '<': (a, b) => typeof a === 'number' && typeof b === 'number' && a < b,
  '<=': (a, b) => typeof a === 'number' && typeof b === 'number' && a <= b,
  '>': (a, b) => typeof a === 'number' && typeof b === 'number' && a > b,
  '>=': (a, b) => typeof a === 'number' && typeof b === 'number' && a >= b,
};

function literal(text: string): Json | undefined {
  const quoted = /^'(.*)'$/s.exec(text) ?? /^"(.*)"$/s.exec(text);
  if (quoted) return quoted[1]!;
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

function filter(expression: string): Step | undefined {
  const match = /^@((?:\.[^=!<>\s]+)+)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s.exec(expression.trim());
  if (!match) return undefined;
  const path = parseJsonPath(match[1]!);
  const wanted = match[3] === undefined ? undefined : literal(match[3].trim());
  if (!path || (match[2] && wanted === undefined)) return undefined;
  const holds = (value: Json) => {
    const [found] = path(value);
    return match[2] ? comparisons[match[2]]!(found, wanted!) : found !== undefined;
  };
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value.filter(holds) : []));
}

function bracket(body: string): Step | undefined {
  const text = body.trim();
  if (text === '*') return every;
  if (/^-?\d{1,6}$/.test(text)) return item(Number(text));
  const quoted = /^'(.*)'$/s.exec(text) ?? /^"(.*)"$/s.exec(text);
  if (quoted) return field(quoted[1]!);
  const expression = /^\?\((.*)\)$/s.exec(text);
  return expression ? filter(expression[1]!) : undefined;
}

/** End of a bracket that may hold quoted brackets. */
function bracketEnd(path: string, start: number): number {
  let quote = '';
  for (let i = start; i < path.length; i++) {
    const char = path[i]!;
    if (quote) quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === ']') return i;
  }
  return -1;
}

/** A function that finds the values of a path, or undefined when the path is not of this form. */
export function parseJsonPath(path: string): JsonPath | undefined {
  const steps: Step[] = [];
  let at = path.startsWith('$') ? 1 : 0;
  while (at < path.length) {
    if (path[at] === '[') {
      const end = bracketEnd(path, at + 1);
      const step = end < 0 ? undefined : bracket(path.slice(at + 1, end));
      if (!step) return undefined;
      steps.push(step);
      at = end + 1;
      continue;
    }
    const match = /^\.((?:\\.|[^.[\]\\])+)/s.exec(path.slice(at));
    if (!match) return undefined;
    const name = match[1]!.replace(/\\(.)/gs, '$1');
    steps.push(name === '*' ? every : field(name));
    at += match[0].length;
  }
  return (object) => steps.reduce((values, step) => step(values), [object]);
}
