import { BlockList, isIP } from "node:net"

const closed = new BlockList()

const subnets4: ReadonlyArray<readonly [string, number]> = [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8],
  ["100.64.0.0", 10], // carrier-grade NAT
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local, and the clouds' metadata
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24], // documentation
  ["192.168.0.0", 16],
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4],
  ["240.0.0.0", 4]
]

const subnets6: ReadonlyArray<readonly [string, number]> = [
  ["::", 96], // unspecified, loopback, and IPv4 in its oldest notation
  ["64:ff9b:1::", 48], // local translation
  ["100::", 64], // discard
  ["2001::", 32], // Teredo
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4
  ["fc00::", 7], // unique local
  ["fe80::", 10], // link-local
  ["fec0::", 10], // site-local
  ["ff00::", 8]
]

for (const [net, prefix] of subnets4) closed.addSubnet(net, prefix, "ipv4")
for (const [net, prefix] of subnets6) closed.addSubnet(net, prefix, "ipv6")

/** IPv6 in its shortest form, the one that `URL` writes. */
const canonical6 = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1)

/** Whether anyone on the internet may be meant by it: not loopback, private, link-local, shared, reserved or a group. */
export const isPublic = (address: string): boolean => {
  const bare = address.replace(/%.*$/, "")
  switch (isIP(bare)) {
    case 4:
      return !closed.check(bare, "ipv4")
    case 6: {
      const translated = canonical6(bare).replace(/^64:ff9b::(?=[0-9a-f]+:[0-9a-f]+$)/, "::ffff:")
      return !closed.check(translated, "ipv6")
    }
    default:
      return false
  }
}
