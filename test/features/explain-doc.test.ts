/**
 * docs/explain.md: its commands print what stands there. `UPDATE_DOCS=1 npx vitest run test/features/explain-doc.test.ts`
 * writes what they print.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { fairway } from '../support/command.ts';

const path = join(packageRoot, 'docs/explain.md');
const page = readFileSync(path, 'utf8');
const transcript = /^```console\n\$ fairway (.*)\n([\s\S]*?)^```/gm;
const examples = [...page.matchAll(transcript)].map(([, command, output]) => ({ command: command!, output: output! }));

const outputOf = async (command: string) => (await fairway(...command.split(' '))).text;

it('has examples of all three commands', () => {
  expect(new Set(examples.map(({ command }) => command.split(' ')[0]))).toEqual(new Set(['explain', 'get', 'lint']));
});

if (process.env['UPDATE_DOCS']) {
  it('writes what the commands print', async () => {
    let text = page;
    for (const { command, output } of examples) {
      const [before, after] = [`$ fairway ${command}\n${output}\`\`\``, `$ fairway ${command}\n`];
      const told = await outputOf(command);
      text = text.replace(before, () => `${after}${told}\`\`\``);
    }
    writeFileSync(path, text);
  });
} else
  it.each(examples)('fairway $command', async ({ command, output }) => {
    expect(await outputOf(command)).toBe(output);
  });
