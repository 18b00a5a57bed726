// Reads a configuration file: the only part of the configuration that touches the disk.
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { type ParseResult, parseConfig } from './parse.ts';

/** A file that cannot be read is a problem like any other. */
export async function readConfigFile(path: string): Promise<ParseResult> {
  try {
    return parseConfig(await readFile(path, 'utf8'), hostname());
  } catch (cause) {
    const { errno } = cause as NodeJS.ErrnoException;
    const why = errno === undefined ? (cause as Error).message : getSystemErrorMessage(errno);
    return { problems: [{ path: '', message: `cannot be read: ${why}` }] };
  }
}
