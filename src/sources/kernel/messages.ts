// Everything that crosses the border between the main thread and the thread that follows the kernel.
//
// Routes cross as observation buffers in the layout of assembly/abi.ts: what a prefix forwards to now, or that nobody forwards it.
import type { OutcomeCounts } from './followed-table.ts';

/** One kernel table that is followed. */
export interface KernelSourceOptions {
  /** Of the source everywhere: `kernel:main`. */
  readonly name: string;
  /** Number, name or VRF device. */
  readonly table: string | number;
  /** It is a VRF device, and no table of that name. */
  readonly isVrf: boolean;
  /** Kernel route protocol of the routes that are learned. */
  readonly protocol: number;
}

export interface FollowerOptions {
  /** Network namespace; undefined is our own. */
  readonly namespace: string | undefined;
  readonly sources: readonly KernelSourceOptions[];
  /** Least time between two listings made because a line could mean two things. */
  readonly doubtPauseMs?: number;
}

/** `waiting`: no such table or device yet; `lost`: nothing is heard, what was learned is stale. */
export type KernelSourceState = 'waiting' | 'listing' | 'following' | 'lost';

export type KernelSourceMessage =
  | {
      readonly type: 'state';
      readonly source: string;
      readonly state: KernelSourceState;
      readonly reason: string;
    }
  | {
      readonly type: 'routes';
      readonly source: string;
      readonly records: ArrayBuffer;
      readonly byteLength: number;
      readonly routeCount: number;
      readonly counts: OutcomeCounts;
    }
  /** All that is in the table has been told. */
  | { readonly type: 'listed'; readonly source: string; readonly counts: OutcomeCounts };
