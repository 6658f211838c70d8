/** Header lines made of a request. */
import type { Template } from '../../routing/plan/plan.ts';
import { headerText, soundTemplate, type TextOf } from './template.ts';

/** Lines, each with its CRLF, for templates without a fault; what comes out empty has none. */
export function createValueLines(values: readonly (readonly [header: string, value: Template])[]): TextOf {
  if (values.length === 0) return () => '';
  const compiled = values.map(([name, value]) => ({ name, text: soundTemplate(value).text }));
  return (exchange, head) => {
    let lines = '';
    for (const { name, text } of compiled) {
      const value = headerText(text(exchange, head));
      if (value !== '') lines += `${name}: ${value}\r\n`;
    }
    return lines;
  };
}
