// Computes bcrypt hashes in a thread of its own. Plain JavaScript, because Node.js starts it as it is when the sources
// run without the bundle; scripts/build.mjs puts it beside the bundle under the same name.
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

parentPort.on('message', ({ password, hash }) => parentPort.postMessage(compareSync(password, hash)));
