// A sink that keeps its routes in a map: dry runs, and a twin for the sink contract.

export interface MemorySinkOptions {
  /** Name of the network, for logs. */
  readonly network: string;
}
