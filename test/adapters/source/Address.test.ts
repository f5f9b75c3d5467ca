import { describe, expect, it } from "@effect/vitest"
import * as Address from "../../../src/adapters/source/Address.js"

describe("a redirect may lead to", () => {
  it.each([
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "64:ff9b::808:808"
  ])(
    "%s",
    (address) => {
      expect(Address.isPublic(address)).toBe(true)
    }
  )
})

describe("a redirect may not lead to", () => {
  it.each([
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "0:0:0:0:0:ffff:192.168.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "2002:7f00:1::",
    "localhost",
    "",
    "1.2.3"
  ])("%s", (address) => {
    expect(Address.isPublic(address)).toBe(false)
  })
})
