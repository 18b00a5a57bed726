// The printed configuration parses back to itself; the JSON Schema takes what the parser takes; the examples run.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, effectiveConfig } from '../../src/config/effective.ts';
import { parseConfig } from '../../src/config/parse.ts';

const directory = new URL('../../examples/', import.meta.url);
const examples = readdirSync(directory).filter(
  (name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'),
);

describe.each(examples)('examples/%s', (name) => {
  const text = readFileSync(new URL(name, directory), 'utf8');

  it('is a configuration without a problem', () => {
    expect(parseConfig(text).problems).toBeUndefined();
  });

  it('prints whole and parses back to the same', () => {
    const { config } = parseConfig(text, 'some-host');
    const printed = effectiveConfig(config!);
    expect(parseConfig(printed).config).toEqual(config);
  });
});

it('parses back where there are no KEEPALIVEs', () => {
  const { config } = parseConfig(`bgp:
  asn: 64512
  routerId: 10.0.0.1
  peers: [{ name: a, address: 10.0.0.2, asn: 65001, holdTime: 0 }]
`);
  expect(parseConfig(effectiveConfig(config!)).config).toEqual({ ...config, node: 'localhost' });
});

it('prints durations, sizes and addresses as a file has them, and no secret', () => {
  const text = `bgp:
  asn: 64512
  routerId: 10.0.0.1
  peers: [{ name: a, address: "2001:db8::1", asn: 65001, holdTime: 180s, passwordFile: /nowhere/password }]
`;
  const printed = effectiveConfig(parseConfig(text).config!);
  for (const line of [
    'holdTime: 3m',
    'keepaliveTime: 1m',
    'address: 2001:db8::1',
    'memory: 2GiB',
    'passwordFile: /nowhere/password',
  ]) {
    expect(printed).toContain(line);
  }
});

it('describes every key in the JSON Schema, with its default', () => {
  const schema = configJsonSchema() as { properties: Record<string, Record<string, unknown>> };
  expect(schema).toMatchObject({
    required: ['bgp'],
    additionalProperties: false,
    properties: {
      host: {
        properties: {
          metric: { default: 20, description: expect.stringMatching(/^Route metric\./) },
        },
      },
      startup: { properties: { deadline: { default: '2m' } } },
    },
  });
  const undescribed = Object.entries(schema.properties).filter(
    ([, value]) => !value['description'],
  );
  expect(undescribed).toEqual([]);
});
