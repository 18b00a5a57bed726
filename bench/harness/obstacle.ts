// Why a scenario cannot run here.
import { getuid } from 'node:process';

/** Network namespaces need root. */
export function needsRoot(): string | undefined {
  return getuid?.() === 0 ? undefined : 'needs root for network namespaces';
}
