// The image, the manifests and the systemd unit: they parse, and they start the agent with flags and paths that it knows.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { agentCommand } from '../../src/cli/agent.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';

const root = join(import.meta.dirname, '../..');
const base = 'deploy/kustomize/base';
const read = (path: string) => readFile(join(root, path), 'utf8');

interface Container {
  readonly args: readonly string[];
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add: readonly string[] };
  };
  readonly livenessProbe: { readonly httpGet: HttpGet };
  readonly readinessProbe: { readonly httpGet: HttpGet };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface HttpGet {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

interface PodSpec {
  readonly hostNetwork: boolean;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly configMap?: { name: string } }[];
}

async function podSpec(): Promise<PodSpec> {
  const daemonSet = parse(await read(`${base}/daemonset.yaml`)) as {
    spec: { template: { spec: PodSpec } };
  };
  return daemonSet.spec.template.spec;
}

async function nodeConfig() {
  const { config, problems } = parseConfig(await read(`${base}/nodes/worker-1.yaml`));
  expect(problems).toBeUndefined();
  return config!;
}

/** What commander makes of the words after `rutter`; rejects flags that the agent does not have. */
function agentOptions(words: readonly string[]): { config: string } {
  let seen: { config: string } | undefined;
  const agent = agentCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action((options: { config: string }) => {
      seen = options;
    });
  new Command('rutter').exitOverride().addCommand(agent).parse(words, { from: 'user' });
  return seen!;
}

describe('the DaemonSet', () => {
  it('runs on the host network with NET_ADMIN and NET_RAW and nothing else', async () => {
    const { hostNetwork, containers } = await podSpec();
    expect(hostNetwork).toBe(true);
    const { capabilities, allowPrivilegeEscalation } = containers[0].securityContext;
    expect(capabilities).toEqual({ drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] });
    expect(allowPrivilegeEscalation).toBe(false);
  });

  it('starts the agent with the file of its node', async () => {
    const { containers, volumes } = await podSpec();
    const { config } = agentOptions(containers[0].args);
    expect(config).toBe('/etc/rutter/$(NODE_NAME).yaml');
    const mount = containers[0].volumeMounts.find(({ mountPath }) => mountPath === '/etc/rutter');
    const volume = volumes.find(({ name }) => name === mount?.name);
    const { configMapGenerator } = parse(await read(`${base}/kustomization.yaml`)) as {
      configMapGenerator: { name: string; files: string[] }[];
    };
    expect(configMapGenerator[0]!.name).toBe(volume?.configMap?.name);
    expect(configMapGenerator[0]!.files).toEqual(['nodes/worker-1.yaml']);
  });

  it('mounts every directory that the example configuration names', async () => {
    const { containers, volumes } = await podSpec();
    const { control, ovn } = await nodeConfig();
    const { volumeMounts } = containers[0];
    const paths = [control.socket, ...ovn.northbound.map((remote) => remote.replace('unix:', ''))];
    for (const path of paths) {
      const mount = volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
      expect(mount, path).toBeDefined();
    }
    expect(volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
  });

  it('probes where the example configuration listens', async () => {
    const { containers } = await podSpec();
    const { http } = await nodeConfig();
    const { livenessProbe, readinessProbe } = containers[0];
    for (const { httpGet } of [livenessProbe, readinessProbe]) {
      expect(httpGet.host).toBe(formatIpAddress(http!.listen.address));
      expect(httpGet.port).toBe(http!.listen.port);
    }
    expect([livenessProbe.httpGet.path, readinessProbe.httpGet.path]).toEqual([
      '/healthz',
      '/readyz',
    ]);
    const server = await read('src/control/server.ts');
    for (const path of ['/healthz', '/readyz']) expect(server).toContain(`'${path}'`);
  });

  it('does not ask the agent to listen on a port that its capabilities do not allow', async () => {
    const { bgp } = await nodeConfig();
    expect(bgp.listen.filter(({ port }) => port < 1024)).toEqual([]);
  });

  it('is named with every other resource in the kustomization, and each is there', async () => {
    const { resources } = parse(await read(`${base}/kustomization.yaml`)) as {
      resources: string[];
    };
    expect(resources).toContain('daemonset.yaml');
    for (const file of resources) expect(existsSync(join(root, base, file)), file).toBe(true);
  });
});

describe('the image', () => {
  it('copies what is there and starts the agent with flags that it has', async () => {
    const lines = (await read('deploy/Containerfile')).split('\n');
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied).toContain('package-lock.json');
    for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
    const json = (word: string) =>
      JSON.parse(lines.find((line) => line.startsWith(`${word} `))!.slice(word.length)) as string[];
    expect(json('ENTRYPOINT')).toEqual(['rutter']);
    expect(agentOptions(json('CMD')).config).toBe('/etc/rutter/rutter.yaml');
  });

  it('takes its base as an argument, with the Node version that the package asks for', async () => {
    const argument = /^ARG NODE_IMAGE=\S*node:(\d+)-/m.exec(await read('deploy/Containerfile'));
    const { engines } = JSON.parse(await read('package.json')) as { engines: { node: string } };
    expect(engines.node).toBe(`>=${argument?.[1]}`);
  });
});

describe('the systemd unit', () => {
  it('starts the agent with flags that it has, bounded and restarted', async () => {
    const settings = unitSettings(await read('deploy/systemd/rutter.service'));
    const words = settings.get('ExecStart')!.split(' ');
    expect(words.slice(0, 2)).toEqual(['/usr/bin/env', 'rutter']);
    expect(agentOptions(words.slice(2)).config).toBe('/etc/rutter/rutter.yaml');
    expect(Object.fromEntries(settings)).toMatchObject({
      Nice: '-5',
      Restart: 'always',
      KillSignal: 'SIGTERM',
      CapabilityBoundingSet: 'CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE',
    });
  });

  it('makes the directory of the default control socket', async () => {
    const settings = unitSettings(await read('deploy/systemd/rutter.service'));
    const { config } = parseConfig('bgp: { asn: 64512, routerId: 10.0.0.1 }');
    expect(config!.control.socket.startsWith(`/run/${settings.get('RuntimeDirectory')}/`)).toBe(
      true,
    );
  });
});

/** `Key=value` lines; what is no such line, comment or section is an error. */
function unitSettings(text: string): Map<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#') || /^\[\w+\]$/.test(line)) continue;
    const [, key, value] = /^(\w+)=(.+)$/.exec(line) ?? [];
    expect(key, line).toBeDefined();
    settings.set(key!, value!);
  }
  return settings;
}
