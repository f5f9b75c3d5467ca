import { createParser } from "eventsource-parser"

/** One event, or one line, of a stream. `raw` is how it stood, for whoever has to judge it. */
export interface Frame {
  readonly data: string
  readonly raw: string
}

/** Cuts a stream of text into frames, however the network cut it. */
export interface Framing {
  /** The frames that this text completes; null as soon as one is longer than is read. */
  readonly feed: (text: string) => ReadonlyArray<Frame> | null
  /** What stands unfinished at the end of the stream. */
  readonly rest: () => ReadonlyArray<Frame>
}

/** The longest frame, in characters. */
export const frameLimit = 4 * 1024 * 1024

const raw = (event: string | undefined, data: string): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${data}\n\n`

/** Server-sent events; comments and pings without data are none. */
export const events = (): Framing => {
  let frames: Array<Frame> = []
  let tooLong = false
  const parser = createParser({
    maxBufferSize: frameLimit,
    onEvent: ({ data, event }) => frames.push({ data, raw: raw(event, data) }),
    onError: ({ type }) => {
      if (type === "max-buffer-size-exceeded") tooLong = true
    }
  })
  const taken = () => {
    const found = frames
    frames = []
    return found
  }
  return {
    feed: (text) => {
      if (tooLong) return null
      parser.feed(text)
      return tooLong ? null : taken()
    },
    // some servers end the body right behind the last line, where the standard wants an empty one
    rest: () => {
      if (tooLong) return []
      parser.feed("\n\n")
      return taken()
    }
  }
}

/** One JSON document a line. */
export const lines = (): Framing => {
  let pending: Array<string> = []
  let length = 0
  const frame = (line: string): ReadonlyArray<Frame> => line.trim() === "" ? [] : [{ data: line, raw: line }]
  return {
    feed: (text) => {
      const parts = text.split("\n")
      const last = parts.pop() ?? ""
      if (parts.length > 0) {
        parts[0] = [...pending, parts[0]].join("")
        pending = []
        length = 0
      }
      pending.push(last)
      length += last.length
      return length > frameLimit || parts.some((part) => part.length > frameLimit) ? null : parts.flatMap(frame)
    },
    rest: () => {
      const left = pending.join("")
      pending = []
      return frame(left)
    }
  }
}
