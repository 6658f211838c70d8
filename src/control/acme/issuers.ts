/**
 * Issuers of ours: a ConfigMap with a YAML list under `issuers.yaml`. One that has a fault is left out, and the fault
 * is a finding with its place in the list; the others work.
 */
import { X509Certificate } from 'node:crypto';
import { closestTo } from '../../base/closest.ts';
import { type Diagnostic, diagnostic, type ObjectRef, type Position } from '../../base/diagnostics/index.ts';
import { offsetOfPath, readYaml } from '../../kube/manifests/yaml.ts';
import { refOf } from '../../kube/resources.ts';
import type { ConfigMap } from '../../kube/types/index.ts';
import { issuersKey } from './names.ts';
import { isObject } from './problem.ts';

export type ChallengeKind = 'http-01' | 'dns-01' | 'tls-alpn-01';

/** How names of some zones are proved. */
export interface Solver {
  readonly challenge: ChallengeKind;
  /** The names below these, and these; none: all names. */
  readonly dnsZones: readonly string[];
  /** Pause between a record being written and the server being told, for DNS servers to hear of it. DNS-01 only. */
  readonly propagationMs: number;
}

export interface Issuer {
  readonly name: string;
  /** URL of the server's directory. */
  readonly server: string;
  readonly email?: string;
  readonly binding?: { readonly keyId: string; readonly secret: string; readonly secretKey: string };
  readonly solvers: readonly Solver[];
  /** PEM: trusted for the server, in place of the machine's authorities. */
  readonly ca?: string;
  /** For objects that name none (`kubernetes.io/tls-acme`). */
  readonly isDefault: boolean;
  /** Namespaces whose objects may use it; none: all. */
  readonly namespaces: readonly string[];
}

export interface ReadIssuers {
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly findings: readonly Diagnostic[];
}

type Path = readonly (string | number)[];
type Fields = Readonly<Record<string, unknown>>;
type Complain = (path: Path, message: string) => undefined;

/** Most issuers that are read. */
const maxIssuers = 100;
const defaultPropagationMs = 5000;
const maxPropagationSeconds = 3600;

/** What an issuer may say. */
export const issuerFields: readonly string[] = [
  ...['name', 'server', 'email', 'termsOfServiceAgreed', 'externalAccountBinding', 'solvers', 'caBundle'],
  ...['default', 'namespaces'],
];

const kinds: Readonly<Record<string, ChallengeKind>> = {
  http01: 'http-01',
  dns01: 'dns-01',
  'tls-alpn01': 'tls-alpn-01',
};

/** `position`: where the ConfigMap's field stands in its file, if it came from one. */
export function readIssuers(
  map: ConfigMap,
  position: (object: ObjectRef, fieldPath: string) => Position | undefined,
): ReadIssuers {
  const findings: Diagnostic[] = [];
  const object = refOf(map);
  const text: unknown = map.data?.[issuersKey];
  const place = position(object, `data["${issuersKey}"]`);
  const complainAt = (path: Path, message: string, offset?: number): undefined => {
    const fieldPath = `data["${issuersKey}"]${path.map(segment).join('')}`;
    const line = typeof text === 'string' ? lineOf(text, offset ?? offsetOfPath(text, path)) : undefined;
    const where = line === undefined ? '' : ` (line ${line} of ${issuersKey})`;
    findings.push(
      diagnostic('FW6020', { message: `${message}${where}`, object, fieldPath, ...(place && { position: place }) }),
    );
  };
  const none = { issuers: new Map<string, Issuer>(), findings };
  if (typeof text !== 'string') {
    complainAt([], `the ConfigMap has no key ${issuersKey}`);
    return none;
  }
  const read = readYaml(text);
  if ('fault' in read) {
    complainAt([], read.fault.message, read.fault.offset);
    return none;
  }
  const { value: list = [] } = read;
  if (!Array.isArray(list) || list.length > maxIssuers) {
    complainAt([], `a list of at most ${maxIssuers} issuers is wanted`);
    return none;
  }
  return { issuers: collect(list, complainAt), findings };
}

const segment = (one: string | number) => (typeof one === 'number' ? `[${one}]` : `.${one}`);

const lineOf = (text: string, offset: number) => text.slice(0, offset).split('\n').length;

function collect(list: readonly unknown[], complain: Complain): Map<string, Issuer> {
  const issuers = new Map<string, Issuer>();
  list.forEach((each, index) => {
    const issuer = readIssuer(each, [index], complain);
    if (!issuer) return;
    const other = [...issuers.values()].find(({ isDefault }) => isDefault);
    if (issuers.has(issuer.name)) complain([index, 'name'], `there is an issuer ${issuer.name} already`);
    else if (issuer.isDefault && other) complain([index, 'default'], `the issuer ${other.name} is the default already`);
    else issuers.set(issuer.name, issuer);
  });
  return issuers;
}

function readIssuer(given: unknown, path: Path, complain: Complain): Issuer | undefined {
  if (!isObject(given)) return complain(path, 'an issuer with name and server is wanted');
  let isWhole = true;
  const refuse: Complain = (at, message) => {
    isWhole = false;
    return complain(at, message);
  };
  const within: Complain = (at, message) => refuse([...path, ...at], message);
  for (const key of Object.keys(given)) if (!issuerFields.includes(key)) within([key], unknownField(key, issuerFields));
  const issuer = {
    name: textOf(given, 'name', /^[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?$/, 'a name of an object', within),
    server: readServer(given['server'], within),
    email: readOptional(given, 'email', () => textOf(given, 'email', /^[^\s@<>,]+@[^\s@<>,]+$/, 'an address', within)),
    binding: readOptional(given, 'externalAccountBinding', (value) => readBinding(value, within)),
    solvers: readSolvers(given['solvers'], within),
    ca: readOptional(given, 'caBundle', (value) => readBundle(value, within)),
    isDefault: readFlag(given, 'default', within),
    namespaces: readNames(given['namespaces'], ['namespaces'], within) ?? [],
  };
  if (given['termsOfServiceAgreed'] !== true)
    within(['termsOfServiceAgreed'], 'the terms of service of the server have to be agreed to with true');
  const { name, server, email, binding, ca, ...rest } = issuer;
  if (!isWhole || name === undefined || server === undefined) return undefined;
  return {
    ...rest,
    name,
    server,
    ...(email !== undefined && { email }),
    ...(binding && { binding }),
    ...(ca !== undefined && { ca }),
  };
}

const unknownField = (key: string, known: readonly string[]) => {
  const near = closestTo(key, known);
  return `there is no field ${key}${near ? `; did you mean ${near}?` : `; there are ${known.join(', ')}`}`;
};

function readOptional<T>(given: Fields, key: string, read: (value: unknown) => T | undefined): T | undefined {
  return given[key] === undefined || given[key] === null ? undefined : read(given[key]);
}

function textOf(given: Fields, key: string, pattern: RegExp, wanted: string, complain: Complain, path: Path = []) {
  const value = given[key];
  if (typeof value === 'string' && pattern.test(value)) return value;
  return complain([...path, key], expected(value, wanted));
}

const expected = (value: unknown, wanted: string) =>
  value === undefined ? `${wanted} is wanted` : `${JSON.stringify(value)?.slice(0, 60)} is not ${wanted}`;

function readFlag(given: Fields, key: string, complain: Complain): boolean {
  const value = given[key] ?? false;
  if (typeof value !== 'boolean') complain([key], expected(value, 'true or false'));
  return value === true;
}

function readServer(value: unknown, complain: Complain): string | undefined {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.hash === '') return url.href;
  return complain(['server'], expected(value, 'the https address of a directory'));
}

function readBinding(value: unknown, complain: Complain): Issuer['binding'] {
  const path = ['externalAccountBinding'];
  if (!isObject(value)) return complain(path, 'keyID and secretRef are wanted');
  const keyId = textOf(value, 'keyID', /^.{1,500}$/, 'the id of a key', complain, path);
  const ref = value['secretRef'];
  if (!isObject(ref)) return complain([...path, 'secretRef'], 'name and key of a Secret are wanted');
  const at = [...path, 'secretRef'];
  const secret = textOf(ref, 'name', /^[a-z0-9.-]{1,253}$/, 'the name of a Secret', complain, at);
  const secretKey = textOf({ key: 'secret', ...ref }, 'key', /^[A-Za-z0-9._-]+$/, 'a key of a Secret', complain, at);
  return keyId === undefined || secret === undefined || secretKey === undefined
    ? undefined
    : { keyId, secret, secretKey };
}

function readBundle(value: unknown, complain: Complain): string | undefined {
  const blocks =
    typeof value === 'string' ? value.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) : null;
  if (!blocks) return complain(['caBundle'], 'certificates in PEM are wanted');
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    return complain(['caBundle'], `a certificate cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  return `${blocks.join('\n')}\n`;
}

function readNames(value: unknown, path: Path, complain: Complain): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'string' && /^[a-z0-9.-]+$/i.test(one));
  if (!isList) return complain(path, 'a list of names is wanted');
  return value.map((one: string) => one.toLowerCase().replace(/\.$/, ''));
}

const byHttp: Solver = { challenge: 'http-01', dnsZones: [], propagationMs: 0 };

function readSolvers(value: unknown, complain: Complain): readonly Solver[] {
  if (value === undefined || value === null) return [byHttp];
  if (!Array.isArray(value) || value.length === 0 || value.length > 100) {
    complain(['solvers'], 'a list of solvers is wanted, such as [{ challenge: http01 }]');
    return [];
  }
  return value.flatMap((each, index) => readSolver(each, ['solvers', index], complain) ?? []);
}

function readSolver(value: unknown, path: Path, complain: Complain): Solver | undefined {
  const fields = ['challenge', 'dnsZones', 'propagationSeconds'];
  if (!isObject(value)) return complain(path, 'a solver is wanted, such as { challenge: http01 }');
  for (const key of Object.keys(value)) if (!fields.includes(key)) complain([...path, key], unknownField(key, fields));
  const named = value['challenge'];
  const challenge = typeof named === 'string' && Object.hasOwn(kinds, named) ? kinds[named] : undefined;
  if (!challenge) return complain([...path, 'challenge'], expected(named, `one of ${Object.keys(kinds).join(', ')}`));
  const seconds = value['propagationSeconds'] ?? defaultPropagationMs / 1000;
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= maxPropagationSeconds))
    return complain([...path, 'propagationSeconds'], `a number from 0 to ${maxPropagationSeconds} is wanted`);
  if (value['propagationSeconds'] !== undefined && challenge !== 'dns-01')
    return complain([...path, 'propagationSeconds'], 'it means nothing but for dns01');
  const dnsZones = readNames(value['dnsZones'], [...path, 'dnsZones'], complain) ?? [];
  return { challenge, dnsZones, propagationMs: challenge === 'dns-01' ? seconds * 1000 : 0 };
}

/**
 * The solver for a name of a certificate: of the longest zone that has it; of two, the first. Wildcards are proved by
 * DNS-01 only (RFC 8555 section 8.4 and CA/Browser Forum rules). Undefined: there is none.
 */
export function solverFor({ solvers }: Issuer, name: string): Solver | undefined {
  const isWildcard = name.startsWith('*.');
  const host = isWildcard ? name.slice(2) : name;
  const lengthOf = ({ dnsZones }: Solver) => {
    const lengths = dnsZones.filter((zone) => host === zone || host.endsWith(`.${zone}`)).map((zone) => zone.length);
    return dnsZones.length === 0 ? 0 : Math.max(-1, ...lengths);
  };
  return solvers
    .filter(({ challenge }) => !isWildcard || challenge === 'dns-01')
    .map((solver) => ({ solver, length: lengthOf(solver) }))
    .filter(({ length }) => length >= 0)
    .sort((a, b) => b.length - a.length)[0]?.solver;
}
