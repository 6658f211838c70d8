/** Secret and ConfigMap. */
import { equalJson } from '../../objects.ts';
import type { ConfigMap, Secret, Unstructured } from '../../types/index.ts';
import { type FaultList, forbidden, invalid, report, required, tooLong } from '../fields.ts';
import { checkConfigKey, reportIf, reportImmutable } from './checks.ts';
import { type Change, type CoreKind, flag, object, or, text, textMap } from './kind.ts';

/** Most bytes of the data of one object (core/v1 `MaxSecretSize`). */
const sizeLimit = 1024 * 1024;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Go's decoder passes over line breaks, which YAML blocks bring. */
function isBase64(value: string): boolean {
  const packed = value.replace(/[\r\n]/g, '');
  return packed.length % 4 === 0 && BASE64.test(packed);
}

/** Bytes that base64 text stands for. */
function decodedSize(value: string): number {
  return Buffer.byteLength(value, 'base64');
}

/** Keys that a type of Secret must have. `one of` where a list stands for a choice. */
const neededKeys: Record<string, readonly (readonly string[])[]> = {
  'kubernetes.io/tls': [['tls.crt'], ['tls.key']],
  'kubernetes.io/dockercfg': [['.dockercfg']],
  'kubernetes.io/dockerconfigjson': [['.dockerconfigjson']],
  'kubernetes.io/basic-auth': [['username', 'password']],
  'kubernetes.io/ssh-auth': [['ssh-privatekey']],
};

function validateData(data: Record<string, string>, field: string, faults: FaultList): number {
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    reportIf(faults, `${field}[${key}]`, key, checkConfigKey(key));
    if (isBase64(value)) size += decodedSize(value);
    else
      report(
        faults,
        invalid(`${field}[${key}]`, '<contents not shown>', 'must be base64 (RFC 4648); use stringData for plain text'),
      );
  }
  return size;
}

/** Plain text is stored as data, and wins over data of the same key. */
function foldStringData(secret: Unstructured): Unstructured {
  const { stringData, ...rest } = secret as Unstructured & { stringData?: Record<string, string> };
  if (!stringData) return secret;
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return { ...rest, data: { ...(secret.data as Record<string, string> | undefined), ...Object.fromEntries(encoded) } };
}

function validateSecret(given: Unstructured, { previous }: Change, faults: FaultList): void {
  const { type = '', data = {} } = given as unknown as Secret;
  const size = validateData(data, 'data', faults);
  if (size > sizeLimit) report(faults, tooLong('data', sizeLimit));
  const needed = Object.hasOwn(neededKeys, type) ? neededKeys[type]! : [];
  for (const choice of needed)
    if (!choice.some((key) => Object.hasOwn(data, key))) report(faults, required(`data[${choice[0]}]`));
  if (!previous) return;
  if ((previous as unknown as Secret).type !== type) reportImmutable(faults, 'type', type);
  validateFrozen(given, previous, ['data'], faults);
}

/** Objects with `immutable: true` stay as they are. */
function validateFrozen(
  given: Unstructured,
  previous: Unstructured,
  fields: readonly string[],
  faults: FaultList,
): void {
  if (previous.immutable !== true) return;
  if (given.immutable !== true) report(faults, forbidden('immutable', 'field is immutable when `immutable` is set'));
  for (const field of fields)
    if (!equalJson(given[field], previous[field]))
      report(faults, forbidden(field, 'field is immutable when `immutable` is set'));
}

export const secret: CoreKind = {
  shape: object({ type: or(text, 'Opaque'), data: textMap, stringData: textMap, immutable: flag }),
  defaults: foldStringData,
  validate: validateSecret,
};

function validateConfigMap(given: Unstructured, { previous }: Change, faults: FaultList): void {
  const { data = {}, binaryData = {} } = given as unknown as ConfigMap;
  let size = validateData(binaryData, 'binaryData', faults);
  for (const [key, value] of Object.entries(data)) {
    reportIf(faults, `data[${key}]`, key, checkConfigKey(key));
    if (Object.hasOwn(binaryData, key))
      report(faults, invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += Buffer.byteLength(value);
  }
  if (size > sizeLimit) report(faults, tooLong('', sizeLimit));
  if (previous) validateFrozen(given, previous, ['data', 'binaryData'], faults);
}

export const configMap: CoreKind = {
  shape: object({ data: textMap, binaryData: textMap, immutable: flag }),
  validate: validateConfigMap,
};
