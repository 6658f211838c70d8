/** Headers that ConfigMaps list, by name. */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Template } from '../../plan/plan.ts';
import { parseTemplate } from '../variables.ts';

export type HeaderList = readonly (readonly [header: string, value: Template])[];

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** Visible characters, blanks and bytes beyond ASCII (RFC 9110 section 5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\uffff]{0,4096}$/;

/** Sorted by name. */
export function headersOf(data: Readonly<Record<string, string>>): Result<HeaderList, string> {
  const list: [string, Template][] = [];
  for (const name of Object.keys(data).sort()) {
    const value = String(data[name]).trim();
    if (!token.test(name)) return err(`${JSON.stringify(name)} is not the name of a header`);
    if (!fieldValue.test(value)) return err(`the value of ${name} cannot stand in a header`);
    const template = parseTemplate(value);
    if (!template.ok) return err(`the value of ${name}: ${template.error}`);
    list.push([name, template.value]);
  }
  return ok(list);
}
