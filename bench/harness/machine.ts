// The machine a figure was measured on.
import { cpus, loadavg, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
  };
}

export function formatMachine(machine: Machine): string {
  const memory = (machine.memoryBytes / 2 ** 30).toFixed(1);
  return (
    `machine: ${machine.cores} × ${machine.cpu}, ${memory} GiB, Linux ${machine.kernel}, ` +
    `Node ${machine.node}, load ${machine.loadAverage.toFixed(2)}`
  );
}
