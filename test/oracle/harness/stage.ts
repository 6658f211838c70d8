/** Everything that a case needs, on addresses of one block, and its end. */
import { backendNames } from './case.ts';
import { type Backends, startBackends } from './echo.ts';
import { type Nginx, type NginxText, startNginx } from './nginx.ts';
import { createSide, type Side } from './observe.ts';

export interface Stage {
  /** A front for the time of one case. */
  nginx(text: NginxText, name?: string): Promise<Side>;
  fairway(manifests: string): Promise<Side & { readonly findings: readonly string[] }>;
  /** Ends the fronts of a case. */
  strike(): Promise<void>;
  close(): Promise<void>;
}

const nginxPort = 8080;

/** `block` is one like `127.85.0`: of its addresses 1 to 9 are backends, 20 and up fronts, 10 the clients'. */
export async function openStage(block: string): Promise<Stage> {
  const backends: Backends = await startBackends(backendNames, block);
  const client = `${block}.10`;
  const open: (() => Promise<void>)[] = [];
  let judges = 0;

  /** Ends with the case. */
  function kept(side: Side, front: { close(): Promise<void> }): Side {
    open.push(async () => {
      side.close();
      await front.close();
    });
    return side;
  }

  async function strike(): Promise<void> {
    await Promise.all(open.splice(0).map((close) => close()));
  }

  return {
    async nginx(text, name = 'nginx') {
      const address = `${block}.${30 + (judges++ % 200)}`;
      const judge: Nginx = await startNginx({
        ...{ address, port: nginxPort, text },
        backends: backends.addresses,
        backendPort: backends.port,
      });
      return kept(createSide(name, judge, backends, client), judge);
    },
    async fairway(manifests) {
      // Only when it is wanted: nginx beside nginx needs none of it, and it takes long to load.
      const { startFairway } = await import('./fairway.ts');
      const front = await startFairway(`${block}.20`, manifests, backends);
      return { ...kept(createSide('fairway', front, backends, client), front), findings: front.findings };
    },
    strike,
    async close() {
      await strike();
      await backends.close();
    },
  };
}
