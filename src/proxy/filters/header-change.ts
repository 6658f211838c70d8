/** Header changes of the plan made safe and ready to apply. */
import type { HeaderChange, HeaderPair } from '../../routing/plan/plan.ts';
import { isFieldValue, isToken, toWire, trimSpace } from '../http1/characters.ts';
import { addField, type Fields, removeField, setField } from '../http1/fields.ts';
import type { FilterComplaint } from './types.ts';

/** They describe the connection or the framing, which are this proxy's own on either side. */
export const ownFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Pairs whose name and value can stand in a head, as they go over the wire; the others are complained of. */
function sound(pairs: readonly HeaderPair[], complain: FilterComplaint): readonly HeaderPair[] {
  return pairs.flatMap(([name, value]): HeaderPair[] => {
    if (!isSoundName(name, complain)) return [];
    const bytes = trimSpace(toWire(value));
    if (isFieldValue(bytes)) return [[name, bytes]];
    complain(`the value of header ${name} has control characters`);
    return [];
  });
}

function isSoundName(name: string, complain: FilterComplaint): boolean {
  if (!isToken(name)) {
    complain(`${JSON.stringify(name)} is not a header name`);
    return false;
  }
  if (!ownFields.has(name.toLowerCase())) return true;
  complain(`the header ${name} belongs to the connection and cannot be changed`);
  return false;
}

/** One function that sets, then adds, then removes. */
export function compileHeaderChange(change: HeaderChange, complain: FilterComplaint): (fields: Fields) => void {
  const set = sound(change.set, complain);
  const add = sound(change.add, complain);
  const lowerNames = set.map(([name]) => name.toLowerCase());
  const remove = change.remove.filter((name) => isSoundName(name, complain)).map((name) => name.toLowerCase());
  return (fields) => {
    for (let i = 0; i < set.length; i++) setField(fields, set[i]![0], set[i]![1], lowerNames[i]);
    for (const [name, value] of add) addField(fields, name, value);
    for (const name of remove) removeField(fields, name);
  };
}
