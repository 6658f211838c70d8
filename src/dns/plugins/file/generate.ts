/** `$GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA`: records that differ by a number, as in BIND. */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Word } from '../../wire/text-fields.ts';

/** Most records of one directive. */
const maxGenerated = 65_536;

interface Range {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
}

function rangeOf(text: string): Range | undefined {
  const [, start, stop, step = '1'] = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text) ?? [];
  const range = { start: Number(start), stop: Number(stop), step: Number(step) };
  const possible = range.step > 0 && range.start <= range.stop;
  return possible && (range.stop - range.start) / range.step < maxGenerated ? range : undefined;
}

const bases: Readonly<Record<string, (value: number) => string>> = {
  d: (value) => value.toString(10),
  o: (value) => value.toString(8),
  x: (value) => value.toString(16),
  X: (value) => value.toString(16).toUpperCase(),
};

/** The text for one number: `$`, `${OFFSET[,WIDTH[,BASE]]}`, and `\$` or `$$` for the character. */
function fill(text: string, value: number): string {
  return text.replace(
    /\\\$|\$\$|\$(?:\{(-?\d{1,10})(?:,(\d{1,2})(?:,([doxX]))?)?\})?/g,
    (whole, offset = '0', width = '0', base = 'd') =>
      whole === '\\$' || whole === '$$' ? '$' : bases[base]!(value + Number(offset)).padStart(Number(width), '0'),
  );
}

/** The words of each record, made one after the other. The error says what is wrong with the directive. */
export function generated(words: readonly Word[]): Result<Iterable<readonly Word[]>, string> {
  const range = rangeOf(words[0]?.text ?? '');
  if (!range) return err(`$GENERATE: not a range of up to ${maxGenerated} numbers: ${words[0]?.text ?? ''}`);
  const parts = words.slice(1);
  const fills = function* (): Generator<readonly Word[]> {
    for (let value = range.start; value <= range.stop; value += range.step)
      yield parts.map(({ text, quoted }) => ({ quoted, text: fill(text, value) }));
  };
  return ok(fills());
}
