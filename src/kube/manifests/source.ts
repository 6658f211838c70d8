/**
 * Manifests on disk as a source of objects: loaded at the start, watched afterwards. A changed file is read alone and
 * only its objects are written. What a broken file held before stays in force.
 */

import { readFile, stat } from 'node:fs/promises';
import { blank } from '../../base/blank.ts';
import { type Diagnostic, diagnostic, type ObjectRef, type Position } from '../../base/diagnostics/index.ts';
import { equalJson, type FieldError, type ObjectApi } from '../objects.ts';
import { keyOf, refOf, storageName } from '../resources.ts';
import type { Unstructured } from '../types/index.ts';
import { findManifests } from './files.ts';
import { withLastApplied } from './last-applied.ts';
import { mergeThreeWay } from './merge.ts';
import { type ManifestObject, manifestKey, parseManifest } from './parse.ts';
import { type FileWatch, watchPaths } from './watch.ts';

export interface ManifestSourceOptions {
  /** Files and folders; `-` stands for `stdin`. */
  paths: readonly string[];
  /** Text of standard input, when `-` is among the paths. */
  stdin?: string;
  objects: ObjectApi;
  /** Larger files are refused. Bytes; default 16 MiB. */
  maxFileBytes?: number;
  /** Namespace of namespaced objects that name none. Default `default`. */
  namespace?: string;
}

export interface ManifestReport {
  readonly files: readonly string[];
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ManifestSource {
  /** Reads everything and writes it through the object API. */
  load(): Promise<ManifestReport>;
  /**
   * Follows the files; each report covers one burst of edits and comes with the time at which it was noticed
   * (`performance.now()`). Resolves when edits are being noticed.
   */
  watch(onReport: (report: ManifestReport, noticed: number) => void | Promise<void>): Promise<void>;
  /** Where a field of an object stands in its file; undefined for objects that are in none. */
  position(ref: ObjectRef, fieldPath: string): Position | undefined;
  /** By identity, whether positions of an object may have changed; `revision` changes whenever those of any object may have. */
  readonly placements: { readonly revision: number; of(ref: ObjectRef): unknown };
  /** Findings in force now, over all files. */
  diagnostics(): Diagnostic[];
  close(): Promise<void>;
}

/** What is known of one file: its good objects, and what was wrong when it was last read. */
interface FileState {
  objects: Map<string, ManifestObject>;
  diagnostics: Diagnostic[];
}

/** Kinds that others lean on are written first. */
const order = [
  'CustomResourceDefinition',
  'Namespace',
  'GatewayClass',
  'IngressClass',
  'ConfigMap',
  'Secret',
  'Service',
];
const rank = (object: Unstructured) => {
  const index = order.indexOf(object.kind);
  return index < 0 ? order.length : index;
};

/** Milliseconds to wait for the content of a file that was just truncated, before it is believed to be empty. */
const truncationGrace = 25;

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function errorText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

export function createManifestSource(options: ManifestSourceOptions): ManifestSource {
  const { objects } = options;
  const maxFileBytes = options.maxFileBytes ?? 16 * 1024 * 1024;
  const files = new Map<string, FileState>();
  /** By manifest key: which file it comes from and what was last written for it. */
  const applied = new Map<
    string,
    { file: string; manifest: ManifestObject; written?: Unstructured; diagnostics: Diagnostic[] }
  >();
  const manifestOf = (ref: ObjectRef) =>
    applied.get(`${ref.apiVersion} ${ref.kind} ${ref.namespace ?? ''}/${ref.name}`)?.manifest;
  let pathDiagnostics: readonly Diagnostic[] = [];
  /** Counts the times at which objects were read anew. */
  let revision = 0;
  let watcher: FileWatch | undefined;
  /** Reading is asynchronous: one burst of edits is read and written before the next. */
  let busy: Promise<void> = Promise.resolve();

  async function readText(file: string): Promise<{ text: string } | { problem: Diagnostic }> {
    const position = { file, line: 1, column: 1 };
    if (file === '-') return { text: options.stdin ?? '' };
    try {
      const { size } = await stat(file);
      if (size > maxFileBytes)
        return {
          problem: diagnostic('FW1004', {
            message: `the file has ${size} bytes, the limit is ${maxFileBytes}`,
            position,
          }),
        };
      const text = await readFile(file, 'utf8');
      // Most editors truncate and then write: an empty file that held something is given a moment.
      if (text !== '' || !files.get(file)?.objects.size) return { text };
      await new Promise((resume) => setTimeout(resume, truncationGrace));
      return { text: await readFile(file, 'utf8') };
    } catch (cause) {
      return { problem: diagnostic('FW1005', { message: errorText(cause), position }) };
    }
  }

  /** Gives namespaced objects their namespace, so that identity does not depend on whether the file spells it out. */
  function place(manifest: ManifestObject): ManifestObject {
    const { object } = manifest;
    const resource = objects.registry.ofKind(object.apiVersion, object.kind);
    if (!resource?.namespaced || object.metadata.namespace) return manifest;
    const metadata = { ...blank, ...object.metadata, namespace: options.namespace ?? 'default' };
    const placed = { ...blank, ...object, metadata };
    return { ...manifest, object: placed };
  }

  async function readInto(file: string): Promise<void> {
    const read = await readText(file);
    const before = files.get(file);
    if ('problem' in read) {
      files.set(file, { objects: before?.objects ?? new Map(), diagnostics: [read.problem] });
      return;
    }
    if (Buffer.byteLength(read.text) > maxFileBytes) {
      const message = `standard input is larger than ${maxFileBytes} bytes`;
      files.set(file, {
        objects: new Map(),
        diagnostics: [diagnostic('FW1004', { message, position: { file, line: 1, column: 1 } })],
      });
      return;
    }
    const parsed = parseManifest(file, read.text);
    const found = new Map<string, ManifestObject>();
    const diagnostics = [...parsed.diagnostics];
    for (const manifest of parsed.objects.map(place)) {
      const key = manifestKey(manifest.object);
      if (found.has(key)) diagnostics.push(duplicate(manifest, file));
      found.set(key, manifest);
    }
    const broken = parsed.diagnostics.some((d) => d.severity === 'error');
    // Which object a broken document held is unknown, so none that the file held before is taken away.
    if (broken && before) for (const [key, manifest] of before.objects) if (!found.has(key)) found.set(key, manifest);
    files.set(file, { objects: found, diagnostics });
  }

  function duplicate(manifest: ManifestObject, other: string): Diagnostic {
    return diagnostic('FW1007', {
      message: `also defined in ${other}`,
      object: refOf(manifest.object),
      position: manifest.positionOf(''),
    });
  }

  /** What all files together want, later files over earlier ones. */
  function wanted(): Map<string, { file: string; manifest: ManifestObject }> {
    const all = new Map<string, { file: string; manifest: ManifestObject }>();
    for (const [file, state] of files) for (const [key, manifest] of state.objects) all.set(key, { file, manifest });
    return all;
  }

  function duplicatesAcrossFiles(): Diagnostic[] {
    const seen = new Map<string, string>();
    const found: Diagnostic[] = [];
    for (const [file, state] of files) {
      for (const [key, manifest] of state.objects) {
        const other = seen.get(key);
        if (other) found.push(duplicate(manifest, other));
        seen.set(key, file);
      }
    }
    return found;
  }

  function refused(manifest: ManifestObject, errors: readonly FieldError[] | undefined, message: string): Diagnostic[] {
    const object = refOf(manifest.object);
    if (!errors?.length) return [diagnostic('FW1003', { message, object, position: manifest.positionOf('') })];
    return errors.map((error) =>
      diagnostic('FW1003', {
        message: error.message,
        object,
        ...(error.field && { fieldPath: error.field }),
        position: manifest.positionOf(error.field),
      }),
    );
  }

  function warned(manifest: ManifestObject, warnings: readonly string[]): Diagnostic[] {
    const object = refOf(manifest.object);
    return warnings.map((message) => diagnostic('FW1011', { message, object, position: manifest.positionOf('') }));
  }

  /** Writes one object; the outcome is remembered so that an unchanged file is not written again. */
  function write(key: string, file: string, manifest: ManifestObject): 'created' | 'updated' | 'unchanged' {
    const { object } = manifest;
    const before = applied.get(key);
    const last = before?.written;
    const resource = objects.registry.ofKind(object.apiVersion, object.kind);
    if (!resource) {
      applied.set(key, { file, manifest, diagnostics: [] });
      return 'unchanged';
    }
    const live = objects.store.get<Unstructured>(storageName(resource), keyOf(object));
    if (live && last && equalJson(last, object)) {
      applied.set(key, { ...before!, file, manifest });
      return 'unchanged';
    }
    const { status: _status, ...desired } = withLastApplied(object);
    const next = live ? (mergeThreeWay(last, live, desired) as Unstructured) : (desired as Unstructured);
    const result = live
      ? objects.update({
          ...blank,
          ...next,
          metadata: { ...blank, ...next.metadata, resourceVersion: undefined },
        } as Unstructured)
      : objects.create({
          ...blank,
          ...next,
          metadata: { ...blank, ...next.metadata, resourceVersion: undefined, uid: undefined },
        } as Unstructured);
    if (!result.ok) {
      applied.set(key, {
        file,
        manifest,
        ...(last && { written: last }),
        diagnostics: refused(manifest, result.error.causes, result.error.message),
      });
      return 'unchanged';
    }
    applied.set(key, { file, manifest, written: object, diagnostics: warned(manifest, result.value.warnings) });
    return live ? 'updated' : 'created';
  }

  function remove(key: string): boolean {
    const entry = applied.get(key);
    applied.delete(key);
    if (!entry?.written) return false;
    const { object } = entry.manifest;
    const resource = objects.registry.ofKind(object.apiVersion, object.kind);
    return resource !== undefined && objects.delete(storageName(resource), keyOf(object)).ok;
  }

  function apply(touched: readonly string[]): ManifestReport {
    revision++;
    const all = wanted();
    const tally = { created: 0, updated: 0, deleted: 0, unchanged: 0 };
    for (const key of [...applied.keys()]) if (!all.has(key) && remove(key)) tally.deleted++;
    const changed = [...all].filter(
      ([key, { manifest }]) =>
        applied.get(key)?.manifest !== manifest ||
        !objects.registry.ofKind(manifest.object.apiVersion, manifest.object.kind),
    );
    changed.sort(([, a], [, b]) => rank(a.manifest.object) - rank(b.manifest.object));
    for (const [key, { file, manifest }] of changed) tally[write(key, file, manifest)]++;
    const { created, updated, deleted } = tally;
    return { files: touched, created, updated, deleted, diagnostics: allDiagnostics() };
  }

  function skippedKinds(): Diagnostic[] {
    const byKind = new Map<string, ManifestObject[]>();
    for (const { manifest } of applied.values()) {
      const { apiVersion, kind } = manifest.object;
      if (objects.registry.ofKind(apiVersion, kind)) continue;
      const id = `${kind} (${apiVersion})`;
      byKind.set(id, [...(byKind.get(id) ?? []), manifest]);
    }
    return [...byKind].map(([id, manifests]) => {
      const names = manifests.map(({ object }) => object.metadata.name);
      const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
      return diagnostic('FW1002', {
        message: `skipped ${names.length} of unknown kind ${id}: ${shown}`,
        position: manifests[0]!.positionOf(''),
      });
    });
  }

  /** Findings about what the files hold, which last until they are read anew or other kinds are known. */
  let found: { readonly revision: number; readonly kinds: number; readonly diagnostics: Diagnostic[] } | undefined;

  function allDiagnostics(): Diagnostic[] {
    const kinds = objects.store.changedAt('customresourcedefinitions.apiextensions.k8s.io');
    if (found?.revision !== revision || found.kinds !== kinds)
      found = { revision, kinds, diagnostics: fileDiagnostics() };
    return [...pathDiagnostics, ...found.diagnostics];
  }

  function fileDiagnostics(): Diagnostic[] {
    return [
      ...[...files.values()].flatMap((state) => state.diagnostics),
      ...duplicatesAcrossFiles(),
      ...[...applied.values()].flatMap((entry) => entry.diagnostics),
      ...skippedKinds(),
    ];
  }

  return {
    async load() {
      const found = await findManifests(options.paths.filter((path) => path !== '-'));
      pathDiagnostics = found.diagnostics;
      const names = [...found.files, ...(options.paths.includes('-') ? ['-'] : [])];
      await Promise.all(names.map(readInto));
      // Reading runs side by side; the order of files decides who wins, so it is put right here.
      const read = new Map(names.map((name) => [name, files.get(name)!]));
      files.clear();
      for (const [name, state] of read) files.set(name, state);
      return apply(names);
    },

    async watch(onReport) {
      const pending = new Set<string>();
      let scheduled = false;
      let noticed = 0;

      async function flush(): Promise<void> {
        scheduled = false;
        const since = noticed;
        const touched = [...pending];
        pending.clear();
        for (const file of touched) {
          if (await exists(file)) await readInto(file);
          else files.delete(file);
        }
        if (touched.length > 0) await onReport(apply(touched), since);
      }

      const note = (file: string) => {
        pending.add(file);
        if (scheduled) return;
        scheduled = true;
        noticed = performance.now();
        // Editors write in several steps: a turn of ten milliseconds gathers them.
        setTimeout(() => {
          busy = busy.then(flush);
        }, 10);
      };

      watcher = await watchPaths({
        paths: options.paths.filter((path) => path !== '-'),
        onTouched: note,
        onFolderGone: (folder) => {
          for (const file of files.keys()) if (file.startsWith(`${folder}/`)) note(file);
        },
        onError: (error, path) => {
          pathDiagnostics = [
            ...pathDiagnostics,
            diagnostic('FW1005', { message: errorText(error), position: { file: path, line: 1, column: 1 } }),
          ];
        },
      });
    },

    position: (ref, fieldPath) => manifestOf(ref)?.positionOf(fieldPath),
    placements: {
      get revision() {
        return revision;
      },
      of: manifestOf,
    },

    diagnostics: allDiagnostics,
    close: async () => {
      watcher?.close();
      await busy;
    },
  };
}
