// What comes is kept until somebody takes it, in its order.

export class Mailbox {
  #kept = [];
  #takers = [];

  put(value) {
    const taker = this.#takers.shift();
    if (taker) taker(value);
    else this.#kept.push(value);
  }

  async take() {
    if (this.#kept.length > 0) return this.#kept.shift();
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}
