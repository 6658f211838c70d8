/**
 * The Corefile grammar (corefile(5); the Caddyfile parser that CoreDNS uses): server blocks, snippets, imports,
 * environment variables. Which directives exist is asked, not known here.
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { checkPattern, filesMatching, isPattern } from './glob.ts';
import { linesOf } from './lines.ts';
import { expandEnvironment, onSameLine, type Token, tokenize } from './tokens.ts';
import type { Corefile, CorefileError, Directive, Key, Position, ServerBlock } from './types.ts';

export interface ParseOptions {
  /** Name of the Corefile; imports are relative to it. */
  file: string;
  /** Why a directive cannot be used; undefined when it can. */
  checkDirective?: (name: string) => string | undefined;
  /** Default `process.env`. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** Times that a snippet may be imported, over all. Default 10,000. */
  maxSnippetImports?: number;
  /** Times that a file may be imported, over all. Default 10,000. */
  maxFileImports?: number;
  /** Tokens in all, imported ones included. Default 100,000. */
  maxTokens?: number;
}

/** What ends the reading of a Corefile; never leaves this file. */
class Refused extends Error {
  readonly position: Position;

  constructor(message: string, position: Position) {
    super(message);
    this.position = position;
  }
}

const wantedBrace = "Unexpected end of file, expected '}'";

interface Reader {
  tokens: Token[];
  /** Of the token in hand; -1 before the first. */
  at: number;
  readonly snippets: Map<string, Token[]>;
  readonly sources: Map<string, string>;
  readonly warnings: CorefileError[];
  snippetImports: number;
  fileImports: number;
}

/** `(name)` as the only key makes a block a snippet. */
function snippetName(keys: readonly Key[]): string | undefined {
  const [first] = keys;
  return keys.length === 1 && first!.text.startsWith('(') && first!.text.endsWith(')')
    ? first!.text.slice(1, -1)
    : undefined;
}

function createParser(options: Required<ParseOptions>, text: string) {
  const reader: Reader = {
    tokens: tokenize(text, options.file),
    at: -1,
    snippets: new Map(),
    sources: new Map([[options.file, text]]),
    warnings: [],
    snippetImports: 0,
    fileImports: 0,
  };
  const expand = (value: string) => expandEnvironment(value, options.environment);
  const current = (): Token | undefined => reader.tokens[reader.at];
  const place = (): Position =>
    (current() ?? reader.tokens.at(-1))?.position ?? { file: options.file, line: 1, column: 1 };
  const fail = (message: string, at: Position = place()): never => {
    throw new Refused(message, at);
  };

  function next(): boolean {
    if (reader.at < reader.tokens.length) reader.at++;
    return reader.at < reader.tokens.length;
  }

  function isNewLine(): boolean {
    const before = reader.tokens[reader.at - 1];
    return before === undefined || !onSameLine(before, current()!);
  }

  const isBrace = (brace: '{' | '}'): boolean => current()?.text === brace && !current()!.quoted;

  function importedFiles(pattern: string, at: Position): string[] {
    const path = isAbsolute(pattern) ? pattern : join(dirname(resolve(at.file)), pattern);
    const wrong = checkPattern(path);
    if (wrong) fail(wrong, at);
    const files = filesMatching(path);
    if (files.length > 0) return files;
    if (!isPattern(path)) fail(`File to import not found: ${pattern}`, at);
    reader.warnings.push({ message: `No files matching import glob pattern: ${pattern}`, position: at });
    return [];
  }

  function readImport(file: string, at: Position): Token[] {
    if (++reader.fileImports > options.maxFileImports)
      fail(`more than ${options.maxFileImports} file imports: does ${file} import itself?`, at);
    try {
      const content = reader.sources.get(file) ?? readFileSync(file, 'utf8');
      reader.sources.set(file, content);
      return tokenize(content, file);
    } catch (error) {
      return fail(`Could not import ${file}: ${error instanceof Error ? error.message : String(error)}`, at);
    }
  }

  function importedTokens(pattern: string, at: Position): Token[] {
    const snippet = reader.snippets.get(pattern);
    if (!snippet) return importedFiles(pattern, at).flatMap((file) => readImport(file, at));
    if (++reader.snippetImports > options.maxSnippetImports)
      fail(`more than ${options.maxSnippetImports} snippet imports: does ${pattern} import itself?`, at);
    return snippet;
  }

  /** Puts what is imported in place of the `import` in hand; the token before it is in hand afterwards. */
  function doImport(): void {
    const at = place();
    const start = reader.at;
    const words: Token[] = [];
    for (let i = start + 1; i < reader.tokens.length && onSameLine(reader.tokens[i - 1]!, reader.tokens[i]!); i++)
      words.push(reader.tokens[i]!);
    if (words.length === 0) fail("Wrong argument count or unexpected line ending after 'import'", at);
    if (words.length > 1) fail('Import takes only one argument (glob pattern or file)', at);
    const pattern = expand(words[0]!.text);
    if (pattern === '') fail('Import requires a non-empty filepath', at);
    const imported = importedTokens(pattern, at);
    if (reader.tokens.length + imported.length > options.maxTokens)
      fail(`the Corefile has more than ${options.maxTokens} tokens`, at);
    reader.tokens = [...reader.tokens.slice(0, start), ...imported, ...reader.tokens.slice(start + 2)];
    reader.at = start - 1;
  }

  /** Keys up to the brace or the end of the line; a comma lets them go on in the next one. */
  function keys(): Key[] {
    const found: Key[] = [];
    let expecting = false;
    for (;;) {
      const token = current();
      if (!token) {
        if (expecting) fail('Unexpected end of file, expected another address');
        return found;
      }
      const text = expand(token.text);
      if (text === 'import' && isNewLine()) {
        doImport();
        next();
        continue;
      }
      if (isBrace('}')) fail("Unexpected '}' because no matching opening brace");
      if (text === '{' && !token.quoted) {
        if (expecting) fail("Expected another address but had '{' - check for extra comma");
        return found;
      }
      expecting = text.endsWith(',');
      for (const part of text.split(',')) if (part !== '') found.push({ text: part, position: token.position });
      if (!next()) continue;
      if (!expecting && isNewLine()) return found;
    }
  }

  function snippetTokens(): Token[] {
    const tokens: Token[] = [];
    if (!isBrace('{')) fail("snippets need braces: '{' after the name");
    let depth = 1;
    while (next()) {
      if (isBrace('{')) depth++;
      if (isBrace('}') && --depth === 0) return tokens;
      tokens.push(current()!);
    }
    return fail(wantedBrace);
  }

  function defineSnippet(name: string, keyList: readonly Key[]): void {
    const at = keyList[0]!.position;
    if (reader.snippets.has(name)) fail(`redeclaration of previously declared snippet ${name}`, at);
    const tokens = snippetTokens();
    const importsItself = tokens.some((token, i) => token.text === 'import' && tokens[i + 1]?.text === name);
    if (importsItself) fail(`snippet ${name} imports itself`, at);
    reader.snippets.set(name, tokens);
  }

  /** One directive with its block: ends before the next line that stands outside of braces. */
  function directive(): Directive {
    const first = { ...current()!, text: expand(current()!.text) };
    const refused = options.checkDirective(first.text);
    if (refused) fail(refused);
    const tokens: Token[] = [first];
    let depth = 0;
    while (next()) {
      if (isBrace('{')) depth++;
      else if (isNewLine() && depth === 0) {
        reader.at--;
        break;
      } else if (isBrace('}') && depth > 0) depth--;
      else if (isBrace('}')) fail("Unexpected '}' because no matching opening brace");
      else if (current()!.text === 'import' && !current()!.quoted && isNewLine()) {
        doImport();
        continue;
      }
      tokens.push({ ...current()!, text: expand(current()!.text) });
    }
    if (depth > 0) fail(wantedBrace, first.position);
    return linesOf(tokens)[0]!;
  }

  function directives(braced: boolean, start: Position): Directive[] {
    const found: Directive[] = [];
    while (next()) {
      if (isBrace('}')) {
        if (!braced) fail("Unexpected '}' because no matching opening brace");
        return found;
      }
      if (current()!.text === 'import' && !current()!.quoted) doImport();
      else found.push(directive());
    }
    if (braced) fail(wantedBrace, start);
    return found;
  }

  function block(): ServerBlock | undefined {
    const start = place();
    const keyList = keys();
    const name = snippetName(keyList);
    if (name !== undefined) {
      defineSnippet(name, keyList);
      return undefined;
    }
    if (!current()) return keyList.length > 0 ? { keys: keyList, directives: [], position: start } : undefined;
    const braced = isBrace('{');
    if (keyList.length === 0) fail("a server block needs a zone before '{'");
    if (!braced) reader.at--;
    return { keys: keyList, directives: directives(braced, start), position: start };
  }

  return {
    parse(): Corefile {
      const blocks: ServerBlock[] = [];
      while (next()) {
        const found = block();
        if (found) blocks.push(found);
      }
      return { blocks, warnings: reader.warnings, sources: reader.sources };
    },
  };
}

/** Parses a Corefile. The error is the first thing wrong, with its place. */
export function parseCorefile(text: string, options: ParseOptions): Result<Corefile, CorefileError> {
  const all: Required<ParseOptions> = {
    checkDirective: () => undefined,
    environment: process.env,
    maxSnippetImports: 10_000,
    maxFileImports: 10_000,
    maxTokens: 100_000,
    ...options,
  };
  try {
    return ok(createParser(all, text).parse());
  } catch (error) {
    if (error instanceof Refused) return err({ message: error.message, position: error.position });
    throw error;
  }
}
