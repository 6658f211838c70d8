/** The parameters of scaling, as cluster-proportional-autoscaler has them in a ConfigMap: one key, JSON as its value. */
import { err, ok, type Result } from '../../base/result.ts';

export interface LinearParams {
  readonly mode: 'linear';
  /** 0: cores do not count. */
  readonly coresPerReplica: number;
  readonly nodesPerReplica: number;
  readonly min: number;
  /** 0: no limit. */
  readonly max: number;
  readonly preventSinglePointFailure: boolean;
  readonly includeUnschedulableNodes: boolean;
}

/** From so many of a resource on, so many replicas. */
export type Step = readonly [threshold: number, replicas: number];

export interface LadderParams {
  readonly mode: 'ladder';
  /** By threshold. */
  readonly coresToReplicas: readonly Step[];
  readonly nodesToReplicas: readonly Step[];
  readonly includeUnschedulableNodes: boolean;
}

export type ScalingParams = LinearParams | LadderParams;

/** Steps of a ladder; more are refused. */
const maxSteps = 10_000;
const maxInt = 2 ** 31 - 1;

type Fields = ReadonlyMap<string, unknown>;

/** Fields by name in lower case: Go reads JSON without regard to case. Those of null are left out. */
function fieldsOf(text: string): Result<Fields, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(`could not parse parameters (${error instanceof Error ? error.message : String(error)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return err('parameters are no JSON object');
  return ok(
    new Map(Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key.toLowerCase(), item]]))),
  );
}

/** What a field must be; the error names it. */
function read<T>(
  fields: Fields,
  name: string,
  missing: T,
  fits: (value: unknown) => value is T,
  what: string,
): Result<T, string> {
  const value = fields.get(name.toLowerCase());
  if (value === undefined) return ok(missing);
  return fits(value) ? ok(value) : err(`${name} must be ${what}: ${JSON.stringify(value)}`);
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isInteger = (value: unknown): value is number => Number.isInteger(value) && Math.abs(value as number) <= maxInt;
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

const number = (fields: Fields, name: string) => read(fields, name, 0, isNumber, 'a number');
const integer = (fields: Fields, name: string) => read(fields, name, 0, isInteger, 'a whole number');
const flag = (fields: Fields, name: string) => read(fields, name, false, isBoolean, 'true or false');

/** All values, or the first error. */
function all<T extends Record<string, unknown>>(results: { [K in keyof T]: Result<T[K], string> }): Result<T, string> {
  const values: Record<string, unknown> = {};
  for (const [name, result] of Object.entries(results) as [string, Result<unknown, string>][]) {
    if (!result.ok) return result;
    values[name] = result.value;
  }
  return ok(values as T);
}

function readLinear(fields: Fields): Result<LinearParams, string> {
  const found = all<Omit<LinearParams, 'mode'>>({
    coresPerReplica: number(fields, 'coresPerReplica'),
    nodesPerReplica: number(fields, 'nodesPerReplica'),
    min: integer(fields, 'min'),
    max: integer(fields, 'max'),
    preventSinglePointFailure: flag(fields, 'preventSinglePointFailure'),
    includeUnschedulableNodes: flag(fields, 'includeUnschedulableNodes'),
  });
  if (!found.ok) return found;
  const { coresPerReplica, nodesPerReplica, max } = found.value;
  const min = found.value.min === 0 ? 1 : found.value.min;
  if (min < 0) return err(`invalid negative value for min: ${min}`);
  if (max !== 0 && max < min)
    return err(`max replicas count ${max} should be greater than / equal to min replicas count ${min}`);
  if (coresPerReplica === 0 && nodesPerReplica === 0)
    return err('at least one of coresPerReplica and nodesPerReplica must be greater than 0');
  if (coresPerReplica < 0) return err(`invalid negative value for coresPerReplica: ${coresPerReplica}`);
  if (nodesPerReplica < 0) return err(`invalid negative value for nodesPerReplica: ${nodesPerReplica}`);
  return ok({ mode: 'linear', ...found.value, min });
}

const isSteps = (value: unknown): value is Step[] =>
  Array.isArray(value) &&
  value.length <= maxSteps &&
  value.every((step) => Array.isArray(step) && step.length === 2 && step.every((part) => isInteger(part) && part >= 0));

function steps(fields: Fields, name: string): Result<readonly Step[], string> {
  const found = read<readonly Step[]>(
    fields,
    name,
    [],
    isSteps as (value: unknown) => value is readonly Step[],
    'a list of [threshold, replicas], whole numbers of at least 0',
  );
  return found.ok ? ok([...found.value].sort(([a], [b]) => a - b)) : found;
}

function readLadder(fields: Fields): Result<LadderParams, string> {
  const found = all<Omit<LadderParams, 'mode'>>({
    coresToReplicas: steps(fields, 'coresToReplicas'),
    nodesToReplicas: steps(fields, 'nodesToReplicas'),
    includeUnschedulableNodes: flag(fields, 'includeUnschedulableNodes'),
  });
  return found.ok ? ok({ mode: 'ladder', ...found.value }) : found;
}

const modes: Readonly<Record<string, (fields: Fields) => Result<ScalingParams, string>>> = {
  linear: readLinear,
  ladder: readLadder,
};

/** Parameters in the data of a ConfigMap; the error says what is wrong with them. */
export function parseParams(data: Readonly<Record<string, string>> = {}): Result<ScalingParams, string> {
  const entries = Object.entries(data);
  const [entry] = entries;
  if (!entry || entries.length > 1) return err(`expected one key, linear or ladder, and found ${entries.length}`);
  const [mode, text] = entry;
  const reader = Object.hasOwn(modes, mode) ? modes[mode] : undefined;
  if (!reader) return err(`not a supported control mode: ${mode}`);
  const fields = fieldsOf(text);
  if (!fields.ok) return err(`${mode}: ${fields.error}`);
  const params = reader(fields.value);
  return params.ok ? params : err(`${mode}: ${params.error}`);
}

/** `--default-params`: JSON with the keys of the ConfigMap; their values become text. */
export function parseDefaultParams(text: string): Result<Record<string, string>, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return err('not a JSON object');
  return ok(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, JSON.stringify(item)])));
}
