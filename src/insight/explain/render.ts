/** An explanation as a tree for people and as a Mermaid flowchart. */
import { type Diagnostic, formatDiagnostic, formatRef } from '../../base/diagnostics/index.ts';
import { createPaste } from '../paste.ts';
import { schemeOf } from './request.ts';
import type { Explanation, NotInForce, Rejected, Step } from './types.ts';

export interface Paint {
  green(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

const marks: Record<Step['status'], [mark: string, colour: keyof Paint]> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  broken: ['✗', 'red'],
  'not reached': ['·', 'dim'],
  'not needed': ['·', 'dim'],
};

/** google.rpc.Code, as far as calls are answered here. */
const grpcCodes: Readonly<Record<number, string>> = {
  2: 'UNKNOWN',
  4: 'DEADLINE_EXCEEDED',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  12: 'UNIMPLEMENTED',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
};

/** What the answer depends on and is not known. */
const provisos = ({ gates }: Explanation): string[] =>
  gates.flatMap(({ says, filter }) => (says === 'depends' ? [`  if it passes: ${filter}`] : []));

function answerLine(explanation: Explanation, paint: Paint): string {
  return [verdictLine(explanation, paint), ...provisos(explanation).map((line) => paint.yellow(line))].join('\n');
}

function verdictLine({ ok, answer }: Explanation, paint: Paint): string {
  if (!answer) return ok ? paint.green('The request reaches a Pod.') : paint.red('The request does not arrive.');
  const { status, grpcStatus } = answer;
  const code = grpcStatus === undefined ? status : `${grpcCodes[grpcStatus]} (grpc-status ${grpcStatus})`;
  const text =
    answer.location === undefined
      ? `The client gets ${code}: ${answer.reason}.`
      : `The client gets ${code} to ${answer.location}${answer.reason === 'redirect' ? '' : `: ${answer.reason}`}`;
  return answer.status >= 400 ? paint.red(text) : paint.green(text);
}

/** What every explanation has. */
interface Told {
  readonly source: string;
  readonly steps: readonly Step[];
  readonly rejected: readonly Rejected[];
  readonly notInForce: readonly NotInForce[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The six steps as a tree, then the routes that lost. `paint` may be the identity. */
export function renderText(explanation: Explanation, paint: Paint): string {
  const { request } = explanation;
  const url = `${schemeOf(request)}://${request.hostname}${request.port === (request.scheme === 'https' ? 443 : 80) ? '' : `:${request.port}`}${request.path}${request.query ? `?${request.query}` : ''}`;
  return renderTree(explanation, `${request.method} ${url}`, request.from, answerLine(explanation, paint), paint);
}

/** `verdict` comes below the steps. */
export function renderTree(
  { source, steps, rejected, notInForce, diagnostics }: Told,
  asked: string,
  from: string,
  verdict: string,
  paint: Paint,
): string {
  const lines = [`${paint.bold(asked)} ${paint.dim(`from ${from}, in ${source}`)}`];
  for (const step of steps) lines.push(...stepLines(step, step.step === steps.length, paint));
  lines.push(verdict);
  if (rejected.length > 0) lines.push('', paint.bold('Routes that lost'), ...rejected.map(rejectedLine));
  if (notInForce.length > 0)
    lines.push('', paint.bold('Routes that are not in force'), ...notInForce.map(notInForceLine));
  if (diagnostics.length > 0) {
    lines.push('', paint.bold('Findings on this path'));
    const paste = createPaste();
    for (const finding of diagnostics) {
      const [hint, ...block] = paste(finding.hint);
      lines.push(
        `  ${formatDiagnostic(finding)}`,
        `    ${paint.yellow(`→ ${hint}`)}`,
        ...block.map((line) => `    ${line}`),
      );
    }
  }
  return lines.join('\n');
}

function notInForceLine({ kind, namespace, name, hostname, reason, detail }: NotInForce): string {
  return `  ${kind} ${namespace}/${name} for ${hostname}: ${reason}: ${detail}`;
}

function stepLines(step: Step, last: boolean, paint: Paint): string[] {
  const [mark, colour] = marks[step.status];
  const stem = last ? '   ' : '│  ';
  return [
    `${last ? '└─' : '├─'} ${paint[colour](mark)} ${step.step} ${step.name}: ${step.summary}${step.object && step.status !== 'not reached' ? paint.dim(` [${formatRef(step.object)}]`) : ''}`,
    ...step.details.map((detail) => `${stem}    ${paint.dim(detail)}`),
    ...(step.fix ? [`${stem}    ${paint.yellow(`→ ${step.fix}`)}`] : []),
  ];
}

function rejectedLine(route: Rejected): string {
  const match = route.match === null ? '' : ` match ${route.match}`;
  const rule = route.rule === null ? '' : ` rule ${route.rule}${match}`;
  return `  ${route.kind} ${route.namespace}/${route.name}${rule} on ${route.hostname}: ${route.reason}: wants ${route.wanted}; ${route.detail}`;
}

const mermaidText = (text: string) => text.replace(/["<>&#]/g, (character) => `#${character.charCodeAt(0)};`);

/** A flowchart of the six steps; the broken one is red. */
export function renderMermaid({ steps, request }: Explanation): string {
  return renderChart(`${request.method} ${request.hostname}${request.path}`, steps);
}

export function renderChart(asked: string, steps: readonly Step[]): string {
  const lines = ['flowchart LR', `  s0["${mermaidText(asked)}"]`];
  for (const step of steps) {
    lines.push(`  s${step.step}["${mermaidText(`${step.step} ${step.name}`)}<br/>${mermaidText(step.summary)}"]`);
    lines.push(`  s${step.step - 1} --> s${step.step}`);
  }
  lines.push('  classDef broken stroke:#c00,stroke-width:3px', '  classDef unreached stroke-dasharray:4');
  for (const step of steps) {
    if (step.status === 'broken') lines.push(`  class s${step.step} broken`);
    if (step.status === 'not reached' || step.status === 'not needed') lines.push(`  class s${step.step} unreached`);
  }
  return lines.join('\n');
}
