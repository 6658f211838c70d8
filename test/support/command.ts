/** Commands as their users see them, in this process: what they print and how they end. */
import { Command } from 'commander';
import { vi } from 'vitest';
import { defineExplain } from '../../src/cli/explain.ts';
import { defineGet } from '../../src/cli/get.ts';
import { defineLint } from '../../src/cli/lint.ts';
import { CommandError } from '../../src/cli/output.ts';

const commands = { explain: defineExplain, get: defineGet, lint: defineLint } as const;

export interface Told {
  readonly text: string;
  readonly code: number;
}

/** Without colours. Paths are relative to the root of the package. */
export async function fairway(...[name, ...args]: readonly string[]): Promise<Told> {
  let text = '';
  const hear = (chunk: unknown) => {
    text += String(chunk);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(hear));
  process.exitCode = 0;
  try {
    const command = new Command(name).exitOverride();
    commands[name as keyof typeof commands](command);
    await command.parseAsync([...args], { from: 'user' });
    return { text: plain(text), code: Number(process.exitCode) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { text: `fairway: ${error.message}\n`, code: error.exitCode };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
}

const colours = /\u001b\[\d+m/g;
const plain = (text: string) => text.replace(colours, '');
