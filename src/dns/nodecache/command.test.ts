import { describe, expect, it } from 'vitest';
import { complaint, createCommandRunner } from './command.ts';

describe('a tool of the node', () => {
  const node = process.execPath;

  it('gets its input, and gives its output and exit code', async () => {
    const run = createCommandRunner();
    const script =
      "process.stdin.on('data', (d) => process.stdout.write(d)); process.stdin.on('end', () => process.exit(3))";
    expect(await run(node, ['-e', script], 'in')).toEqual({ code: 3, stdout: 'in', stderr: '' });
    expect(complaint(await run(node, ['-e', "console.error('\\nno\\nmore'); process.exit(1)"]))).toBe('no');
    expect(complaint(await run(node, ['-e', 'process.exit(4)']))).toBe('exit code 4');
  });

  it('is not waited for without end, nor listened to', async () => {
    const run = createCommandRunner({ timeoutMs: 300, maxOutput: 1000 });
    expect(await run(node, ['-e', 'setInterval(() => {}, 1000)'])).toMatchObject({
      code: undefined,
      stderr: expect.stringContaining('took longer than 300 ms'),
    });
    const chatty = await run(node, ['-e', "process.stdout.write('x'.repeat(100000)); setInterval(() => {}, 1000)"]);
    expect(chatty.code).toBeUndefined();
    expect(chatty.stdout.length).toBeLessThanOrEqual(1000);
  });

  it('may be missing, or end before it has read its input', async () => {
    const run = createCommandRunner();
    expect(await run('no-such-tool-82', [])).toMatchObject({
      code: undefined,
      stderr: expect.stringContaining('ENOENT'),
    });
    expect(await run(node, ['-e', 'process.exit(0)'], 'x'.repeat(1_000_000))).toMatchObject({ code: 0 });
  });
});
