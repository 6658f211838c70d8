/** How commands print: tables, colours only on terminals (NO_COLOR, FORCE_COLOR), errors on stderr. */
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

/** Whether what goes to `stream` is coloured. Not for CI of itself: what a job greps or keeps must be plain text. */
export function isColoured(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** For stdout. */
export const paint = pc.createColors(isColoured(process.stdout, process.env));

/** For stderr, which may be a terminal while stdout is a file. */
export const paintError = pc.createColors(isColoured(process.stderr, process.env));

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
