// MAC addresses as values: 6 bytes.

/** "00:53:00:12:34:56". */
export function formatMacAddress(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
