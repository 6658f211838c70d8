/** One index of Services for several zones and plugins, so that a second zone costs no second index. */
import { createServiceIndex, type ServiceIndex, type ServiceIndexOptions } from './index-of-services.ts';

export type SharedIndexOptions = Omit<ServiceIndexOptions, 'onChange'>;
type ChangeHandler = ServiceIndexOptions['onChange'];

export interface SharedIndex {
  readonly index: ServiceIndex;
  /** For `RecordsOptions.createIndex`: the index itself, from whose changes this reader hears until it closes it. */
  open(options: { readonly onChange: ChangeHandler }): ServiceIndex;
  close(): void;
}

/** The store and the naming of endpoints are those of the first, for all. */
export function createSharedIndex(options: SharedIndexOptions): SharedIndex {
  const handlers = new Set<ChangeHandler>();
  const index = createServiceIndex({
    ...options,
    onChange(...change) {
      for (const handle of handlers) handle(...change);
    },
  });
  return {
    index,
    open({ onChange }) {
      handlers.add(onChange);
      return { ...index, close: () => handlers.delete(onChange) };
    },
    close: () => index.close(),
  };
}
