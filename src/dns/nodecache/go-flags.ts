/** Command lines as Go's `flag` package reads them: `-name value`, `-name=value`, `--name`, booleans without a value. */
import { err, ok, type Result } from '../../base/result.ts';

export interface GoFlag {
  readonly name: string;
  /** A boolean flag takes its value only behind `=`. */
  readonly boolean?: true;
  readonly fallback: string;
  /** One sentence for the usage text. */
  readonly help: string;
}

export interface GoFlagValues {
  /** The value given last, or the fallback. */
  get(name: string): string;
  /** Whether the command line has it. */
  given(name: string): boolean;
}

/**
 * Reads all words; the first one that is no flag ends the flags, and what is left then is an error, since the servers
 * that use this take no arguments. `--` ends them too.
 */
export function parseGoFlags(words: readonly string[], flags: readonly GoFlag[]): Result<GoFlagValues, string> {
  const known = new Map(flags.map((flag) => [flag.name, flag]));
  const values = new Map<string, string>();
  const left = [...words];
  while (left.length > 0) {
    const word = left.shift()!;
    if (word === '--' || word === '-' || !word.startsWith('-')) {
      const rest = word === '--' ? left : [word, ...left];
      if (rest.length > 0) return err(`extra command line arguments: ${rest.join(' ')}`);
      break;
    }
    const [, name, value] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return err(`bad flag syntax: ${word}`);
    const flag = known.get(name);
    if (!flag) return err(`flag provided but not defined: -${name}`);
    const found = value ?? (flag.boolean ? 'true' : left.shift());
    if (found === undefined) return err(`flag needs an argument: -${name}`);
    values.set(name, found);
  }
  return ok({
    get: (name) => values.get(name) ?? known.get(name)?.fallback ?? '',
    given: (name) => values.has(name),
  });
}

/** The usage text that Go prints, one flag with its help and default below another. */
export function formatGoFlags(flags: readonly GoFlag[]): string {
  return [...flags]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, boolean, fallback, help }) => {
      const shown = boolean ? fallback === 'true' : fallback !== '';
      return `  -${name}${boolean ? '' : ' value'}\n        ${help}${shown ? ` (default ${fallback})` : ''}`;
    })
    .join('\n');
}

const truths: Readonly<Record<string, boolean>> = {
  ...{ '1': true, t: true, T: true, TRUE: true, true: true, True: true },
  ...{ '0': false, f: false, F: false, FALSE: false, false: false, False: false },
};

/** The words that Go's `strconv.ParseBool` takes. */
export function parseGoBoolean(text: string): boolean | undefined {
  return Object.hasOwn(truths, text) ? truths[text] : undefined;
}
