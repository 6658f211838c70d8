/**
 * The part of Go's text/template that record templates use: values and their fields, calls, pipelines, variables, if,
 * with, range, trimming and comments. Bounded in steps and output; a template is compiled once.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import { callFunction, hasFunction, TemplateFailure, truthy, valueText } from './go-functions.ts';

export interface GoTemplate {
  readonly source: string;
  /** The text for one set of values; the error says why there is none. */
  render(data: unknown): Result<string, string>;
}

/** Characters of output, and steps of work, that one rendering may take. */
const maxOutput = 65_536;
const maxSteps = 10_000;

type Operand =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'path'; readonly root: string; readonly fields: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly fields: readonly string[] };

type Command = readonly Operand[];

interface Pipeline {
  readonly variable?: string;
  readonly commands: readonly Command[];
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
  readonly work: { steps: number };
}

const tokenPattern = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|\||\(|\)|[^\s()|"`]+)/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  for (let match = tokenPattern.exec(text); match; match = tokenPattern.exec(text)) tokens.push(match[1]!);
  return tokens;
}

/** A string in quotes, a number, a boolean; undefined for other words. */
function literalOf(token: string): Operand | undefined {
  if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1) };
  if (token.startsWith('"')) {
    const text = token
      .slice(1, -1)
      .replace(/\\(.)/gs, (_, char: string) => ({ n: '\n', t: '\t', r: '\r' })[char] ?? char);
    return { kind: 'literal', value: text };
  }
  if (/^[+-]?(\d+(\.\d+)?|0x[0-9a-f]+)$/i.test(token)) return { kind: 'literal', value: Number(token) };
  if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
  return token === 'nil' ? { kind: 'literal', value: undefined } : undefined;
}

function pathOf(token: string): Operand | undefined {
  const found = /^(\$\w*)?((?:\.\w+)*|\.)$/.exec(token);
  if (!found || token === '') return undefined;
  const fields = found[2]!.split('.').filter((field) => field !== '');
  return { kind: 'path', root: found[1] ?? '.', fields };
}

function parsePipeline(tokens: string[]): Pipeline {
  const assigned = /^\$\w+$/.test(tokens[0] ?? '') && tokens[1] === ':=' ? tokens.splice(0, 2)[0] : undefined;
  const commands: Operand[][] = [[]];
  while (tokens.length > 0 && tokens[0] !== ')') {
    const token = tokens.shift()!;
    if (token === '|') {
      commands.push([]);
      continue;
    }
    commands.at(-1)!.push(token === '(' ? parseGroup(tokens) : operandOf(token));
  }
  if (commands.some((command) => command.length === 0)) throw new TemplateFailure('missing value for command');
  return { commands, ...(assigned !== undefined && { variable: assigned }) };
}

function parseGroup(tokens: string[]): Operand {
  const pipeline = parsePipeline(tokens);
  if (tokens.shift() !== ')') throw new TemplateFailure('unclosed left paren');
  const behind = tokens[0]?.startsWith('.') && tokens[0] !== '.' ? tokens.shift()! : '';
  return { kind: 'pipeline', pipeline, fields: behind.split('.').filter((field) => field !== '') };
}

function operandOf(token: string): Operand {
  const operand = literalOf(token) ?? pathOf(token);
  if (operand) return operand;
  if (!hasFunction(token)) throw new TemplateFailure(`function "${token}" not defined`);
  return { kind: 'function', name: token };
}

interface Piece {
  readonly text?: string;
  readonly action?: string;
}

function piecesOf(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (const match of source.matchAll(/\{\{(- )?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|\/\*[\s\S]*?\*\/|[^"`])*?)( -)?\}\}/g)) {
    let text = source.slice(at, match.index);
    if (trimNext) text = text.trimStart();
    if (match[1]) text = text.trimEnd();
    pieces.push({ text }, { action: match[2]!.trim() });
    trimNext = match[3] !== undefined;
    at = match.index + match[0].length;
  }
  const rest = source.slice(at);
  if (rest.includes('{{')) throw new TemplateFailure('unclosed action');
  pieces.push({ text: trimNext ? rest.trimStart() : rest });
  return pieces;
}

type Ending = 'end' | 'else' | undefined;

function parseNodes(pieces: Piece[], depth: number): { nodes: Node[]; ending: Ending; rest: string } {
  const nodes: Node[] = [];
  while (pieces.length > 0) {
    const { text, action } = pieces.shift()!;
    if (text !== undefined) nodes.push({ kind: 'text', text });
    else if (!action!.startsWith('/*')) {
      const [word = '', ...more] = action!.split(/\s+/);
      const rest = action!.slice(word.length).trim();
      if (word === 'end' || word === 'else') return { nodes, ending: word, rest: more.length > 0 ? rest : '' };
      if (word === 'if' || word === 'with' || word === 'range') nodes.push(parseBranch(word, rest, pieces, depth + 1));
      else nodes.push({ kind: 'value', pipeline: whole(action!) });
    }
  }
  return { nodes, ending: undefined, rest: '' };
}

function whole(text: string): Pipeline {
  const tokens = tokensOf(text);
  const pipeline = parsePipeline(tokens);
  if (tokens.length > 0) throw new TemplateFailure(`unexpected "${tokens[0]}"`);
  return pipeline;
}

function parseBranch(kind: 'if' | 'with' | 'range', condition: string, pieces: Piece[], depth: number): Node {
  if (depth > 50) throw new TemplateFailure('blocks are nested too deeply');
  const pipeline = whole(condition);
  const body = parseNodes(pieces, depth);
  if (body.ending === undefined) throw new TemplateFailure(`unexpected EOF in ${kind}`);
  if (body.ending === 'end') return { kind, pipeline, body: body.nodes, otherwise: [] };
  const chained = /^(if|with)\s+(.*)$/s.exec(body.rest);
  if (chained) {
    const otherwise = [parseBranch(chained[1] as 'if' | 'with', chained[2]!, pieces, depth + 1)];
    return { kind, pipeline, body: body.nodes, otherwise };
  }
  const otherwise = parseNodes(pieces, depth);
  if (otherwise.ending !== 'end') throw new TemplateFailure(`unexpected EOF in ${kind}`);
  return { kind, pipeline, body: body.nodes, otherwise: otherwise.nodes };
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) {
    // A map without the key has nothing there; anything else has no such field.
    if (typeof value === 'object' && value !== null) return undefined;
    throw new TemplateFailure(`can't evaluate field ${field}`);
  }
  return (value as Record<string, unknown>)[field];
}

function evaluate(operand: Operand, scope: Scope): unknown {
  if (operand.kind === 'literal') return operand.value;
  if (operand.kind === 'function') return callFunction(operand.name, []);
  if (operand.kind === 'pipeline') return operand.fields.reduce(fieldOf, run(operand.pipeline, scope));
  const root = operand.root === '.' ? scope.dot : scope.variables.get(operand.root);
  if (operand.root !== '.' && !scope.variables.has(operand.root))
    throw new TemplateFailure(`undefined variable "${operand.root}"`);
  return operand.fields.reduce(fieldOf, root);
}

function runCommand(command: Command, scope: Scope, piped: readonly unknown[]): unknown {
  const [first, ...others] = command as [Operand, ...Operand[]];
  const args = [...others.map((operand) => evaluate(operand, scope)), ...piped];
  if (first.kind === 'function') return callFunction(first.name, args);
  const value = evaluate(first, scope);
  if (typeof value === 'function') return (value as (...all: unknown[]) => unknown)(...args);
  if (args.length > 0) throw new TemplateFailure("can't give argument to non-function");
  return value;
}

function run({ commands, variable }: Pipeline, scope: Scope): unknown {
  if (++scope.work.steps > maxSteps) throw new TemplateFailure('too much work');
  let piped: readonly unknown[] = [];
  for (const command of commands) piped = [runCommand(command, scope, piped)];
  if (variable !== undefined) scope.variables.set(variable, piped[0]);
  return piped[0];
}

function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null)
    return Object.keys(value)
      .sort()
      .map((key) => fieldOf(value, key));
  if (value === undefined) return [];
  throw new TemplateFailure("range can't iterate over this value");
}

function renderNode(node: Node, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const value = run(node.pipeline, scope);
  if (node.kind === 'value') return node.pipeline.variable === undefined ? valueText(value) : '';
  if (node.kind === 'range') {
    const items = itemsOf(value);
    if (items.length > 0) return items.map((dot) => renderAll(node.body, { ...scope, dot })).join('');
    return renderAll(node.otherwise, scope);
  }
  if (!truthy(value)) return renderAll(node.otherwise, scope);
  return renderAll(node.body, node.kind === 'with' ? { ...scope, dot: value } : scope);
}

function renderAll(nodes: readonly Node[], scope: Scope): string {
  let text = '';
  for (const node of nodes) {
    text += renderNode(node, scope);
    if (text.length > maxOutput) throw new TemplateFailure('the output is too long');
  }
  return text;
}

function caught<T>(work: () => T): Result<T, string> {
  try {
    return ok(work());
  } catch (error) {
    if (error instanceof TemplateFailure) return err(error.message);
    throw error;
  }
}

export function compileGoTemplate(source: string): Result<GoTemplate, string> {
  return caught(() => {
    const { nodes, ending } = parseNodes(piecesOf(source), 0);
    if (ending !== undefined) throw new TemplateFailure(`unexpected {{${ending}}}`);
    const render = (data: unknown) =>
      caught(() => renderAll(nodes, { dot: data, variables: new Map([['$', data]]), work: { steps: 0 } }));
    return { source, render };
  });
}
