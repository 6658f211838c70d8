/** Syntax of label and annotation keys and values (apimachinery `util/validation`), beside the names of base/names.ts. */
import { checkDns1123Subdomain } from '../../base/names.ts';

const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const qualifiedNameHelp =
  "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";

/** `name` or `prefix/name`: keys of labels and annotations, conditions, finalizers. */
export function checkQualifiedName(value: string): string | undefined {
  const parts = value.split('/');
  if (parts.length > 2) return qualifiedNameHelp;
  const name = parts.at(-1)!;
  if (parts.length === 2) {
    if (parts[0] === '') return 'prefix part must be non-empty';
    const fault = checkDns1123Subdomain(parts[0]!);
    if (fault) return `prefix part ${fault}`;
  }
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return 'name part must be no more than 63 characters';
  return NAME_PART.test(name)
    ? undefined
    : `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc')`;
}

export function checkLabelValue(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 characters';
  if (value === '' || NAME_PART.test(value)) return undefined;
  return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345')";
}

/** Names in URL paths without further rules (RBAC). */
export function checkPathSegment(value: string): string | undefined {
  if (value === '.' || value === '..') return `may not be '${value}'`;
  const bad = ['/', '%'].filter((character) => value.includes(character));
  return bad.length > 0 ? bad.map((character) => `may not contain '${character}'`).join(', ') : undefined;
}
