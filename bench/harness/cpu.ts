// CPU and memory of processes, and CPU that others took meanwhile: all from proc(5).
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which every Linux that Node runs on has at 100. */
const TICKS_PER_SECOND = 100;

export interface ProcessCost {
  /** User and system time, with that of all descendants, living or waited for. */
  readonly cpuSeconds: number;
  /** Of the processes themselves. */
  readonly peakRssBytes: number;
}

/** The sum over processes; one that is gone counts nothing. */
export function processCost(pids: readonly number[]): ProcessCost {
  return {
    cpuSeconds: familySeconds(new Set(pids)),
    peakRssBytes: pids.reduce((sum, pid) => sum + readPeakRss(pid), 0),
  };
}

interface ProcessStat {
  readonly parent: number;
  readonly cpuSeconds: number;
}

function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // the name in parentheses may hold spaces; what follows starts with field 3
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = [14, 15, 16, 17].reduce((sum, field) => sum + Number(fields[field - 3]), 0);
  return { parent: Number(fields[4 - 3]), cpuSeconds: ticks / TICKS_PER_SECOND };
}

function readPeakRss(pid: number): number {
  return readMemory(pid, /^VmHWM:\s+(\d+) kB/m);
}

/** What the processes hold now, in sum. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readMemory(pid, /^VmRSS:\s+(\d+) kB/m), 0);
}

function readMemory(pid: number, line: RegExp): number {
  return Number(line.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024;
}

/** How long the main thread was ready to run while others had the CPU (kernel: Documentation/scheduler/sched-stats). */
export function mainThreadQueuedMs(pid: number): number {
  const [, queuedNs] = (readProc(`/proc/${pid}/schedstat`) ?? '').split(' ');
  return Number(queuedNs ?? 0) / 1e6;
}

/** Processes end while one looks: a missing file is an answer. */
function readProc(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Starts watching; the returned function tells how many cores' worth of CPU others used since, on average. To be asked before
 * daemons are killed: orphans of theirs are nobody's then.
 */
export function watchForeignCpu(): () => number {
  const startedAt = performance.now();
  const startBusy = busySeconds();
  const startOwn = ownCpuSeconds();
  return () => {
    const seconds = (performance.now() - startedAt) / 1000;
    const foreign = busySeconds() - startBusy - (ownCpuSeconds() - startOwn);
    return Math.max(0, foreign / seconds);
  };
}

/** Everybody's: user, nice, system, irq, softirq, steal. */
function busySeconds(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
  const ticks = line.split(/\s+/).slice(1).map(Number);
  return [0, 1, 2, 5, 6, 7].reduce((sum, index) => sum + (ticks[index] ?? 0), 0) / TICKS_PER_SECOND;
}

/** This process and all its descendants, living or waited for. */
export function ownCpuSeconds(): number {
  return familySeconds(new Set([process.pid]));
}

/** CPU of the processes and their descendants. */
function familySeconds(heads: ReadonlySet<number>): number {
  const stats = new Map<number, ProcessStat>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat) stats.set(pid, stat);
  }
  const isFamily = (pid: number): boolean =>
    heads.has(pid) || (stats.has(pid) && isFamily(stats.get(pid)!.parent));
  let seconds = 0;
  for (const [pid, stat] of stats) if (isFamily(pid)) seconds += stat.cpuSeconds;
  return seconds;
}
