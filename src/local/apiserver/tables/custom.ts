/** Columns of custom resources: `additionalPrinterColumns` of their CRD, or the age alone. */
import type { Json } from '../../../kube/patch/json.ts';
import type { PrinterColumn } from '../schemas.ts';
import { ageOf } from './format.ts';
import { parseJsonPath } from './json-path.ts';
import { age, name, type TableColumn, type TableDefinition, table } from './table.ts';

type Read = (value: Json, now: number) => Json;

/** How a value becomes a cell, by the type of its column; a value of another type leaves the cell empty. */
const readers: Record<string, Read> = {
  string: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  integer: (value) => (typeof value === 'number' ? Math.trunc(value) : null),
  number: (value) => (typeof value === 'number' ? value : null),
  boolean: (value) => (typeof value === 'boolean' ? value : null),
  date: (value, now) => (typeof value === 'string' ? ageOf(value, now) : null),
};

function columnOf({ name, type, format = '', description = '', priority = 0 }: PrinterColumn): TableColumn {
  return { name, type, format, description, priority };
}

/** `undefined`: the CRD names no columns. */
export function customTable(columns: readonly PrinterColumn[] | undefined): TableDefinition {
  if (!columns) return table(name, age);
  const named = table(name);
  const sources = columns.map((column) => ({ path: parseJsonPath(column.jsonPath), read: readers[column.type] }));
  return {
    columns: [...named.columns, ...columns.map(columnOf)],
    cells(object, now) {
      const cells = sources.map(({ path, read }) => {
        const value = path?.(object as unknown as Json)[0];
        return value === undefined || value === null || !read ? null : read(value, now);
      });
      return [...named.cells(object, now), ...cells];
    },
  };
}
