/**
 * Routes of one virtual host by what their path says. A compressed trie answers exact, prefix and string-prefix paths
 * in one walk along the request's path, so that the cost depends on that path and not on the number of routes.
 */
import type { PathMatch } from '../plan/plan.ts';
import { patternStart } from './pattern-start.ts';

const slash = 47;

interface Node {
  /** Text between the parent and this node; '' for the root. */
  label: string;
  children: Node[];
  /** Route numbers, ascending; undefined while there are none. */
  exact: number[] | undefined;
  prefix: number[] | undefined;
  stringPrefix: number[] | undefined;
}

const slots: Record<PathMatch['type'], 'exact' | 'prefix' | 'stringPrefix'> = {
  exact: 'exact',
  prefix: 'prefix',
  'string-prefix': 'stringPrefix',
  // By the text that it begins with; the rest is one of the route's checks.
  regex: 'stringPrefix',
};

/** Lists of route numbers, each ascending: a buffer that is used again for every request. */
export interface Candidates {
  readonly lists: (readonly number[])[];
  /** How far each list has been read. */
  readonly cursors: number[];
  /** How many lists count; what lies beyond is left over from earlier requests. */
  count: number;
}

export function createCandidates(): Candidates {
  return { lists: [], cursors: [], count: 0 };
}

function add(candidates: Candidates, list: readonly number[]): void {
  candidates.lists[candidates.count] = list;
  candidates.cursors[candidates.count] = 0;
  candidates.count++;
}

export interface PathIndex {
  /**
   * Adds the lists of routes whose path matches. Routes with a regex path are among them when the path begins as all that
   * matches their pattern does: the pattern itself is one of their checks.
   */
  collect(path: string, into: Candidates): void;
}

/** `paths`: of the routes, in their order. */
export function createPathIndex(paths: readonly (PathMatch | undefined)[]): PathIndex {
  const root = createNode('');
  /** For routes that ignore case; ASCII letters only. */
  let folded: Node | undefined;
  const always: number[] = [];
  paths.forEach((path, number) => {
    const start = path && pathKey(path);
    if (!path || (path.type === 'regex' && start === '')) {
      always.push(number);
      return;
    }
    if (path.ignoreCase) folded ??= createNode('');
    const trie = path.ignoreCase ? folded! : root;
    const key = path.ignoreCase ? foldCase(start!) : start!;
    const node = insert(trie, key);
    const slot = slots[path.type];
    node[slot] ??= [];
    node[slot].push(number);
  });
  return {
    collect(path, into) {
      walk(root, path, into);
      if (folded) walk(folded, foldCase(path), into);
      if (always.length > 0) add(into, always);
    },
  };
}

/** How many characters of a request's path the match of a route covers; undefined where that is no fixed number. */
export function matchedLength(path: PathMatch | undefined): number | undefined {
  return path === undefined || path.type === 'regex' ? undefined : pathKey(path).length;
}

/** The text that a path must begin with; a trailing slash of a prefix does not count. */
function pathKey({ type, value }: PathMatch): string {
  if (type === 'regex') return patternStart(value).text;
  return type === 'prefix' && value.endsWith('/') ? value.slice(0, -1) : value;
}

function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function createNode(label: string): Node {
  return { label, children: [], exact: undefined, prefix: undefined, stringPrefix: undefined };
}

/** Children differ in their first character, so there are never more of them than characters in use. */
function childAt(node: Node, code: number): Node | undefined {
  const { children } = node;
  for (let i = 0; i < children.length; i++) {
    const child = children[i]!;
    if (child.label.charCodeAt(0) === code) return child;
  }
  return undefined;
}

function insert(root: Node, key: string): Node {
  let node = root;
  for (let at = 0; at < key.length; ) {
    const child = childAt(node, key.charCodeAt(at));
    if (!child) {
      const leaf = createNode(key.slice(at));
      node.children.push(leaf);
      return leaf;
    }
    const shared = sharedLength(child.label, key, at);
    node = shared === child.label.length ? child : split(node, child, shared);
    at += shared;
  }
  return node;
}

function sharedLength(label: string, key: string, at: number): number {
  let length = 1;
  while (length < label.length && label.charCodeAt(length) === key.charCodeAt(at + length)) length++;
  return length;
}

/** Puts a node between a parent and its child, at `length` characters into the child's label. */
function split(parent: Node, child: Node, length: number): Node {
  const upper = createNode(child.label.slice(0, length));
  upper.children.push(child);
  parent.children[parent.children.indexOf(child)] = upper;
  child.label = child.label.slice(length);
  return upper;
}

function walk(root: Node, path: string, into: Candidates): void {
  let at = 0;
  for (let node: Node | undefined = root; node; ) {
    if (node.stringPrefix) add(into, node.stringPrefix);
    if (node.prefix && (at === path.length || path.charCodeAt(at) === slash)) add(into, node.prefix);
    if (at === path.length) {
      if (node.exact) add(into, node.exact);
      return;
    }
    node = childAt(node, path.charCodeAt(at));
    if (!node || !path.startsWith(node.label, at)) return;
    at += node.label.length;
  }
}
