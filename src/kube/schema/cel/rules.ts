/** `x-kubernetes-validations`: CEL rules at the schema nodes that carry them, evaluated as an API server does. */
import { equalJson } from '../../objects.ts';
import { child, duplicate, type FaultList, forbidden, invalid, report, required } from '../fields.ts';
import { listMapKeys } from '../structural/arrays.ts';
import { isObject, type JsonObject, type Schema, type ValidationRule } from '../structural/types.ts';
import { type CelValue, compileExpression, type Program, summaryOf } from './environment.ts';
import { usesIdentifier } from './source.ts';
import { celName, compileConvert } from './values.ts';

/** Runs the rules of a whole object. `old` is the stored object, undefined on create. */
export type RuleSet = (object: JsonObject, old: JsonObject | undefined, faults: FaultList) => void;

interface Rule {
  readonly source: ValidationRule;
  /** Speaks of oldSelf: runs on updates only, unless `optionalOldSelf`. */
  readonly transition: boolean;
  /** oldSelf is an optional value. */
  readonly optional: boolean;
  /** Compiled on first use. */
  readonly program: () => Program | Error;
}

function createRule(source: ValidationRule): Rule {
  const transition = usesIdentifier(source.rule, 'oldSelf');
  const optional = transition && source.optionalOldSelf === true;
  let program: Program | Error | undefined;
  return {
    source,
    transition,
    optional,
    program: () => (program ??= compileExpression(source.rule, optional)),
  };
}

interface RuleNode {
  readonly type: string;
  readonly rules: readonly Rule[];
  readonly fields: ReadonlyMap<string, { readonly celName: string; readonly node: RuleNode }>;
  readonly others: RuleNode | undefined;
  readonly items: RuleNode | undefined;
  readonly keys: readonly string[] | undefined;
  /** One of its rules, or of those below, is a transition: what is unchanged is judged all the same. */
  readonly transitions: boolean;
  /** JSON of values that keep all rules from here on, where that follows from the value alone. */
  readonly kept: Set<string>;
}

/** JSON of values that keep the rules of a node: so many of each node, with so many characters each. */
const mostKept = 1_000;
const longestKept = 400;

/** Collects the rules of a schema; undefined when there are none. Expressions compile when first run. */
export function compileRules(schema: Schema): RuleSet | undefined {
  const root = compileNode(schema);
  if (!root) return undefined;
  const convert = compileConvert(schema, true);
  return (object, old, faults) => {
    visit(root, whole(object, convert), old && whole(old, convert), '', faults);
  };
}

function compileNode(schema: Schema): RuleNode | undefined {
  const rules = (schema['x-kubernetes-validations'] ?? []).map(createRule);
  const fields = new Map<string, { celName: string; node: RuleNode }>();
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    const node = compileNode(part);
    if (node) fields.set(name, { celName: celName(name), node });
  }
  const others = isObject(schema.additionalProperties) ? compileNode(schema.additionalProperties as Schema) : undefined;
  const items = schema.items ? compileNode(schema.items) : undefined;
  if (rules.length === 0 && fields.size === 0 && !others && !items) return undefined;
  const below = [...[...fields.values()].map(({ node }) => node), others, items];
  const transitions = rules.some(({ transition }) => transition) || below.some((node) => node?.transitions);
  return {
    type: schema.type ?? 'object',
    rules,
    fields,
    others,
    items,
    keys: listMapKeys(schema),
    transitions,
    kept: new Set(),
  };
}

/** One value in both its forms; the second is made when a rule asks for it. */
interface Side {
  readonly json: unknown;
  readonly cel: () => CelValue;
}

function whole(json: JsonObject, convert: (json: unknown) => CelValue): Side {
  let made: CelValue;
  return { json, cel: () => (made ??= convert(json)) };
}

/** A field by the name that CEL has for it. */
const fieldOf = (json: unknown, of: Side, name: string): Side => ({ json, cel: () => get(of.cel(), name) });
const itemOf = (json: unknown, of: Side, at: number): Side => ({ json, cel: () => (of.cel() as CelValue[])[at] });

function visit(node: RuleNode, self: Side, old: Side | undefined, path: string, faults: FaultList): void {
  if (self.json === null || self.json === undefined) return;
  const unchanged = old !== undefined && equalJson(self.json, old.json);
  if (unchanged && !node.transitions) return;
  // The same parents, matches and filters stand in thousands of routes. No two objects are equal as a whole.
  const text = node.transitions || path === '' ? undefined : JSON.stringify(self.json);
  if (text !== undefined && node.kept.has(text)) return;
  for (const rule of node.rules) {
    // What was stored may stay although a newer rule refuses it (validation ratcheting).
    if (unchanged && !rule.transition) continue;
    if (rule.transition && !old && !rule.source.optionalOldSelf) continue;
    evaluate(rule, node.type, self.cel(), old?.cel(), path, faults);
  }
  if (Array.isArray(self.json)) visitItems(node, self, old, path, faults);
  else if (isObject(self.json)) visitFields(node, self, self.json, old, path, faults);
  // What was stored may have been let pass, and a full list of faults would not show that one more was found.
  if (text === undefined || text.length > longestKept || old || faults.errors.length > 0) return;
  if (node.kept.size >= mostKept) node.kept.clear();
  node.kept.add(text);
}

function visitFields(
  node: RuleNode,
  self: Side,
  json: JsonObject,
  old: Side | undefined,
  path: string,
  faults: FaultList,
): void {
  if (node.fields.size === 0 && !node.others) return;
  const oldJson = isObject(old?.json) ? old.json : undefined;
  for (const key of Object.keys(json)) {
    const field = node.fields.get(key);
    const inner = field?.node ?? node.others;
    if (!inner) continue;
    const name = field?.celName ?? key;
    const before = oldJson && Object.hasOwn(oldJson, key) ? fieldOf(oldJson[key], old!, name) : undefined;
    visit(inner, fieldOf(json[key], self, name), before, field ? child(path, key) : `${path}[${key}]`, faults);
  }
}

const get = (map: CelValue, key: string): CelValue => (map instanceof Map ? map.get(key) : undefined);

function visitItems(node: RuleNode, self: Side, old: Side | undefined, path: string, faults: FaultList): void {
  if (!node.items) return;
  const json = self.json as unknown[];
  const oldOf = pairItems(node.keys, old);
  for (let i = 0; i < json.length; i++)
    visit(node.items, itemOf(json[i], self, i), oldOf(json[i]), `${path}[${i}]`, faults);
}

/** Items have an old self only in lists of type map, where keys pair them. */
function pairItems(keys: readonly string[] | undefined, old: Side | undefined): (item: unknown) => Side | undefined {
  if (!keys || !Array.isArray(old?.json)) return () => undefined;
  const keyOf = (item: unknown) => (isObject(item) ? JSON.stringify(keys.map((key) => item[key])) : '');
  const byKey = new Map(old.json.map((json, i) => [keyOf(json), itemOf(json, old, i)]));
  return (item) => byKey.get(keyOf(item));
}

function evaluate(
  { source, optional, program: programOf }: Rule,
  type: string,
  self: CelValue,
  oldSelf: CelValue | undefined,
  path: string,
  faults: FaultList,
): void {
  const program = programOf();
  // A rule that does not compile was reported when its CRD was written.
  if (program instanceof Error) return;
  const variables = { self, oldSelf: optional ? optionalOf(oldSelf) : oldSelf };
  const place = source.fieldPath ? path + fieldSuffix(source.fieldPath, path) : path;
  try {
    if (program.run(variables) === true) return;
    report(faults, fault(source, place, type, messageOf(source, optional, variables)));
  } catch (error) {
    report(faults, invalid(place, type, `${summaryOf(error)} evaluating rule: ${source.message ?? source.rule}`));
  }
}

/** CEL's optional values are made by CEL itself, once per kind of presence. */
function optionalOf(value: CelValue | undefined): CelValue {
  const program = compileExpression(value === undefined ? 'optional.none()' : 'optional.of(self)');
  if (program instanceof Error) throw program;
  return program.run({ self: value });
}

/** `.spec.items['a']` below a path. At the root the leading dot goes. */
function fieldSuffix(fieldPath: string, path: string): string {
  const suffix = fieldPath.trim().replace(/\['([^']*)'\]/g, '[$1]');
  return path === '' ? suffix.replace(/^\./, '') : suffix;
}

function messageOf(source: ValidationRule, optional: boolean, variables: Record<string, CelValue>): string {
  const written = source.message?.trim() || `failed rule: ${source.rule.trim()}`;
  if (!source.messageExpression) return written;
  const program: Program | Error = compileExpression(source.messageExpression, optional);
  if (program instanceof Error) return written;
  try {
    const message = program.run(variables);
    return typeof message === 'string' && message.trim() !== '' && !message.includes('\n') ? message.trim() : written;
  } catch {
    // Kubernetes falls back to the written message when the expression fails, and so do we.
    return written;
  }
}

function fault(source: ValidationRule, path: string, type: string, message: string) {
  if (source.reason === 'FieldValueForbidden') return forbidden(path, message);
  if (source.reason === 'FieldValueRequired') return required(path, message);
  if (source.reason === 'FieldValueDuplicate') {
    const error = duplicate(path, type);
    return { ...error, message: `${error.message}: ${message}` };
  }
  return invalid(path, type, message);
}

/** Every rule of a schema that does not compile, as `path: reason`. */
export function ruleProblems(schema: Schema, path = ''): string[] {
  const problems = (schema['x-kubernetes-validations'] ?? []).flatMap((source, i) =>
    problemsOf(source).map((problem) => `${path}.x-kubernetes-validations[${i}]: ${problem}`),
  );
  for (const [name, part] of Object.entries(schema.properties ?? {}))
    problems.push(...ruleProblems(part, `${path}.properties[${name}]`));
  if (schema.items) problems.push(...ruleProblems(schema.items, `${path}.items`));
  if (isObject(schema.additionalProperties))
    problems.push(...ruleProblems(schema.additionalProperties as Schema, `${path}.additionalProperties`));
  return problems;
}

function problemsOf(source: ValidationRule): string[] {
  const { optional, program } = createRule(source);
  return [
    problemOf('rule', program(), 'bool'),
    source.messageExpression
      ? problemOf('messageExpression', compileExpression(source.messageExpression, optional), 'string')
      : undefined,
  ].filter((problem) => problem !== undefined);
}

function problemOf(name: string, program: Program | Error, type: string): string | undefined {
  if (program instanceof Error) return `${name} does not compile: ${program.message}`;
  return program.type === type || program.type === 'dyn' ? undefined : `${name} must evaluate to a ${type}`;
}
