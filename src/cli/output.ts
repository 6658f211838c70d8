/** How commands print: tables, colours only on terminals, errors on stderr. */
import pc from 'picocolors';

/** Rows as columns, padded like kubectl's: three spaces apart, no lines. The first row is the heading. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell));
  const line = (row: readonly string[]) =>
    indent +
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - visibleLength(cell) + 3)))
      .join('')
      .trimEnd();
  return rows.map(line).join('\n');
}

const colour = /\u001b\[\d+m/g;

function visibleLength(text: string): number {
  return text.replace(colour, '').length;
}

/** Colours follow NO_COLOR, FORCE_COLOR and whether stdout is a terminal. */
export const paint = pc;

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A fault of the command line or of its surroundings: shown without a stack trace, ends with its exit code. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
