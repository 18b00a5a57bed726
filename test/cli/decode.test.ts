// `rutter decode` as a command, with the core's verdicts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeCommand } from '../../src/cli/decode.ts';
import { parseHex } from '../../src/net/hex.ts';

const header = 'ff'.repeat(16);
const keepalive = `${header}001304`;
/** 192.0.2.0/24 by 10.0.0.2, path 65001. */
const update =
  `${header}002f0200000014 40010100 40020602010000fde9 4003040a000002 18c00002`.replaceAll(' ', '');
/** The same with ORIGIN 9. */
const wrongOrigin = update.replace('40010100', '40010109');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rutter-decode-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function run(...args: string[]): Promise<string> {
  let output = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
  try {
    await decodeCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync(args, { from: 'user' });
  } catch (error) {
    throw Object.assign(error as Error, { output });
  }
  return output;
}

describe('rutter decode', () => {
  it('prints an array of messages, each UPDATE with its verdict', async () => {
    const records = JSON.parse(await run('--hex', update + keepalive));
    expect(records).toMatchObject([
      {
        type: 'update',
        announced: [{ family: 'ipv4-unicast', prefix: '192.0.2.0/24', nextHop: '10.0.0.2' }],
        attributes: { origin: 'igp', asPath: [65001] },
        verdict: { outcome: 'accept' },
      },
      { type: 'keepalive', offset: 47 },
    ]);
  });

  it('says what RFC 7606 makes of a malformed UPDATE, and fails for what it could not read', async () => {
    const failure = await run('--hex', wrongOrigin).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(/^at byte 26: ORIGIN 9/) });
    expect(JSON.parse((failure as { output: string }).output)[0].verdict).toEqual({
      outcome: 'treat-as-withdraw',
      errorCode: 3,
      errorSubcode: 6,
      error: 'update message: invalid origin',
      attribute: 1,
      attributeName: 'origin',
      offset: 23,
    });
  });

  it('judges as an internal peer on request', async () => {
    const localPref = update
      .replace('002f', '0036')
      .replace('0014', '001b')
      .replace('18c00002', '4005040000006418c00002');
    const [external] = JSON.parse(await run('--hex', localPref));
    expect(external.verdict).toMatchObject({ outcome: 'attribute-discard', attribute: 5 });
    const [internal] = JSON.parse(await run('--hex', localPref, '--ibgp'));
    expect(internal.verdict).toEqual({ outcome: 'accept' });
  });

  it('prints one object per line', async () => {
    const lines = (await run('--hex', keepalive + keepalive, '-o', 'jsonl')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).offset)).toEqual([0, 19]);
  });

  it('reads 2-octet AS numbers and path identifiers when told', async () => {
    const other = `${header}00310200000012400101004002040201fde94003040a0000020000000718c00002`;
    const [record] = JSON.parse(
      await run('--hex', other, '--two-octet-as', '--add-path', 'ipv4-unicast'),
    );
    expect(record).toMatchObject({
      announced: [{ pathId: 7, prefix: '192.0.2.0/24' }],
      attributes: { asPath: [65001] },
      verdict: { outcome: 'accept' },
    });
  });

  it('reads a file, and says at which byte it is cut', async () => {
    const file = join(folder, 'cut.bgp');
    writeFileSync(file, parseHex(keepalive + update)!.subarray(0, 50));
    const failure = await run(file).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'truncated', offset: 19 });
    expect(JSON.parse((failure as { output: string }).output)).toHaveLength(1);
  });

  it.each([
    ['hex that is none', ['--hex', 'xyz']],
    ['a family nobody knows', ['--hex', keepalive, '--add-path', 'ipv5-unicast']],
    ['a file and --hex', ['file', '--hex', keepalive]],
    ['an unknown kind', ['--hex', keepalive, '--kind', 'pcap']],
  ])('refuses %s', async (_, args) => {
    await expect(run(...args)).rejects.toMatchObject({
      code: expect.stringMatching(/^commander\./),
    });
  });
});
