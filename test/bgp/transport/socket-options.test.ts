// Socket options through libc: what is refused says why, and never with the password. Nothing is connected here.
import { closeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  boundDevice,
  needsOptions,
  openSocket,
} from '../../../src/bgp/transport/socket-options.ts';
import { TransportError } from '../../../src/bgp/transport/transport.ts';
import { parseIpAddress } from '../../../src/net/ip-address.ts';

const remote = parseIpAddress('192.0.2.1')!;

function refusal(run: () => unknown): TransportError {
  try {
    run();
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
  throw new Error('the options were taken');
}

describe('needsOptions', () => {
  it('leaves a plain socket to Node', () => {
    expect(needsOptions({})).toBe(false);
    expect(needsOptions({ ttl: undefined, password: undefined })).toBe(false);
    expect(needsOptions({ minTtl: 255 })).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('openSocket (needs Linux)', () => {
  it('refuses a password that is too long without repeating it', () => {
    const password = 's'.repeat(81);
    const error = refusal(() => openSocket(remote, { password }));
    expect(error.code).toBe('socket-option-refused');
    expect(error.message).toBe('password of 81 bytes, expected at most 80');
  });

  it('names the option, the device and the kernel’s reason', () => {
    const error = refusal(() => openSocket(remote, { device: 'no-such-device' }));
    expect(error.message).toBe('SO_BINDTODEVICE no-such-device: ENODEV');
  });

  it('says which device a socket is bound to', () => {
    for (const device of ['lo', undefined]) {
      const fd = openSocket(remote, { device });
      expect(boundDevice(fd)).toBe(device);
      closeSync(fd);
    }
  });

  it('refuses a hop limit that cannot be', () => {
    expect(refusal(() => openSocket(remote, { ttl: 256 })).message).toBe('IP_TTL 256: EINVAL');
    const remote6 = parseIpAddress('2001:db8::1')!;
    expect(refusal(() => openSocket(remote6, { minTtl: 256 })).message).toBe(
      'IPV6_MINHOPCOUNT 256: EINVAL',
    );
  });
});
