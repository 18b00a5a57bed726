// Configurations that are no accident: YAML bombs, endless nesting, huge numbers, names of object prototypes, damaged examples. Each
// is answered with problems, quickly; nothing is thrown and no prototype changes.
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';

const sound = `
node: worker-1
bgp:
  asn: 64512
  routerId: 10.0.0.1
  listen: [{ address: 0.0.0.0, port: 179 }]
  peers:
    - { name: tor-a, address: 172.18.0.2, asn: 65001, families: [ipv4-unicast], holdTime: 90s, import: all }
policies:
  all: [{ action: accept }]
networks:
  - { name: default, table: main, ovn: { router: gr, outputPort: out }, advertise: [10.244.1.0/24] }
`;

/** Problems of a text, none when it is a configuration; slow answers fail. */
function problemsOf(text: string): readonly { readonly message: string }[] {
  const started = performance.now();
  const { problems = [] } = parseConfig(text);
  expect(performance.now() - started).toBeLessThan(2000);
  return problems;
}

describe('a hostile configuration', () => {
  it('is sound before it is touched', () => {
    expect(problemsOf(sound)).toEqual([]);
  });

  it.each([
    [
      'aliases that grow without bound',
      [
        'a: &a [x, x]',
        ...'bcdefghijklmnop'
          .split('')
          .map((name, i) => `${name}: &${name} [${`*${'abcdefghijklmnop'[i]}, `.repeat(9)}1]`),
      ].join('\n'),
    ],
    ['an alias of itself', 'bgp: &b { peers: [*b] }'],
    ['an alias of nothing', 'bgp: *nowhere'],
    ['lists nested without end', `bgp: ${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['maps nested without end', `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`],
    [
      'blocks nested without end',
      Array.from({ length: 1500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    ],
    ['a key of a megabyte', `${'k'.repeat(2 ** 20)}: 1`],
    ['a value of a megabyte', `node: ${'n'.repeat(2 ** 20)}`],
    [
      'keys of object prototypes',
      '__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\nbgp: { __proto__: { asn: 1 } }',
    ],
    ['merge keys', 'x: &x { __proto__: { polluted: true } }\nbgp: { <<: *x }'],
    ['a number past all', sound.replace('asn: 64512', `asn: ${'9'.repeat(400)}`)],
    ['no number', sound.replace('asn: 64512', 'asn: .nan')],
    ['a negative number', sound.replace('port: 179', 'port: -1e308')],
    ['a port that overflows', sound.replace('port: 179', 'port: 4294967475')],
    ['a time past all', sound.replace('90s', `${'9'.repeat(300)}h`)],
    [
      'a policy that is a method of every object',
      sound.replace('import: all', 'import: constructor'),
    ],
    ['a policy named like the prototype', sound.replace('import: all', 'import: __proto__')],
    ['a tag', 'bgp: !!js/function "() => 1"'],
    ['control characters', `node: "a\\u0000b\\nc"\n${sound.replace('node: worker-1', '')}`],
    ['several documents', `${sound}\n---\n${sound}`],
    ['binary', Buffer.from([0, 255, 254, 1, 2, 3]).toString('latin1')],
  ])('with %s has problems and does no harm', (_, text) => {
    expect(problemsOf(text)).not.toEqual([]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('damaged anyhow is answered', () => {
    const random = new Random(41);
    const bytes = Buffer.from(sound);
    for (let run = 0; run < 800; run++) {
      const text = Buffer.from(mutate(random, bytes, [bytes])).toString('utf8');
      for (const { message } of problemsOf(text)) expect(message).not.toBe('');
    }
  });
});
