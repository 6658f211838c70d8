/**
 * Notices edits below a set of paths. Folders are watched, not files, so that editors which replace a file are followed
 * too; every event is passed on, since one that is held back for calm may be the last (docs/decisions/0004).
 */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { isManifestName } from './files.ts';

export interface FileWatch {
  close(): void;
}

export interface FileWatchOptions {
  paths: readonly string[];
  /** A file may have been added, changed or removed. Called often; the caller gathers. */
  onTouched(file: string): void;
  /** A folder went away with all that it held. */
  onFolderGone(folder: string): void;
  onError(error: unknown, path: string): void;
}

/** Resolves when every folder is being watched. Paths that do not exist are left out. */
export async function watchPaths(options: FileWatchOptions): Promise<FileWatch> {
  const watchers = new Map<string, FSWatcher>();
  let closed = false;

  function open(folder: string, wanted: (name: string) => boolean, onName: (path: string, name: string) => void): void {
    if (closed || watchers.has(folder)) return;
    const watcher = watch(folder, (_event, name) => {
      if (name !== null && wanted(name)) onName(join(folder, name), name);
    });
    watcher.on('error', (error) => options.onError(error, folder));
    watchers.set(folder, watcher);
  }

  /** A name in a watched folder: a manifest, a folder that came or went, or the link that a mounted ConfigMap is swapped by. */
  async function touched(path: string, name: string): Promise<void> {
    if (name.startsWith('..')) return rescan(dirname(path));
    if (name.startsWith('.')) return;
    if (isManifestName(name)) return options.onTouched(path);
    const info = await stat(path).catch(() => undefined);
    if (info?.isDirectory()) return follow(path, true);
    if (!info && watchers.has(path)) {
      watchers.get(path)!.close();
      watchers.delete(path);
      options.onFolderGone(path);
    }
  }

  async function rescan(folder: string): Promise<void> {
    for (const name of await readdir(folder)) if (isManifestName(name)) options.onTouched(join(folder, name));
  }

  async function follow(folder: string, announce: boolean): Promise<void> {
    open(
      folder,
      () => true,
      (path, name) => {
        touched(path, name).catch((error) => options.onError(error, path));
      },
    );
    for (const item of await readdir(folder, { withFileTypes: true })) {
      if (item.name.startsWith('.') || item.name === 'node_modules') continue;
      const path = join(folder, item.name);
      if (item.isDirectory()) await follow(path, announce);
      else if (announce && isManifestName(item.name)) options.onTouched(path);
    }
  }

  for (const path of options.paths) {
    const info = await stat(path).catch(() => undefined);
    if (info?.isDirectory()) await follow(normalize(path), false);
    else if (info) {
      const name = basename(path);
      open(
        dirname(path),
        (other) => other === name || other.startsWith('..'),
        () => options.onTouched(normalize(path)),
      );
    }
  }
  return {
    close() {
      closed = true;
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}
