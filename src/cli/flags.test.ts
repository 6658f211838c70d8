import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { collect, formatOf, wholeNumber } from './flags.ts';
import { CommandError } from './output.ts';

describe('values of options', () => {
  it('are whole numbers in their bounds', () => {
    const port = wholeNumber(1, 65_535, 'a port is a number from 1 to 65535');
    expect([port('1'), port('53'), port('65535')]).toEqual([1, 53, 65_535]);
    for (const wrong of ['', '0', '65536', '-1', '5.3', '0x35', '53 ', '1e3', 'NaN', '9'.repeat(30)])
      expect(() => port(wrong), wrong).toThrow(InvalidArgumentError);
    expect(() => wholeNumber(0, Number.POSITIVE_INFINITY, 'no')('9'.repeat(30))).toThrow('no');
  });

  it('are gathered', () => {
    expect(collect('b', collect('a'))).toEqual(['a', 'b']);
  });

  it('name a format of the command, and nothing that all objects have', () => {
    const formats = { table: 1, wide: 2, json: 3 };
    expect(formatOf(formats, 'wide')).toBe(2);
    for (const wrong of ['yaml', '', 'constructor', '__proto__', 'toString'])
      expect(() => formatOf(formats, wrong), wrong).toThrow(`-o takes table, wide or json, not ${wrong}`);
    expect(() => formatOf(formats, 'x')).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(() => formatOf(formats, 'x')).toThrow(CommandError);
  });
});
