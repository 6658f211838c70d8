/** Finds the package's own files (data/, examples/) from sources and from the bundle alike. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'data'))) return folder;
    if (folder === dirname(folder)) throw new Error('the files of the fairway package are missing');
  }
}

/** Absolute path of the package's folder. */
export const packageRoot: string = findRoot();
