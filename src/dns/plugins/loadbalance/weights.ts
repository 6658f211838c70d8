/** Weights of addresses by name, from a file that is read again when it changes. */
import { readFileSync } from 'node:fs';
import { canonicalAddress } from '../../wire/address.ts';
import { foldCase } from '../../wire/name.ts';
import type { LogLine } from '../setup.ts';
import { type Order, shuffled } from './loadbalance.ts';

export interface WeightsOptions {
  readonly path: string;
  /** ms; 0: never. */
  readonly reloadMs: number;
  readonly log: LogLine;
}

type Weights = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** A line with a name starts its list; each line below has an address and a weight from 1 to 255. `#` comments. */
export function parseWeights(text: string): Weights | { readonly error: string } {
  const all = new Map<string, Map<string, number>>();
  let current: Map<string, number> | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const [first, second, more] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!first) continue;
    if (more !== undefined) return { error: `line ${i + 1}: more than two words` };
    if (second === undefined) {
      const name = foldCase(first.endsWith('.') ? first : `${first}.`);
      current = all.get(name) ?? new Map();
      all.set(name, current);
      continue;
    }
    const address = canonicalAddress(first);
    const weight = Number(second);
    if (!address) return { error: `line ${i + 1}: not an IP address: ${first}` };
    if (!Number.isInteger(weight) || weight < 1 || weight > 255)
      return { error: `line ${i + 1}: not a weight from 1 to 255: ${second}` };
    if (!current) return { error: `line ${i + 1}: an address before any name` };
    current.set(address, weight);
  }
  return all;
}

/** The first one by chance in proportion to its weight (1 unless given), the others at random behind it. */
function weightedOrder(weights: ReadonlyMap<string, number>): Order {
  return (records) => {
    const list = shuffled(records);
    const weightOf = ({ data }: (typeof list)[number]) =>
      data.kind === 'address' ? (weights.get(canonicalAddress(data.address) ?? '') ?? 1) : 1;
    let left = Math.random() * list.reduce((sum, record) => sum + weightOf(record), 0);
    const chosen = list.findIndex((record) => {
      left -= weightOf(record);
      return left < 0;
    });
    return chosen <= 0 ? list : [list[chosen]!, ...list.slice(0, chosen), ...list.slice(chosen + 1)];
  };
}

export function createWeights({ path, reloadMs, log }: WeightsOptions) {
  let text = '';
  let weights: Weights = new Map();
  let timer: NodeJS.Timeout | undefined;

  /** What is wrong with the file; the weights before it stay in force. */
  function load(): string | undefined {
    let content: string;
    try {
      content = readFileSync(path, 'utf8');
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    if (content === text) return undefined;
    const parsed = parseWeights(content);
    if ('error' in parsed) return `${path}: ${parsed.error}`;
    text = content;
    weights = parsed as Weights;
    return undefined;
  }

  return {
    load,
    orderFor(name: string): Order {
      const own = weights.get(foldCase(name));
      return own ? weightedOrder(own) : shuffled;
    },
    start() {
      if (reloadMs <= 0) return;
      timer = setInterval(() => {
        const error = load();
        if (error !== undefined) log('error', `the weights stay as they were: ${error}`);
      }, reloadMs).unref();
    },
    close: () => clearInterval(timer),
  };
}
