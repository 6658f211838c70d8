/** Which files a list of paths means: files as they are, folders with all manifests below them. */
import { readdir, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';

const manifestName = /\.(ya?ml|json)$/i;

/** True for names that are read when found in a folder. Hidden files and editors' leftovers are not. */
export function isManifestName(name: string): boolean {
  return manifestName.test(name) && !name.startsWith('.');
}

async function walk(folder: string): Promise<string[]> {
  const items = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    items
      .filter((item) => !item.name.startsWith('.') && item.name !== 'node_modules')
      .map(async (item) => {
        const path = join(folder, item.name);
        // Mounted ConfigMaps are folders of symbolic links.
        const kind = item.isSymbolicLink() ? await stat(path) : item;
        if (kind.isDirectory()) return walk(path);
        return isManifestName(item.name) ? [path] : [];
      }),
  );
  return found.flat();
}

export interface FoundFiles {
  readonly files: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Files in a stable order: paths as given, names sorted within a folder. `-` (standard input) is left to the caller. */
export async function findManifests(paths: readonly string[]): Promise<FoundFiles> {
  const files: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const path of paths) {
    try {
      const info = await stat(path);
      if (!info.isDirectory()) {
        files.push(normalize(path));
        continue;
      }
      const below = (await walk(path)).sort();
      if (below.length === 0)
        diagnostics.push(
          diagnostic('FW1006', { message: `no manifests in ${path}`, position: { file: path, line: 1, column: 1 } }),
        );
      files.push(...below);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      diagnostics.push(diagnostic('FW1005', { message, position: { file: path, line: 1, column: 1 } }));
    }
  }
  return { files: [...new Set(files)], diagnostics };
}
