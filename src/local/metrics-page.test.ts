import { expect, it, onTestFinished } from 'vitest';
import { openMetricsPage } from './metrics-page.ts';

it('a page that cannot be read is an answer like any other, and the next one is tried anew', async () => {
  let reads = 0;
  const page = await openMetricsPage({
    host: '127.77.9.21',
    port: 0,
    read() {
      if (++reads === 1) throw new Error('no figures');
      return 'up 1\n';
    },
  });
  onTestFinished(page.close);
  const broken = await fetch(page.url);
  expect([broken.status, await broken.text()]).toEqual([500, 'The metrics cannot be read: no figures\n']);
  const good = await fetch(page.url);
  expect([good.status, await good.text()]).toEqual([200, 'up 1\n']);
});
