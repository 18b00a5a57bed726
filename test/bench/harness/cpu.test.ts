// What a process costs, read from the system.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ownCpuSeconds, processCost } from '../../../bench/harness/cpu.ts';

describe.skipIf(process.platform !== 'linux')('processCost', () => {
  it('agrees with what the process knows of itself', () => {
    const own = processCost([process.pid]);
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    expect(own.cpuSeconds).toBeGreaterThan(((userCPUTime + systemCPUTime) / 1e6) * 0.8 - 0.05);
    // Not getrusage's maxRSS: that one survives exec and counts what the parent was.
    expect(own.peakRssBytes).toBeGreaterThan(process.memoryUsage.rss() * 0.9);
  });

  it('counts nothing for a process that is gone', () => {
    expect(processCost([2 ** 30])).toEqual({ cpuSeconds: 0, peakRssBytes: 0 });
  });

  it('counts our descendants while they live and after they were waited for', async () => {
    const burn =
      'const t = Date.now(); while (Date.now() < t + 200); console.log(1); process.stdin.resume()';
    const before = ownCpuSeconds();
    const child = spawn(process.execPath, ['-e', burn], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const own = processCost([child.pid!]).cpuSeconds;
    const living = ownCpuSeconds();
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
    expect(living - before).toBeGreaterThanOrEqual(own - 0.02);
    expect(ownCpuSeconds()).toBeGreaterThanOrEqual(living - 0.02);
  });
});
