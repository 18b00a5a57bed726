// The part of the core that serves one FIB.
import type { FibCalls } from '../core/fibs.ts';

export type FibCore = Omit<FibCalls, 'addFib' | 'removeFib'>;
