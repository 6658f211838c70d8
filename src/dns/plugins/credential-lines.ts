/** Lines of a block that say with which credentials an API server is spoken to. */
import type { Line } from '../corefile/types.ts';
import { expectArgs } from '../corefile/values.ts';
import type { ApiAccess } from './setup.ts';

/** Under way to what a block asks for. */
export type WritableAccess = { -readonly [K in keyof ApiAccess]: ApiAccess[K] };

/** `tls CERT KEY CACERT` and `kubeconfig FILE [CONTEXT]`, for `readBlock`. */
export const credentialLines = (access: WritableAccess) => ({
  tls(line: Line) {
    const [cert, key, ca] = expectArgs(line, 3) as [string, string, string];
    access.tls = { cert, key, ca };
  },
  kubeconfig(line: Line) {
    const [file, context] = expectArgs(line, 1, 2) as [string, string | undefined];
    access.kubeconfig = { file, ...(context !== undefined && { context }) };
  },
});
