/** Tables of the documentation, for tests that compare them with the code. */
import { expect } from 'vitest';

/** Rows of the table of a page that begins with these column names; cells without backticks. */
export function rowsBelow(page: string, ...columns: string[]): string[][] {
  const lines = page.split('\n');
  const start = lines.indexOf(`| ${columns.join(' | ')} |`);
  expect(start, columns.join()).toBeGreaterThan(0);
  const after = lines.slice(start + 2);
  const rows = after.slice(0, after.findIndex((line) => !line.startsWith('|')) >>> 0);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}
