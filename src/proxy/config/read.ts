/** A document of options to options: what is right holds, and every fault is found at once. */
import { closestTo } from '../../base/closest.ts';
import type { Fault, Rule } from './rules.ts';
import { type DataPlaneOptions, schema } from './schema.ts';

export interface ReadOptions {
  readonly options: DataPlaneOptions;
  readonly faults: readonly Fault[];
}

type Node = Rule<unknown> | { readonly [name: string]: Rule<unknown> };

const isRule = (node: Node): node is Rule<unknown> => typeof node.read === 'function';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a value as YAML or JSON give it. Never throws; an empty document has no options. */
export function readOptions(document: unknown): ReadOptions {
  const faults: Fault[] = [];
  if (document === undefined || document === null) return { options: {}, faults };
  if (!isObject(document)) {
    faults.push({ path: [], message: `the document has to have sections: ${Object.keys(schema).join(', ')}` });
    return { options: {}, faults };
  }
  return { options: readLevel(document, schema, [], faults), faults };
}

/** The keys of one level. Those that cannot be used are left out. */
function readLevel(
  given: Readonly<Record<string, unknown>>,
  nodes: Readonly<Record<string, Node>>,
  path: readonly string[],
  faults: Fault[],
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const here = [...path, name];
    if (!Object.hasOwn(nodes, name)) {
      faults.push({ path: here, message: unknown(name, path, nodes) });
      continue;
    }
    const read = readNode(value, nodes[name]!, here, faults);
    if (read !== undefined) options[name] = read;
  }
  return options;
}

function readNode(value: unknown, node: Node, path: readonly string[], faults: Fault[]): unknown {
  if (isRule(node)) {
    const reading = node.read(value);
    for (const fault of reading.faults) faults.push({ path: [...path, ...fault.path], message: fault.message });
    return reading.value;
  }
  // A section of which everything is commented out.
  if (value === null) return undefined;
  if (isObject(value)) return readLevel(value, node, path, faults);
  faults.push({ path, message: `a section, with any of ${Object.keys(node).join(', ')}` });
  return undefined;
}

/** What to say of a name that is none: the nearest one here, or the place where there is one of this name. */
function unknown(name: string, path: readonly string[], nodes: Readonly<Record<string, Node>>): string {
  const near = closestTo(name, Object.keys(nodes));
  const elsewhere = Object.entries(schema as Readonly<Record<string, Node>>).flatMap(([section, node]) =>
    !isRule(node) && Object.hasOwn(node, name) && section !== path[0] ? [`${section}.${name}`] : [],
  );
  const meant = near ? [[...path, near].join('.')] : elsewhere;
  const what = path.length === 0 ? 'no section' : `no option of ${path.join('.')}`;
  if (meant.length > 0) return `there is ${what} of this name; did you mean ${meant.join(' or ')}?`;
  return `there is ${what} of this name; there are ${Object.keys(nodes).join(', ')}`;
}
