/** Tables (`meta.k8s.io/v1 Table`): columns with a way to fill their cells. */
import type { Json, JsonObject } from '../../../kube/patch/json.ts';
import type { KubeObject } from '../../../kube/types/index.ts';
import { ageOf } from './format.ts';

/** As `metav1.TableColumnDefinition`. Priority 0 is always shown, higher ones with `-o wide`. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface TableDefinition {
  readonly columns: readonly TableColumn[];
  /** Cells in the order of the columns. `now`: milliseconds since the epoch. */
  cells(object: KubeObject, now: number): Json[];
}

/** Objects of any kind, as the cells read them: nothing below metadata is sure to be there. */
export interface Row extends KubeObject {
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  readonly [field: string]: unknown;
}

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer';
  readonly wide: boolean;
  readonly cell: (row: Row, now: number) => Json;
}

type Cell = (row: Row, now: number) => Json;

export const column = (name: string, cell: Cell): Column => ({ name, type: 'string', wide: false, cell });
export const count = (name: string, cell: Cell): Column => ({ name, type: 'integer', wide: false, cell });
export const wide = (name: string, cell: Cell): Column => ({ name, type: 'string', wide: true, cell });
export const name: Column = column('Name', (row) => row.metadata.name);
export const age: Column = column('Age', (row, now) => ageOf(row.metadata.creationTimestamp, now));

export function table(...columns: readonly Column[]): TableDefinition {
  return {
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      format: column.name === 'Name' ? 'name' : '',
      description: '',
      priority: column.wide ? 1 : 0,
    })),
    cells: (object, now) => columns.map((column) => column.cell(object as Row, now)),
  };
}
