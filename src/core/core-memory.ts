// What the core occupies, and with how many things.
import type { Border } from './border.ts';

export interface CoreMemory {
  readonly linearBytes: number;
  readonly usedBytes: number;
  readonly routeCount: number;
  readonly prefixCount: number;
  readonly attributeSetCount: number;
  readonly nextHopSetCount: number;
}

export interface MemoryCalls {
  memory(): CoreMemory;
}

export function memoryCalls(border: Border): MemoryCalls {
  return {
    memory() {
      border.exports.readMemory();
      return {
        linearBytes: border.exports.memory.buffer.byteLength,
        usedBytes: border.counter(0),
        routeCount: border.counter(1),
        prefixCount: border.counter(2),
        attributeSetCount: border.counter(3),
        nextHopSetCount: border.counter(4),
      };
    },
  };
}
