/** Tokens of one directive to lines with blocks. */
import { onSameLine, type Token } from './tokens.ts';
import type { Line, Position } from './types.ts';

interface OpenLine {
  readonly name: string;
  readonly args: string[];
  block?: Line[];
  readonly position: Position;
}

const isBrace = (token: Token, brace: string): boolean => token.text === brace && !token.quoted;

/** Braces are balanced already. A brace belongs to the line before it, wherever it stands. */
export function linesOf(tokens: readonly Token[]): Line[] {
  const top: Line[] = [];
  const stack: Line[][] = [top];
  let line: OpenLine | undefined;
  let before: Token | undefined;
  for (const token of tokens) {
    const sameLine = before !== undefined && onSameLine(before, token);
    if (isBrace(token, '}')) {
      if (stack.length > 1) stack.pop();
      line = undefined;
    } else if (isBrace(token, '{')) {
      const owner = line ?? (stack.at(-1)!.at(-1) as OpenLine | undefined);
      const block: Line[] = owner?.block ?? [];
      if (owner) owner.block = block;
      stack.push(block);
      line = undefined;
    } else if (line && sameLine) line.args.push(token.text);
    else {
      line = { name: token.text, args: [], position: token.position };
      stack.at(-1)!.push(line);
    }
    before = token;
  }
  return top;
}
