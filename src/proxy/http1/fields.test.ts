import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addField,
  areNamesOf,
  createFields,
  type Fields,
  fieldNames,
  keepNames,
  removeField,
  scanText,
  setField,
  writeFields,
} from './fields.ts';

function fieldsOf(text: string): Fields {
  const fields = createFields(32);
  expect(scanText(fields, `${text}\r\n`)).toBeGreaterThan(0);
  return fields;
}

const words = Uint8Array.from({ length: 256 }, (_, code) => (/[A-Za-z-]/.test(String.fromCharCode(code)) ? 1 : 0));

describe('names of fields', () => {
  it('keep those that are made of the wanted characters alone, of lines that came and of lines that were added', () => {
    const fields = fieldsOf('a-b: 1\r\nA-b: 2\r\nc_d: 3\r\ne: 4\r\n');
    addField(fields, 'x-y', '5');
    addField(fields, 'x_y', '6');
    expect(areNamesOf(fields, words)).toBe(false);
    keepNames(fields, words);
    expect(writeFields(fields)).toBe('a-b: 1\r\nA-b: 2\r\ne: 4\r\nx-y: 5\r\n');
    expect(areNamesOf(fields, words)).toBe(true);
  });

  it('are judged by the lines to forward only', () => {
    const fields = fieldsOf('a: 1\r\nc_d: 3\r\n');
    removeField(fields, 'c_d');
    expect(areNamesOf(fields, words)).toBe(true);
    addField(fields, 'C_d', '2');
    expect(areNamesOf(fields, words)).toBe(false);
  });
});

describe('changes of fields', () => {
  const name = fc.constantFrom(
    'Host',
    'x-a',
    'X-A',
    'X_A',
    'x-forwarded-for',
    'X_Forwarded_For',
    'Date',
    'constructor',
  );
  const change = fc.record({
    kind: fc.constantFrom('set', 'add', 'remove', 'keep'),
    name,
    value: fc.constantFrom('1', '2'),
  });

  it('are those of a list of pairs', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), fc.array(change, { maxLength: 8 }), (given, changes) => {
        const fields = fieldsOf(given.map((one, i) => `${one}: v${i}\r\n`).join(''));
        let pairs = given.map((one, i): readonly [string, string] => [one, `v${i}`]);
        const others = (lowerName: string) => pairs.filter(([one]) => one.toLowerCase() !== lowerName);
        for (const { kind, name: one, value } of changes) {
          const lowerName = one.toLowerCase();
          if (kind === 'add') pairs.push([one, value]);
          else if (kind === 'remove') pairs = others(lowerName);
          else if (kind === 'set') pairs = [...others(lowerName), [one, value]];
          else pairs = pairs.filter(([kept]) => /^[A-Za-z-]+$/.test(kept));
          if (kind === 'add') addField(fields, one, value);
          else if (kind === 'remove') removeField(fields, lowerName);
          else if (kind === 'set') setField(fields, one, value, lowerName);
          else keepNames(fields, words);
        }
        expect(writeFields(fields)).toBe(pairs.map(([one, value]) => `${one}: ${value}\r\n`).join(''));
        expect(fieldNames(fields)).toEqual(pairs.map(([one]) => one));
      }),
    );
  });
});
