/** What is printed: a row per figure as soon as it is there. */
const widths = { case: 11, on: 14, ours: 10, peer: 23, theirs: 10, figure: 24, bound: 8, met: 7 };

const line = (cells) =>
  Object.entries(widths)
    .map(([name, width]) => String(cells[name] ?? '').padEnd(width))
    .join(' ');

export function printHead({ rounds, seconds, runtimes }) {
  const names = runtimes.map(({ name }) => name).join(', ');
  console.log(`CPU µs of the proxy per request unless said otherwise; ${rounds} rounds of ${seconds} s; ${names}`);
  console.log(`${line({ ...Object.fromEntries(Object.keys(widths).map((name) => [name, name])) })} what`);
}

export function printNote(text) {
  console.log(text);
}

export function printRow(name, { what, on, ours, peer, theirs, unit, figure, spread, bound }) {
  const number = (value) => (value === undefined ? '' : value.toFixed(unit === 'bytes' ? 0 : 1));
  // Where both sides are measured in µs the figure is their ratio; bytes and milliseconds are bounded as they are.
  const ratio = unit === 'µs' ? (value) => `${value.toFixed(2)} x` : (value) => `${number(value)} ${unit}`;
  const range = spread ? ` (${spread.map((value) => value.toFixed(2)).join(' to ')})` : '';
  const cells = {
    ...{ case: name, on, ours: number(ours), peer, theirs: number(theirs) },
    ...{ figure: figure === undefined ? '' : ratio(figure) + range, bound },
    met: bound === undefined || figure === undefined ? '' : figure <= bound ? 'met' : 'missed',
  };
  console.log(`${line(cells)} ${what}`);
}
