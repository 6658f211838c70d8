/** The files that an `import` names: one file, or those of one pattern with at most one `*` and one `?`. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export const isPattern = (path: string): boolean => /[*?[\]]/.test(path);

/** What is wrong with a pattern; undefined when it can be used. */
export function checkPattern(path: string): string | undefined {
  const count = (char: string) => path.split(char).length - 1;
  if (count('*') <= 1 && count('?') <= 1 && !(path.includes('[') && path.includes(']'))) return undefined;
  return `Glob pattern may only contain one wildcard, but has others: ${path}`;
}

function namesIn(folder: string): string[] {
  return existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
}

/** `*` and `?` stand for anything but a separator. Names that begin with a dot match like others, as in Go. */
function matcher(pattern: string): RegExp {
  const parts = [...pattern].map((char) => (char === '*' ? '[^/]*' : char === '?' ? '[^/]' : escapeText(char)));
  return new RegExp(`^${parts.join('')}$`);
}

const escapeText = (char: string): string => char.replace(/[\\^$.|()+{}[\]]/g, '\\$&');

/** Existing files that match, sorted by name; the wildcard may stand in a folder's name too. */
export function filesMatching(path: string): string[] {
  if (!/[*?]/.test(path)) return existsSync(path) ? [path] : [];
  const folder = dirname(path);
  const folders = folder === path ? [] : filesMatching(folder);
  const name = basename(path);
  if (!/[*?]/.test(name)) return folders.map((found) => join(found, name)).filter((found) => existsSync(found));
  const wanted = matcher(name);
  return folders.flatMap((found) =>
    namesIn(found)
      .filter((entry) => wanted.test(entry))
      .map((entry) => join(found, entry)),
  );
}
