/** Where the Kubernetes API of a front door answers, and the kubeconfig that leads there. */
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { kubeconfigFor } from './apiserver/kubeconfig.ts';
import type { ApiServer } from './apiserver/server.ts';

export const apiHost = '127.0.0.1';

/** Listens on the wanted port; when that is taken, on a free one, with a finding that says so. Gives the URL. */
export async function listenApi(api: ApiServer, port: number, findings: Diagnostic[]): Promise<string> {
  try {
    return (await api.listen({ host: apiHost, port })).url;
  } catch (error) {
    const { url } = await api.listen({ host: apiHost, port: 0 });
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the Kubernetes API cannot listen on ${apiHost}:${port} (${reason}): it answers at ${url}`;
    findings.push(diagnostic('FW5005', { message }));
    return url;
  }
}

export async function writeKubeconfig(folder: string, server: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'kubeconfig'), kubeconfigFor(server));
}

export async function removeKubeconfig(folder: string): Promise<void> {
  await rm(join(folder, 'kubeconfig'), { force: true });
  // The folder stays when something else is in it.
  await rmdir(folder).catch(() => undefined);
}
