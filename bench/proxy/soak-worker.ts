/** A worker process of the soak, when it has several. */
import { runProxyWorker } from '../../src/proxy/workers/worker.ts';

await runProxyWorker();
process.exit();
