/** More of them are counted, not said. */
const most = 50

/** Sentences about what was left out or renamed, as they come up. */
export class Warnings {
  readonly #said: Array<string> = []
  #unsaid = 0

  add(sentence: string): void {
    if (this.#said.length < most) this.#said.push(sentence)
    else this.#unsaid += 1
  }

  get all(): ReadonlyArray<string> {
    return this.#unsaid === 0 ? this.#said : [...this.#said, `There are ${this.#unsaid} more warnings.`]
  }
}
