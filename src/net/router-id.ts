// BGP identifiers: numbers in host order that are written like an IPv4 address (RFC 6286).

export function formatRouterId(routerId: number): string {
  return [24, 16, 8, 0].map((shift) => (routerId >>> shift) & 0xff).join('.');
}
