/** docs/ingress-nginx.md out of the tables of annotations, keys of the ConfigMap and differences. */
import { configGroups } from '../config/keys.ts';
import type { ConfigRow } from '../config/rows.ts';
import { smallDifferences } from '../differences.ts';
import { type SnippetPlace, snippetDirectives } from '../snippets/compile.ts';
import { localNames, variableNames } from '../variables.ts';
import { logLines } from './document-log.ts';
import { documentStart, wrapped } from './document-start.ts';
import type { NginxAnnotation, Verdict } from './entry.ts';
import { legacyNames } from './legacy.ts';
import { nginxAnnotations, nginxGroups } from './table.ts';

const words: Readonly<Record<Verdict, string>> = {
  works: 'works',
  differs: 'works, with a difference',
  ignored: 'nothing to change',
  refused: 'not followed',
};

const rules = `## What holds for all annotations

- An annotation that **protects** (marked 🛡) and cannot be honoured shuts the locations of its Ingress: they answer 503
  with the reason, and \`fairway lint\` reports FW5501. Nothing else is affected.
- A value that is none leaves any other annotation at its default, with FW5502. ingress-nginx drops the whole Ingress for
  it, or takes the default without a word.
- An empty value is the same as no annotation, but for lists of addresses: there it shuts the locations, as it does there.
- An annotation that says nothing without another one is reported with FW5506: \`auth-secret\` without \`auth-type\` asks
  nobody for a password, neither here nor there.
- With \`annotations-risk-level\` \`Low\` or \`Medium\` in the ConfigMap, an annotation of greater risk shuts the locations of its
  Ingress. Snippets need \`Critical\`, as they do there.
- Names that ingress-nginx does not know are reported with FW5505, and those that it knew once with FW5503.`;

const places: Readonly<Record<SnippetPlace, string>> = {
  location: 'configuration-snippet',
  server: 'server-snippet',
  auth: 'auth-snippet',
};

const snippets = `## What snippets may say

Snippets are never run as text. With \`allow-snippet-annotations: "true"\` and \`annotations-risk-level: Critical\` in the
ConfigMap they are read as directives of a closed set; a snippet with anything else, or without these keys, shuts its
location, and FW5501 names the line. The ConfigMap's own \`location-snippet\` and \`server-snippet\` take the same
directives, need nobody's leave, and stand behind those of Ingresses.

| annotation | directives |
|---|---|
${Object.entries(places)
  .map(([place, name]) => `| \`${name}\` | ${listOf(snippetDirectives[place as SnippetPlace])} |`)
  .join('\n')}

## Variables

Where a value may have variables, these are known; with any other, the annotation cannot be honoured. Annotations and
snippets of a location also know
${wrapped(listOf(localNames))}.

${wrapped(listOf(variableNames))}`;

function listOf(names: readonly string[]): string {
  return [...names]
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ');
}

export function nginxDocument(): string {
  return `${[
    ...documentStart,
    summary(),
    rules,
    ...nginxGroups.map(([title, rows]) => `## ${title}\n\n${tableOf(rows)}`),
    snippets,
    `## Annotations of the past\n\n${pastTable()}`,
    configMap(),
    logLines,
    differences,
  ].join('\n\n')}\n`;
}

function summary(): string {
  const rows = Object.values(nginxAnnotations as Readonly<Record<string, NginxAnnotation<unknown>>>);
  const lines = (Object.keys(words) as Verdict[]).map(
    (verdict) => `| ${words[verdict]} | ${rows.filter((row) => row.verdict === verdict).length} |`,
  );
  return `## In numbers\n\nThe rows are those of ingress-nginx 1.15. Of ${rows.length} annotations:\n\n| | |\n|---|---|\n${lines.join('\n')}`;
}

function tableOf(rows: Readonly<Record<string, NginxAnnotation<unknown>>>): string {
  const lines = Object.entries(rows).map(([name, row]) => `| ${cells(name, row).join(' | ')} |`);
  return `| annotation | values | without it | here |\n|---|---|---|---|\n${lines.join('\n')}`;
}

function cells(name: string, row: NginxAnnotation<unknown>): readonly string[] {
  const { verdict, protects, expected, without = '', note, of, alias, scope } = row;
  const remarks = [
    alias !== undefined && `The older name of \`${alias}\`, which goes before it.`,
    scope === 'server' && 'For the whole host.',
    of && `Only with ${of.map((other) => `\`${other}\``).join(' or ')}.`,
    note,
  ].filter((remark) => typeof remark === 'string');
  return [
    `\`${name}\`${protects ? ' 🛡' : ''}`,
    escaped(expected),
    escaped(without),
    [words[verdict], ...remarks].join('. ').replace(/\.\. /g, '. '),
  ];
}

const escaped = (text: string) => text.replaceAll('|', '\\|');

function pastTable(): string {
  const lines = legacyNames.map(([name, instead]) => `| \`${name}\` | ${instead} |`);
  return `| annotation | instead |\n|---|---|\n${lines.join('\n')}`;
}

const differences = `## Small differences

Of single requests, on purpose; test/oracle meets and checks every one of them.

| here | name |
|---|---|
${Object.entries(smallDifferences)
  .map(([id, text]) => `| ${escaped(text)} | \`${id}\` |`)
  .join('\n')}`;

function configMap(): string {
  const groups = configGroups.map(([title, rows]) => `### ${title}\n\n${keysTable(rows)}`);
  return [
    `## The ConfigMap of the controller\n\nRead while there are Ingresses of its classes; another text takes effect at once. Keys marked 🛡 protect: a value that
cannot be honoured shuts all locations (FW5511).

A ConfigMap that is named by \`--configmap\` and is not there, or goes while this runs, shuts all locations as well (FW5517), and
so does one by either name for as long as the Kubernetes API does not answer or forbids to read it: nobody knows what it would
keep out. One that nobody has named and that is not there says nothing. ingress-nginx starts with its defaults when it cannot
read its ConfigMap, and keeps what it has read until the next start when the ConfigMap goes.`,
    ...groups,
  ].join('\n\n');
}

/** Keys of which the same is to be said share a line. */
function keysTable(rows: Readonly<Record<string, ConfigRow>>): string {
  const lines = new Map<string, string[]>();
  for (const [key, { verdict, protects, expected, note }] of Object.entries(rows)) {
    const here = note === undefined ? words[verdict] : `${words[verdict]}. ${note}`;
    const said = `${escaped(expected)} | ${escaped(here)}`;
    const keys = lines.get(said) ?? [];
    lines.set(said, [...keys, `\`${key}\`${protects ? ' 🛡' : ''}`]);
  }
  const table = [...lines].map(([said, keys]) => `| ${keys.join(', ')} | ${said} |`);
  return `| key | values | here |\n|---|---|---|\n${table.join('\n')}`;
}
