// Writes a stream of objects as one JSON array or one object per line, at the pace of whoever reads them.
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** What was written stays well formed when the source fails: the array is closed before the error goes on. */
export async function writeObjects(
  objects: AsyncIterable<unknown>,
  format: 'json' | 'jsonl',
  output: Writable,
): Promise<void> {
  let count = 0;
  try {
    for await (const object of objects) {
      const text =
        format === 'jsonl'
          ? `${JSON.stringify(object)}\n`
          : `${count === 0 ? '[\n' : ',\n'}${indent(JSON.stringify(object, undefined, 2))}`;
      count++;
      if (!output.write(text)) await once(output, 'drain');
    }
  } finally {
    if (format === 'json') output.write(count === 0 ? '[]\n' : '\n]\n');
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
