/** An explanation of a stream as a tree for people and as a Mermaid flowchart. */
import { type Paint, renderChart, renderTree } from '../render.ts';
import type { StreamExplanation } from './types.ts';

function urlOf({ request: { scheme, hostname, port } }: StreamExplanation): string {
  return `${scheme}://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
}

function verdict({ request, ok, refused, matched }: StreamExplanation, paint: Paint): string {
  const subject = request.scheme === 'udp' ? 'The datagrams' : 'The connection';
  const [does, doesNot] = request.scheme === 'udp' ? ['reach', 'do'] : ['reaches', 'does'];
  if (ok) return paint.green(`${subject} ${does} ${matched?.tls === 'handover' ? 'an HTTPS listener' : 'a Pod'}.`);
  if (!refused) return paint.red(`${subject} ${doesNot} not arrive.`);
  const how = request.scheme === 'udp' ? 'are dropped' : 'is reset';
  return paint.red(`${subject} ${how}: ${refused.reason} (${refused.flag}).`);
}

export function renderStreamText(explanation: StreamExplanation, paint: Paint): string {
  return renderTree(explanation, urlOf(explanation), 'internet', verdict(explanation, paint), paint);
}

export function renderStreamMermaid(explanation: StreamExplanation): string {
  return renderChart(urlOf(explanation), explanation.steps);
}
