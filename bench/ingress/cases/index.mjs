/** The cases by the names that the command line knows them by. */
import { changes } from './changes.mjs';
import { edits } from './edits.mjs';
import { scale } from './scale.mjs';

export const cases = { scale, edits, changes };
