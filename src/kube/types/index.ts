/** Kubernetes vocabulary: the shapes of objects, by API group. */
export * from './apps.ts';
export * from './core.ts';
export * from './discovery.ts';
export * from './gateway.generated.ts';
export * from './meta.ts';
export * from './multicluster.ts';
export * from './networking.ts';
